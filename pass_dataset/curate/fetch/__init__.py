"""Photographs fetched into tars: bytes untouched, each with a receipt, whatever servers do.

settings      what decides what is fetched, and how patient one is
candidates    where a photograph may be had, in order
client        many requests at a time over kept connections
files         photographs that are files of this machine
answers       what an answer means
hosts         how many requests a host takes at a time, and when it is left alone
spool         what is fetched of a shard so far, with a receipt for each photograph
tars          the tar that a shard's spool becomes
paths         names of files
receipts      what became of each photograph of a shard
shard         the photographs of a shard, from its spool to its tar
fetcher       the loop: photographs given out, answers taken, tried again
shards        some shards fetched in this process
finisher      the thread beside it that makes tars
work          the same as work of executors, on a cluster
placeholders  bytes that stand for many photographs
run           the step
"""
