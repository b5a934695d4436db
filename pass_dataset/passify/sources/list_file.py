"""A list of image files, one a line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.errors import SourceError
from pass_dataset.passify.sources.file_states import FileState, FileStates, require_unchanged
from pass_dataset.passify.sources.folder_tree import FileReader
from pass_dataset.passify.sources.names import line_to_name, name_to_text, text_to_name
from pass_dataset.passify.sources.source import Kind, ListingReport, SourceItem

__all__ = ["ListFile", "read_lines"]


def read_lines(path: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and contents of the lines of a list that are not empty, names not escaped any more.

    Lists as `find` writes them, with ``-print0`` too, and as `passify keep` writes them.

    Raises:
      SourceError: it cannot be read, or a line is wrongly escaped.
    """
    try:
        with Path(os.fsdecode(path)).open("rb") as file:
            # A list with a NUL in it is one of `find -print0`, where nothing is escaped.
            if b"\0" in file.read(1 << 16):
                file.seek(0)
                yield from _between_nuls(file.fileno())
                return
            file.seek(0)
            for number, line in enumerate(file, 1):
                name = line.rstrip(b"\n").removesuffix(b"\r")
                if name:
                    yield number, line_to_name(name)
    except OSError as error:
        raise SourceError(f"{os.fsdecode(path)}: {error.strerror}") from error
    except ValueError as error:
        raise SourceError(f"{os.fsdecode(path)}: line {number}: {error}") from error


def _between_nuls(handle: int) -> Iterator[tuple[int, bytes]]:
    number, tail, position = 0, b"", 0
    while data := os.pread(handle, 1 << 16, position):
        position += len(data)
        *names, tail = (tail + data).split(b"\0")
        for name in names:
            number += 1
            if name:
                yield number, name
    if tail:
        yield number + 1, tail


@dataclass(frozen=True)
class ListFile:
    """The images that a list names, in its order.

    An image's path is the line as it stands.

    Attributes:
      path: the list.
      root: folder that paths in it are relative to.
    """

    path: bytes
    root: bytes

    @property
    def kind(self) -> Kind:
        return "list"

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        try:
            report.files[self._name] = FileState.of(self.path)
        except OSError as error:
            raise SourceError(f"{os.fsdecode(self.path)}: {error.strerror}") from error
        for _, name in read_lines(self.path):
            yield SourceItem(name_to_text(name))

    @property
    def _name(self) -> str:
        return name_to_text(os.path.basename(self.path))  # noqa: PTH119

    def reader(self, states: FileStates) -> FileReader:
        # What is read does not depend on it. But who changed the list means other images.
        require_unchanged(self.path, self._name, states)
        return FileReader(self.root)

    def file_of(self, item: SourceItem) -> bytes | None:
        return os.path.join(self.root, text_to_name(item.path))
