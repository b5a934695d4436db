"""Weights files of the detectors: known, found or fetched, and verified before they are parsed.

files     the facts: name, licence, source, size, hash
hashes    what a file hashes to, and what is on record beside it
store     where a file is, and whether it is the right one
fetching  from where it is published into the cache
"""
