"""Where shards are done; the same shards and the same results everywhere.

A kind of work (`Work`) is done with the shards of a folder (`ShardFolder`), wherever an `Executor`
has it done. A new one is a subclass of each of the two, and an object that does shards in a worker
process (`ShardDoer`); `work` tells how.

shard_folder  what is done and what failed, on record in a folder
job           a shard to be done
work          the interface: what is done with a shard
executor      the interface: where that is; all shards of a call, and what became of them
local         worker processes on this machine
slurm         job arrays on a SLURM cluster
ray           actors on a Ray cluster; `ray_settings`: what is asked of it
pool          the worker processes of one machine, which the other executors use on theirs
worker        what runs in such a process
attempts      one try at a shard, and how it ended
tasks         some shards, done here for whoever spread them over many machines
"""
