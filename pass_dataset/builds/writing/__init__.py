"""Building: a folder of shards from an archive folder, in parallel, continued if it was cut.

build         one build from start to end of its shards
plan          the work folder: what is being built, and which shards are whole
layout        the order of the records, and which shard each goes in
workers       processes started, given shards, watched; `worker` is one of them
shard_files   one shard written, and named when it is whole; what a library's format must offer
readahead     the system told what will be read next

export        a build that is a folder of its own, with a manifest
source        the archives a build is made from
"""
