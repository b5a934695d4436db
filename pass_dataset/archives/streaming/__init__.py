"""Records of a release straight from where it is published, by byte ranges, without its tars.

metadata  the metadata table by hash, fetched once and kept in a folder
reader    bytes of one file at any position, over connections that break
held_headers  headers of plain images that came with one request
members   images of a stretch of a tar, found without having read what is before it
made_anew  what is pickled for other processes
stretches  stretches that the tars of a release are cut into
place     where the tars are, with the connection of a process
blocks    images many at a time, copied once into memory that is used again
archive   records of those stretches, found by the tars' headers
indexed   records by the exact bytes that an index names

Zenodo blocks users who open more than two connections; each process that reads opens one.
"""

from __future__ import annotations

from pass_dataset.archives.streaming.archive import RemoteArchive, open_remote
from pass_dataset.archives.streaming.indexed import IndexedRemoteArchive

__all__ = ["IndexedRemoteArchive", "RemoteArchive", "open_remote"]
