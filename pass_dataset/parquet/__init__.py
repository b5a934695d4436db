"""Parquet: a release as a folder that any reader of Parquet takes, ready for the Hugging Face Hub.

build         one export from start to end
manifest      what a finished folder says of itself: ``export.json``
card          its ``README.md``, from the dataset card
schema        the columns, as `datasets` knows them
shard_format  one file, written from the tars
stored        a folder read back, for comparing it with the archives
purge         images deleted from a folder
hub           the upload
format        its entry in the catalogue of formats

    OUT/README.md                             dataset card; tells `load_dataset('OUT')` what is here
        export.json                           which release, which parts, which files; comes last
        data/train-00000-of-00359.parquet …   images embedded
"""
