"""Exports: a folder of shards that other libraries read; what those of all formats share.

build    one export from start to end
record   what a finished folder says of itself
stored   a folder read back, for comparing it with the archives
cli      the options of `pass-dataset build FORMAT`

The formats are `pass_dataset.parquet` and `pass_dataset.webdataset`.
"""
