"""Parquet: a release as a folder that any reader of Parquet takes, ready for the Hugging Face Hub.

build    one export from start to end
export   what a finished folder says of itself: ``export.json``
card     its ``README.md``, from the dataset card
schema   the columns, as `datasets` knows them
shards   one file, written from the tars
stored   a folder read back, for comparing it with the archives
hub      the upload

    OUT/README.md                             dataset card; tells `load_dataset('OUT')` what is here
        export.json                           which release, which parts, which files; comes last
        data/train-00000-of-00359.parquet …   images embedded
"""
