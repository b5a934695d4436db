"""Tars of images, WebDataset shards among them, read where they lie."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.archives.tars import FOLDER, HARD_LINK, REGULAR, read_members
from pass_dataset.errors import ArchiveError
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.file_states import FileStates, require_unchanged
from pass_dataset.passify.sources.folder_tree import FolderTree, Suffixes
from pass_dataset.passify.sources.names import name_to_text, text_to_name
from pass_dataset.passify.sources.source import Kind, ListingReport, SourceItem, require_size

__all__ = ["TarFiles", "TarReader"]

#: Tars that a reader holds open. A shard of images lies in a few.
_MAX_OPEN = 128


@dataclass(frozen=True)
class TarFiles:
    """The images in a tar, or in all tars under a folder, in the order they stand there.

    An image's path is that of the member; under a folder, that of the tar stands before it.

    Where a name is there several times (``tar -r`` adds a newer file so), the last one counts, as
    it does for who unpacks the tar; the others are counted as left out.

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
        images = _Images()
        try:
            report.files[container] = FileVersion.of(path)
            for member in read_members(path):
                name = member.name.encode("utf-8", "surrogateescape")
                if member.kind == FOLDER:
                    continue
                if member.kind not in (*REGULAR, HARD_LINK):
                    report.leave_out("links and devices in tars")
                elif not self.suffixes.accept(name, report):
                    continue
                elif member.kind in REGULAR:
                    images.add(name, member.offset, member.size_bytes)
                elif not images.add_link(name, member.link.encode("utf-8", "surrogateescape")):
                    report.leave_out("hard links in tars to what is no image there")
        except ArchiveError as error:
            report.add_unreadable(str(error))
        except OSError as error:
            report.add_unreadable(f"{path}: {error.strerror}")
        for name, offset, size_bytes in images.last_ones(report):
            yield SourceItem(name_to_text(prefix + name), container, offset, size_bytes)

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


@dataclass
class _Images:
    """The images of one tar, packed (200 bytes each): which ones count is known at its end.

    Attributes:
      names: one after the other.
      ends: where each ends in `names`.
      offsets, sizes: where each lies in the tar.
      last: number of the last image of each name, by the name's hash. That two names have the same
        hash happens in one of 10 million tars of a million images.
    """

    names: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    last: dict[int, int] = field(default_factory=dict)

    def add(self, name: bytes, offset: int, size_bytes: int) -> None:
        self.last[hash(_unpacked(name))] = len(self.ends)
        self.names += name
        self.ends.append(len(self.names))
        self.offsets.append(offset)
        self.sizes.append(size_bytes)

    def add_link(self, name: bytes, target: bytes) -> bool:
        """Adds another name of an image that is there by now; False if there is none."""
        number = self.last.get(hash(_unpacked(target)))
        if number is None:
            return False
        self.add(name, self.offsets[number], self.sizes[number])
        return True

    def last_ones(self, report: ListingReport) -> Iterator[tuple[bytes, int, int]]:
        """Name, offset and size of the images that count, in the order of the tar."""
        counting = self.last.values()
        replaced = set(range(len(self.ends))).difference(counting) if self._repeats else ()
        start = 0
        for number, end in enumerate(self.ends):
            if number in replaced:
                report.leave_out("members that later ones of the same name replace")
            else:
                yield bytes(self.names[start:end]), self.offsets[number], self.sizes[number]
            start = end

    @property
    def _repeats(self) -> bool:
        return len(self.last) < len(self.ends)


def _unpacked(name: bytes) -> bytes:
    """Where a member is unpacked to: ``./a//b.jpg`` and ``a/b.jpg`` are one file."""
    return b"/".join(part for part in name.split(b"/") if part not in (b"", b"."))


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
        require_size(item.size_bytes)
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
