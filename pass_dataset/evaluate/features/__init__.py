"""Images through an encoder, once.

transforms  images made ready: the middle of each, or a random view
cache       features on disk, by the content of what made them; continued if cut
embedding   the pass itself
spreading   the pass by executors: on SLURM or Ray, part by part
"""
