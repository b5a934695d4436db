"""Builds read back, of any library, and compared with the archives they were made from.

builds           what a build offers to be compared, and where one is found
verification     the comparison
expected_images  what the archives have
threads          work on numbered pieces
"""
