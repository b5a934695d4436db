"""Where shards are done; the same shards and the same results everywhere.

executor   the run loop, and the interface: do these shards
local      worker processes on this machine
slurm      job arrays on a SLURM cluster
ray        actors on a Ray cluster; `ray_settings`: what is asked of it
pool       the worker processes of one machine, which the other executors use on theirs
worker     what runs in such a process
attempts   one try at a shard, and how it ended
tasks      some shards, done here for whoever spread them over many machines
"""
