"""Shards on a SLURM cluster, as job arrays.

settings     what the tasks ask for
submissions  which job has which shards, on record in the run folder
scheduler    what SLURM says of the tasks
arrays       puts job arrays into the queue, through submitit
"""
