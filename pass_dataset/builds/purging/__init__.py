"""Purging: images on removal lists deleted from archives, builds and exports.

purging      one folder purged: file after file, and continued if it was cut
receipt      what was purged, when, from which files; what is under way
archives     archive folders: tars, metadata, their checksums
tars         a tar without some of its members
rows         rows of Arrow without some images
mentions     which images a file of any sort mentions
leftovers    what cut work left and caches keep, deleted if it mentions one
remains      everything else in a folder, looked into

Each format has a module ``purge`` of its own.

A purged file is written beside the old one, whole, and read again; what that reading finds is what
the receipt says. Then it takes the old one's name, and the folder's description says so. Between
the two the receipt knows of it. Killed at any moment, the folder has each file in the old or in the
new form, and the same command does the rest.

Whoever reads a folder while it is purged should open it anew: an index of before leads to wrong
places in a tar of after.
"""
