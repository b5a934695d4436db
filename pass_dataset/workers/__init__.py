"""Workers: processes and threads that share work.

cores      how many this process may use
process    a process that is told what to do on its standard input
pool       such processes: given pieces of work, and replaced when they die
giver      who gives such a process its work, as it sees them
threads    numbered pieces of work in threads
"""
