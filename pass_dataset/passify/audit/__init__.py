"""PASS itself, seen by the detectors that made it.

release_runs  runs of the filter over a release, all of it or a sample
findings      what it would drop today, counted and listed
comparison    what the images scored that a later release no longer has
"""
