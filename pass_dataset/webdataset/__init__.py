"""WebDataset: a release as tar shards of ``<hash>.jpg`` and ``<hash>.json``, in shuffled order.

build    one export from start to end
export   what a finished folder says of itself: ``shards.json``
shards   one tar, written from the archives
stored   a folder read back, for comparing it with the archives

    OUT/train-00000-of-00360.tar …   read by `webdataset`, by `datasets`, by anything that reads tar
        shards.json                  which release, which parts, which files; `wids` reads it too
"""
