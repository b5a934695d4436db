"""Workers: processes and threads that share work.

process    a process that is told what to do on its standard input
threads    numbered pieces of work in threads
"""
