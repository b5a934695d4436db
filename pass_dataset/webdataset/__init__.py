"""WebDataset: a release as tar shards of ``<hash>.jpg`` and ``<hash>.json``, in shuffled order.

build         one export from start to end
manifest      what a finished folder says of itself: ``_shards.json``
shard_format  one tar, written from the archives
stored        a folder read back, for comparing it with the archives
purge         images deleted from a folder
format        its entry in the catalogue of formats

    OUT/train-00000-of-00360.tar …   read by `webdataset`, by `datasets`, by anything that reads tar
        _shards.json                  which release, which parts, which files; `wids` reads it too
"""
