"""Which images of a list a file of any sort mentions: by its name, in its columns, in its bytes.

A file of ours has an image's hash beside the image wherever it has the image: as the name of a
member, of a file, or as a field. So what mentions no hash of a list has none of its images, unless
somebody else took the names away.
"""

from __future__ import annotations

import lzma
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.archives.hash_lists import is_hash
from pass_dataset.files.hashing import read_blocks

__all__ = ["Mentions"]

#: Characters of the shortest hash, see `hash_lists`.
_SHORTEST = 16
#: Names of one's own that are shorter stand everywhere by chance.
_SHORTEST_NAME = 6
#: Bytes of a piece that are looked at again with the next one: a hash may lie across both.
_OVERLAP = 64
#: A stretch of hexadecimal digits that is longer is looked through for one hash after the other.
_LONG_STRETCH = 1 << 14
_PIECE_BYTES = 8 << 20

_HEX = np.zeros(256, np.bool_)
_HEX[list(b"0123456789abcdefABCDEF")] = True

#: First bytes of what is compressed, and Arrow's name of how.
_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\x28\xb5\x2f\xfd": "zstd"}
_XZ = b"\xfd7zXZ"
_ZIP, _PARQUET, _ARROW, _ARROW_STREAM = b"PK\x03\x04", b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"


class Mentions:
    """Looks for the images of a list."""

    def __init__(self, hashes: Iterable[str]) -> None:
        """Of these images."""
        self._hashes = frozenset(hashes)
        found = frozenset(filter(is_hash, self._hashes))
        self._lengths = sorted({len(one) for one in found})
        self._names = [one for one in self._hashes - found if len(one) >= _SHORTEST_NAME]
        self._array = pa.array(sorted(self._hashes), pa.string())

    def in_file(self, path: Path, advance: Callable[[int], None] = lambda amount: None) -> set[str]:
        """The images that a file mentions.

        Args:
          path: the file.
          advance: told the bytes that were looked at; not of files with columns.

        Raises:
          OSError, ValueError, EOFError: it cannot be looked into.
        """
        found = self.in_name(path.name)
        with path.open("rb") as file:
            start = file.read(8)
        try:
            if start.startswith(_PARQUET):
                return found | self._in_columns(_parquet_columns(path))
            if start.startswith((_ARROW, _ARROW_STREAM)):
                return found | self._in_columns(_arrow_columns(path, start))
        except (pa.ArrowException, OSError):
            pass  # it only looks so, or is cut: its bytes tell
        if start.startswith(_ZIP):
            return found | self._in_zip(path)
        if start.startswith(_XZ):
            try:
                with lzma.open(path) as unpacked:
                    return found | self.in_pieces(_pieces(unpacked), advance)
            except lzma.LZMAError as error:
                raise ValueError(str(error)) from error
        for magic, name in _COMPRESSED.items():
            if start.startswith(magic):
                with pa.input_stream(str(path), compression=name) as unpacked:
                    return found | self.in_pieces(_pieces(unpacked), advance)
        return found | self.in_pieces(read_blocks(path), advance)

    def in_name(self, name: str) -> set[str]:
        """The image that a file is named by."""
        found = set()
        name = name.removeprefix("._")
        while name:
            found |= {form for form in (name, name.lower()) if form in self._hashes}
            name = name.rpartition(".")[0]
        return found

    def in_pieces(self, pieces: Iterable[bytes], advance: Callable[[int], None]) -> set[str]:
        """The images that a stream of bytes mentions."""
        found: set[str] = set()
        before = b""
        for piece in pieces:
            data = before + piece
            found |= self._in_bytes(data)
            before = data[-_OVERLAP:]
            advance(len(piece))
        return found

    def _in_bytes(self, data: bytes) -> set[str]:
        found: set[str] = set()
        if self._lengths:
            for first, last in _hexadecimal(data):
                found |= self._in_stretch(data[first:last].decode("ascii").lower())
        for name in self._names:
            if name not in found and _stands_alone(data, name.encode()):
                found.add(name)
        return found

    def _in_stretch(self, stretch: str) -> set[str]:
        if len(stretch) > _LONG_STRETCH:
            return {one for one in self._hashes if one in stretch}
        found = set()
        for length in self._lengths:
            for first in range(len(stretch) - length + 1):
                if stretch[first : first + length] in self._hashes:
                    found.add(stretch[first : first + length])
        return found

    def _in_columns(self, columns: Iterable[pa.Array | pa.ChunkedArray]) -> set[str]:
        found: set[str] = set()
        for column in columns:
            text = pc.cast(column, pa.string())
            # A name of one's own may have capitals: it is asked for as it is, too.
            for form in (text, _bare(text), _bare(pc.utf8_lower(text))):
                is_listed = pc.is_in(form, value_set=self._array)
                found.update(form.filter(is_listed).unique().to_pylist())
        return found

    def _in_zip(self, path: Path) -> set[str]:
        found: set[str] = set()
        try:
            with zipfile.ZipFile(path) as archive:
                for member in archive.infolist():
                    found |= self.in_name(member.filename.rpartition("/")[2])
                    with archive.open(member) as file:
                        found |= self.in_pieces(_pieces(file), lambda amount: None)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise ValueError(str(error)) from error
        return found


def _hexadecimal(data: bytes) -> Iterator[tuple[int, int]]:
    """Where stretches of hexadecimal digits begin and end that can be a hash."""
    is_hex = np.zeros(len(data) + 2, np.bool_)
    is_hex[1:-1] = _HEX[np.frombuffer(data, np.uint8)]
    edges = np.flatnonzero(is_hex[1:] != is_hex[:-1])
    first, last = edges[::2], edges[1::2]
    long = last - first >= _SHORTEST
    return zip(first[long].tolist(), last[long].tolist(), strict=True)


def _stands_alone(data: bytes, name: bytes) -> bool:
    at = data.find(name)
    while at >= 0:
        around = data[at - 1 : at] if at else b"", data[at + len(name) : at + len(name) + 1]
        if not any(one.isalnum() or one in (b"_", b"-") for one in around):
            return True
        at = data.find(name, at + 1)
    return False


def _bare(names: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without blanks around them, folders, and the ending of a file."""
    names = pc.utf8_trim_whitespace(names)
    return pc.replace_substring_regex(names, r"^.*/|\.[A-Za-z0-9]{1,5}$", "")


def _pieces(file: Any) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _parquet_columns(path: Path) -> Iterator[pa.ChunkedArray]:
    with pq.ParquetFile(path) as file:
        names = [
            column.path
            for column in (file.schema.column(n) for n in range(len(file.schema)))
            if str(column.logical_type) == "String"
        ]
        for group in range(file.num_row_groups):
            for name in names:
                yield from _texts(file.read_row_group(group, columns=[name]))


def _arrow_columns(path: Path, start: bytes) -> Iterator[pa.ChunkedArray]:
    with pa.memory_map(str(path)) as source:
        if start.startswith(_ARROW):
            reader = pa.ipc.open_file(source)
            batches = (reader.get_batch(n) for n in range(reader.num_record_batches))
            for batch in batches:
                yield from _texts(pa.Table.from_batches([batch]))
            return
        for batch in pa.ipc.open_stream(source):
            yield from _texts(pa.Table.from_batches([batch]))


def _texts(table: pa.Table) -> Iterator[pa.ChunkedArray]:
    """The columns of text, those within others too."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    for column in table.columns:
        kind = column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            yield column
