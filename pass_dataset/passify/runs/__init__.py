"""A run: what it was told, what it is to do, and what it found, all in one folder.

settings     what decides the rows
run_folder   every name in the folder, and the markers of what is done
plan         the list of images, and its shards
schema       the columns of results
results      results written and read
outcomes     what can become of an image, for which reasons; thresholds
verdicts     what becomes of each, from its scores, for any thresholds
exclusions   opt-out lists
status       how far a run is
"""
