"""A whole curation by one settings file: its steps in their order, continued where they were.

kinds     the steps that there are, by name
plan      a settings file, read and checked before anything is done
opt_outs  the list of what is not looked at, and not released
running   the steps done, one after the other
"""
