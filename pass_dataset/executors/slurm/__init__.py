"""Shards on a SLURM cluster, as job arrays.

settings     what the tasks ask for
submissions  which job has which shards, on record in the folder
scheduler    what SLURM says of the tasks
stages       which arrays jobs need
arrays       puts job arrays into the queue, through submitit
shard_task   what a task does on its node
endings      why a task ended, in words
queue        how many of a folder's tasks wait and run
executor     submits, waits, and submits again what was lost
"""
