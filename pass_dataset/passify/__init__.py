"""`passify`, the filter that made PASS: which images of a collection show people?

images        decode any image file to the pixels that the published code saw, or say why not
detectors     faces and people: boxes and scores
sources       any collection of images: listed, and read
runs          the run folder: settings, plan, results
verdicts      what becomes of an image, from its scores, for any thresholds
exclusions    opt-out lists
steps         what is done with a shard of images
executors     where shards are done
outputs       what a run ends with: lists, counts, the kept images
status        how far a run is
report        a page about a run
verification  PASS itself, seen by its own filter
"""
