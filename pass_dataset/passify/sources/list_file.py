"""A list of image files, one a line."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.archives.list_lines import entries, entry_of, in_utf8
from pass_dataset.errors import SourceError
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.file_states import FileStates, require_unchanged
from pass_dataset.passify.sources.folder_tree import FileReader
from pass_dataset.passify.sources.names import name_to_text, text_to_name
from pass_dataset.passify.sources.source import Kind, ListingReport, SourceItem

__all__ = ["ListFile", "read_lines"]


def read_lines(path: bytes) -> Iterator[tuple[int, bytes]]:
    """Numbers and contents of the lines of a list that are not empty; names are still escaped.

    Raises:
      SourceError: it cannot be read.
    """
    try:
        data = in_utf8(Path(os.fsdecode(path)).read_bytes())
    except OSError as error:
        raise SourceError(f"{os.fsdecode(path)}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SourceError(f"{os.fsdecode(path)}: cannot be read as text: {error}") from error
    return entries(data)


@dataclass(frozen=True)
class ListFile:
    """The images that a list names, in its order.

    An image's path is the line as it stands, or what a line means that was printed by `sha256sum`.
    Where no file is called as the line says, the file counts that it may mean: without the blanks
    at its end, with accents stored otherwise. A line that begins with ``#`` and names no file is a
    comment.

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
            report.files[self._name] = FileVersion.of(self.path)
        except OSError as error:
            raise SourceError(f"{os.fsdecode(self.path)}: {error.strerror}") from error
        for number, line in read_lines(self.path):
            try:
                names = entry_of(line).names
            except ValueError as error:
                raise SourceError(f"{os.fsdecode(self.path)}: line {number}: {error}") from error
            if not names:
                report.add_unreadable(f"line {number}: a checksum names no file to be read")
                continue
            name = self._named(names)
            if name is not None:
                yield SourceItem(name_to_text(name))

    def _named(self, names: tuple[bytes, ...]) -> bytes | None:
        """Which of the names that a line may mean is a file; None for a comment."""
        # Nearly always there is one, and no file has to be asked for.
        meant = list(names)
        text = os.fsdecode(names[0])
        if not text.isascii():
            meant += [os.fsencode(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")]
        if len(meant) == 1 and not meant[0].startswith(b"#"):
            return meant[0]
        there = (name for name in meant if os.path.lexists(os.path.join(self.root, name)))
        found = next(there, None)
        if found is not None:
            return found
        return None if names[0].lstrip().startswith(b"#") else names[0]

    @property
    def _name(self) -> str:
        return name_to_text(os.path.basename(self.path))  # noqa: PTH119

    def reader(self, states: FileStates) -> FileReader:
        # What is read does not depend on it. But who changed the list means other images.
        require_unchanged(self.path, self._name, states)
        return FileReader(self.root)

    def file_of(self, item: SourceItem) -> bytes | None:
        return os.path.join(self.root, text_to_name(item.path))
