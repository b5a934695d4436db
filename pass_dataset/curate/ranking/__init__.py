"""Ranking by risk: scores that say what people should look at first. They decide nothing.

ranker     the interface of what gives scores, and what it may say
catalogue  all rankers by name; others by entry point
settings   which are asked
weights    their weights, verified, with licences
rankers/   those that are here: nudity, text, classes
folder     the folder of a ranking
work       one pass over the images for all rankers, by executors
run        a ranking of any collection
step       the step `rank` of a curation
scores     what is highest, of a curation, a ranking or a run of passify
sheets     contact sheets of that
"""
