"""Builds: a release written as shards of a library's format, read back, compared and purged.

manifest       what an export says of itself
stored_build   what a finished build offers to be compared with its archives
catalogue      the formats, which of them a folder is, and all ways of reading
readers        entries of the catalogue: archives read without a library
targets        folders with images, found where the user points
writing        shards written from an archive folder, in parallel, continued if cut
reading        builds read back and compared with the archives, record by record
purging        images deleted from archives, builds and exports

What a shard looks like is a library's own matter: `pass_dataset.tfds`, `pass_dataset.huggingface`,
`pass_dataset.parquet`, `pass_dataset.webdataset`.
"""
