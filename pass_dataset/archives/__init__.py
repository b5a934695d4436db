"""Archives: the tars and the metadata of a release, read where they lie.

tars             members of a tar, listed and checked
metadata         the CSV, parsed; metadata_files: found, fetched, compared
index            where every image is, joined with its metadata; index_tables: how it is made
index_view       what readers see of it: some parts, and nothing that was removed
records          images with their metadata, read by position, by hash, or in any order
list_lines       lists of images as text files, however they were written
hash_lists       lists of hashes, or of the names that an own collection has
removals         lists of images that nobody is to be given; fetched_removals: from the network
ensure           an archive folder found, completed and opened
reading_ahead    archives brought into memory while their headers are read
integrity        is a folder whole? every file, by size and SHA-256
collection       a collection of the user's own, described so that it can be verified
streaming        records read over HTTP, without a download
mini             the mini release that comes with the package
"""
