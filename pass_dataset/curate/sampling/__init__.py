"""Sampling: at most so many photographs of a photographer, so many of all, drawn at random.

order     the order of photographs that every draw goes by
choice    who is chosen, as arithmetic on that order: the cap, and a sample
balance   the step `balance`: the cap, then a uniform sample
classes   the step `classes`: the most frequent classes, a cap for each
draw      the step `draw`: the photographs of the release
rows      what both have in common: photographs of all shards, and what is said of them
"""
