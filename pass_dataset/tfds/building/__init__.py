"""Building: a dataset's folder from an archive folder, in parallel, continued if it was cut.

build    one build from start to end
plan     the work folder: what is being built, and which shards are whole
layout   the order of the records, and which shard each goes in
workers  processes started, given shards, watched; `worker` is one of them
copying  from tars to one shard, in the formats of `shards`, with the examples of `wire`
beam     the same shards on Apache Beam; `example_writer` for TFDS's own generator path
"""
