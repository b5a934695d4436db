"""Workers: processes and threads that share work.

cores      how many this process may use
process    a process that is told what to do on its standard input
threads    numbered pieces of work in threads
"""
