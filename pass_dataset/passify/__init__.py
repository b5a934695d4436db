"""`passify`, the filter that made PASS: which images of a collection show people?

detectors  faces and people: boxes and scores
sources    any collection of images: listed, and read
runs       the run folder: settings, plan, results, verdicts, opt-out lists, how far it is
steps      what is done with a shard of images
filtering  the run loop: planned, done wherever an executor does it, lists written
outputs    what a run ends with: lists, counts, the kept images
report     a page about a run
audit      PASS itself, seen by its own filter
readers    its source of archives in the catalogue of readers
"""
