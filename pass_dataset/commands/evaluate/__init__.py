"""The command `pass-evaluate`: `main` has the table of its commands, each of which has its module.

arguments  encoders, images made ready, and where features are made
"""
