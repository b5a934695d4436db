"""What is TFDS's own in a build: its examples and its files (the rest is `pass_dataset.building`).

copying  from tars to one shard, in the formats of `shards`, with the examples of `wire`
beam     the same shards on Apache Beam; `example_writer` for TFDS's own generator path
"""
