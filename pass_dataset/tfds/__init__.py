"""PASS for TensorFlow Datasets. Import `pass_dataset` and call `tfds.load('pass')`.

pass_dataset_builder   the builder of `pass`; `mini`: of `pass_mini`
archive_builder        what both share: features, examples, the way to build
configs                releases, parts and collections of the user's own
shard_format           a shard written from the tars; `example_writer`: by TFDS's own way
file_formats           names of the formats of files
frames                 examples framed as TFRecord, ArrayRecord or Parquet
wire                   an example's bytes
beam                   shards written on many machines
kept                   what TFDS reads, without the images on removal lists
stored                 a build read back; `stored_records`, `stored_shards`: its parts
purge                  images deleted from a build
format                 its entry in the catalogue of formats
"""
