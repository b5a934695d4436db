"""Duplicates: found exactly and fast, within collections and against other sets.

identity        which photograph of Flickr an image is
perceptual      a hash of 256 bits that stays when an image is made anew
fingerprints    what is kept of an image; hash_store keeps it
hashing         all that is missing made: a hash_round lists it, hash_work does it, wherever
listing         the images of a collection
index_file      fingerprints handed on; coco makes them of annotations; other_sets opens them
unions, hamming groups of codes that differ in few bits, exactly; blocks: sorted by their parts
small_pictures  by which near pairs are confirmed
tiers           pairs, and how it is known
keeping         which image of a group stays
finding         all of it; results and report write it down, step does it in a curation
overlap         PASS and COCO, from two lists
as_published    the rule of the tool that the paper used
"""
