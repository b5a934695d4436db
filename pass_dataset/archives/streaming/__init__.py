"""Records of a release straight from where it is published, by byte ranges, without its tars.

metadata  the metadata table by hash, fetched once and kept in a folder
reader    bytes of one file at any position, over connections that break
members   images of a stretch of a tar, found without having read what is before it
stretches  stretches that the tars of a release are cut into
archive   records of those stretches: with an index by exact bytes, without one by the tars' headers

Zenodo blocks users who open more than two connections; each process that reads opens one.
"""

from __future__ import annotations

from pass_dataset.archives.streaming.archive import IndexedRemoteArchive, RemoteArchive, open_remote

__all__ = ["IndexedRemoteArchive", "RemoteArchive", "open_remote"]
