"""A Hugging Face dataset saved to disk (`Dataset.save_to_disk`, `DatasetDict.save_to_disk`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.errors import SourceError
from pass_dataset.extras import require
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.file_states import FileStates, require_unchanged
from pass_dataset.passify.sources.folder_tree import read_file
from pass_dataset.passify.sources.names import name_to_text, text_to_name
from pass_dataset.passify.sources.row_names import name_column, row_keys
from pass_dataset.passify.sources.row_windows import WINDOW_ROWS, Cell, RowWindows
from pass_dataset.passify.sources.source import Kind, ListingReport, SourceItem

__all__ = ["SavedDataset"]


@dataclass(frozen=True)
class SavedDataset:
    """The images of a saved dataset, row by row.

    ``train/17`` is the path of one; where rows have names, the name stands in the number's place.

    Attributes:
      folder: what `save_to_disk` was given.
      column: the column of images; None to be told from the features.
      name_column: the column of names; None: ``hash``, where each row of a split has its own.
    """

    folder: Path
    column: str | None = None
    name_column: str | None = None

    @property
    def kind(self) -> Kind:
        return "dataset"

    def splits(self) -> Mapping[str, tuple[Any, str]]:
        """By split (``""`` if there are none): rows with undecoded images, and the column."""
        datasets = self._datasets()
        opened = {}
        for name, rows in self._loaded().items():
            column = self._image_column(rows.features, datasets.Image)
            rows = rows.select_columns([column])
            opened[name] = (rows.cast_column(column, datasets.Image(decode=False)), column)
        return opened

    @staticmethod
    def _datasets() -> Any:
        return require("datasets", feature="Reading a saved dataset", extra="hf")

    def _loaded(self) -> Mapping[str, Any]:
        datasets = self._datasets()
        try:
            loaded = datasets.load_from_disk(os.fspath(self.folder))
        except (OSError, ValueError) as error:
            raise SourceError(
                f"{self.folder}: expected what Dataset.save_to_disk writes: {error}"
            ) from error
        splits = loaded if isinstance(loaded, dict) else {"": loaded}
        return {name: splits[name] for name in sorted(splits)}

    def keys(self, container: str) -> Sequence[str | None] | None:
        """The names of a split's rows; None where it has no column of them.

        Raises:
          SourceError: it cannot be read.
        """
        rows = self._loaded()[container]
        column = name_column(rows.features.arrow_schema, self.name_column)
        if column is None:
            return None
        names: Sequence[str | None] = rows.select_columns([column])[:][column]
        return names

    def _image_column(self, features: Mapping[str, Any], image: type) -> str:
        found = [name for name, feature in features.items() if isinstance(feature, image)]
        if self.column is None and len(found) == 1:
            return found[0]
        if self.column is not None and self.column in found:
            return self.column
        raise SourceError(
            f"{self.folder}: expected one column of images, found {', '.join(found) or 'none'} "
            f"(columns: {', '.join(features)}); name one with --image-column"
        )

    def items(self, report: ListingReport) -> Iterator[SourceItem]:
        report.files.update(self._states())
        for split, (rows, _) in self.splits().items():
            prefix = f"{split}/".encode() if split else b""
            for row, key in enumerate(row_keys(self.keys(split), len(rows), self.name_column)):
                yield SourceItem(name_to_text(prefix + key), split, row)

    def _states(self) -> dict[str, FileVersion]:
        files = [path for path in self.folder.rglob("*") if path.suffix in (".arrow", ".json")]
        names = (name_to_text(bytes(path.relative_to(self.folder))) for path in files)
        return {name: FileVersion.of(path) for name, path in zip(names, files, strict=True)}

    def reader(self, states: FileStates) -> _RowReader:
        splits = self.splits()
        # What is mapped by now stays as it is, whatever takes its place.
        for name in states:
            path = os.path.join(os.fsencode(self.folder), text_to_name(name))
            require_unchanged(path, name, states)
        return _RowReader(splits)

    def file_of(self, item: SourceItem) -> bytes | None:
        return None


class _RowReader:
    def __init__(self, splits: Mapping[str, tuple[Any, str]]) -> None:
        self._splits = splits
        self._windows = RowWindows(self._window)

    def _window(self, split: str, number: int) -> Sequence[Cell]:
        rows, column = self._splits[split]
        start = number * WINDOW_ROWS
        return [_bytes_of(cell) for cell in rows[start : start + WINDOW_ROWS][column]]

    def read(self, item: SourceItem) -> bytes:
        assert item.container is not None
        assert item.start is not None
        return self._windows.cell(item.container, item.start)

    def close(self) -> None:
        self._windows.clear()


def _bytes_of(cell: Mapping[str, Any] | None) -> Cell:
    if cell is None:
        return None
    if cell["bytes"] is None and cell["path"]:
        # As `datasets` itself reads it: the row names a file of this machine. One that is not
        # there must not cost the rows beside it theirs.
        try:
            return read_file(os.fsencode(cell["path"]))
        except (OSError, SourceError) as error:
            said = getattr(error, "strerror", None) or error
            return SourceError(f"the row has no bytes, only the path {cell['path']!r}: {said}")
    data: bytes | None = cell["bytes"]
    return data
