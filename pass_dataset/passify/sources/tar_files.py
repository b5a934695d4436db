"""Tars of images, WebDataset shards among them, read where they lie."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.archives.records import OpenTars
from pass_dataset.archives.tars import read_members
from pass_dataset.errors import ArchiveError
from pass_dataset.passify.sources.file_states import FileState, FileStates, require_unchanged
from pass_dataset.passify.sources.folder_tree import FolderTree, Suffixes
from pass_dataset.passify.sources.names import name_to_text, text_to_name
from pass_dataset.passify.sources.source import Kind, ListingReport, SourceItem

__all__ = ["TarFiles", "TarReader"]

_REGULAR = (b"0", b"\0", b"7")
_FOLDER = b"5"
#: Tars that a reader holds open. A shard of images lies in a few.
_MAX_OPEN = 128


@dataclass(frozen=True)
class TarFiles:
    """The images in a tar, or in all tars under a folder, in the order they stand there.

    An image's path is that of the member; under a folder, that of the tar stands before it.

    Attributes:
      path: the tar, or the folder.
      suffixes: which members are images.
    """

    path: bytes
    suffixes: Suffixes

    @property
    def kind(self) -> Kind:
        return "tar"

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        if not os.path.isdir(self.path):  # noqa: PTH112
            yield from self._members(os.path.basename(self.path), b"", report)  # noqa: PTH119
            return
        for tar in FolderTree(self.path, Suffixes(frozenset({b"tar"}))).files(report):
            yield from self._members(tar, tar + b"/", report)

    def _members(self, tar: bytes, prefix: bytes, report: ListingReport) -> Iterator[SourceItem]:
        container = name_to_text(tar)
        path = Path(os.fsdecode(os.path.join(self._root, tar)))
        try:
            report.files[container] = FileState.of(path)
            for member in read_members(path):
                name = member.name.encode("utf-8", "surrogateescape")
                if member.kind == _FOLDER:
                    continue
                if member.kind not in _REGULAR:
                    report.leave_out("links and devices in tars")
                elif self.suffixes.accept(name, report):
                    text = name_to_text(prefix + name)
                    yield SourceItem(text, container, member.offset, member.size_bytes)
        except ArchiveError as error:
            report.add_unreadable(str(error))
        except OSError as error:
            report.add_unreadable(f"{path}: {error.strerror}")

    @property
    def _root(self) -> bytes:
        """Folder that the tars' names are within."""
        if os.path.isdir(self.path):  # noqa: PTH112
            return self.path
        return os.path.dirname(self.path)  # noqa: PTH120

    def reader(self, states: FileStates) -> TarReader:
        return TarReader(Path(os.fsdecode(self._root)), states)

    def file_of(self, item: SourceItem) -> bytes | None:
        return None


class TarReader:
    """Reads members of tars by their place."""

    def __init__(self, root: Path, states: FileStates) -> None:
        self._root = root
        self._states = states
        self._open: dict[str, OpenTars] = {}

    def read(self, item: SourceItem) -> bytes:
        assert item.container is not None
        try:
            return self._read(item, item.container)
        finally:
            path = os.path.join(os.fsencode(self._root), text_to_name(item.container))
            require_unchanged(path, item.container, self._states)

    def _read(self, item: SourceItem, container: str) -> bytes:
        assert item.start is not None
        assert item.size_bytes is not None
        place = (0, item.start, item.size_bytes, item.path)
        tar = self._open.get(container)
        if tar is not None:
            return tar.read(*place)
        opened = OpenTars(self._root, [os.fsdecode(text_to_name(container))])
        if len(self._open) < _MAX_OPEN:
            # Of two threads that come here at once, both read from the one that is kept.
            return self._open.setdefault(container, opened).read(*place)
        try:
            return opened.read(*place)
        finally:
            opened.close()

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()
