"""The command `passify`: `main` has the table of its commands, each of which has its module.

arguments  thresholds, and where and how fast a run is executed
settings   what decides the rows of a run
results    what commands say of the results of a run
"""
