"""The archive folder: the files of one release, and what this package keeps beside them.

state           where the receipt, the index, the lock and the lists are
lock            one process at a time changes a folder
receipt         which files were hashed and found right, and when
archive_folder  which folder is meant, and which release it holds: told once, and handed on
"""
