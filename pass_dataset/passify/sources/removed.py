"""Images of a source that removal lists name: they are neither listed nor given out.

Lists are asked whenever images are listed and whenever any are given out, as a list may be newer
than a run. Besides the one that ``PASS_REMOVALS`` names these are the ``pass_removals.txt`` of the
source, of the folder above it (of an export, whose tables lie in ``data``), and of every folder
between it and a file that holds images. An image is known by its hash: the last part of its path,
or what its row has in the column ``hash``.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from pass_dataset.archives.removals import RemovalList, removals_for, removals_in
from pass_dataset.passify.sources.names import text_to_name
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.parquet_files import ParquetFiles
from pass_dataset.passify.sources.saved_dataset import SavedDataset
from pass_dataset.passify.sources.source import ListingReport, SourceItem

__all__ = ["RemovedImages"]

logger = logging.getLogger(__name__)

_LEFT_OUT = "images on removal lists"


class RemovedImages:
    """Tells images of a source that are on a removal list."""

    def __init__(self, settings: SourceSettings) -> None:
        """Reads the lists that hold for all of a source.

        Raises:
          MetadataError: one of them cannot be read.
        """
        self._settings = settings
        path = Path(os.fsdecode(text_to_name(settings.root or settings.path)))
        self._root = path if path.is_dir() else path.parent
        if not self._root.is_dir():
            logger.warning(
                "%s: is not there, so that its removal lists cannot be asked", self._root
            )
        self._everywhere = removals_for(self._root, self._root.parent)
        self._of_folders: dict[Path, RemovalList] = {}
        self._of_containers: dict[str | None, RemovalList] = {None: self._everywhere}
        self._keys: dict[str, Sequence[str | None] | None] = {}

    def lists_of(self, container: str | None) -> RemovalList:
        """What is to be left out of a file that holds images.

        Args:
          container: its path within the source, as text; None for images that are files.

        Raises:
          MetadataError: a list cannot be read.
        """
        found = self._of_containers.get(container)
        if found is None:
            found = self._everywhere
            inside = PurePosixPath(os.fsdecode(text_to_name(container or "")))
            for above in (inside, *inside.parents):
                found |= self._of_folder(self._root / above)
            self._of_containers[container] = found
        return found

    def _of_folder(self, folder: Path) -> RemovalList:
        if folder not in self._of_folders:
            asked = folder != self._root and folder.is_dir()
            self._of_folders[folder] = removals_in(folder) if asked else RemovalList()
        return self._of_folders[folder]

    def any_of(self, containers: Iterable[str]) -> bool:
        """True if there is a list for any of the images in some files, or for all."""
        return any(self.lists_of(container) for container in (None, *containers))

    def digest(self, containers: Iterable[str]) -> str:
        """Tells the names on the lists from others: SHA-256, as hexadecimal text."""
        hashes = set().union(*(self.lists_of(one).hashes for one in (None, *containers)))
        return hashlib.sha256("\n".join(sorted(hashes)).encode("utf-8", "replace")).hexdigest()

    def are_removed(self, items: Sequence[SourceItem]) -> list[bool]:
        """Which of some images are on a list.

        Raises:
          MetadataError: a list cannot be read.
          SourceError: the names of the images cannot be read, which lie in a table.
        """
        return [self._is_removed(item) for item in items]

    def _is_removed(self, item: SourceItem) -> bool:
        hashes = self.lists_of(item.container).hashes
        return bool(hashes) and not hashes.isdisjoint(self._names(item))

    def _names(self, item: SourceItem) -> Iterator[str]:
        name = os.fsdecode(text_to_name(item.path)).rpartition("/")[2]
        yield name
        yield name.rpartition(".")[0] or name
        if item.container is not None and item.start is not None:
            keys = self._keys_of(item.container)
            key = None if keys is None else keys[item.start]
            if key is not None:
                yield key

    def _keys_of(self, container: str) -> Sequence[str | None] | None:
        if container not in self._keys:
            source = open_source(self._settings)
            # Those of one file: a table may have millions.
            self._keys.clear()
            self._keys[container] = (
                source.keys(container) if isinstance(source, ParquetFiles | SavedDataset) else None
            )
        return self._keys[container]

    def without(self, items: Iterable[SourceItem], report: ListingReport) -> Iterator[SourceItem]:
        """Images that are on no list; the others are counted."""
        for item in items:
            if self._is_removed(item):
                report.leave_out(_LEFT_OUT)
            else:
                yield item
