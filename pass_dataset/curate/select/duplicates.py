"""Photographs that occur twice: exactly, in bounded memory, however many there are.

Each photograph has 64 bits for its hash and for its number, which are the same for the same text.
Some of these at a time are sorted; where they are equal, the texts are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.select.gathered import read_piece
from pass_dataset.files.arrow import column_of, numbers_of, truths_of

__all__ = ["repeated"]

#: Keys that are sorted at a time: 32 MB, and three times as much for sorting.
_MOST_KEYS = 4_000_000


def repeated(
    files: Sequence[Path], column: str, key: str, most_keys: int = _MOST_KEYS
) -> npt.NDArray[np.int64]:
    """Photographs whose text was met before, counted through all files, in order (int64).

    Args:
      files: of photographs, in order, see `gathering`.
      column: the text; null where a photograph has none.
      key: the column with its 64 bits.
      most_keys: that are looked at at a time.
    """
    sizes = [read_piece(path, [key]).num_rows for path in files]
    shares = max(1, -(-sum(sizes) // most_keys))
    found = [_repeated_share(files, sizes, column, key, share, shares) for share in range(shares)]
    return np.sort(np.concatenate(found)) if found else np.zeros(0, np.int64)


def _repeated_share(
    files: Sequence[Path], sizes: Sequence[int], column: str, key: str, share: int, shares: int
) -> npt.NDArray[np.int64]:
    """Those among the keys that leave `share` when divided by `shares`."""
    keys, places, start = [], [], 0
    for path in files:
        for chunk in read_piece(path, [key])[key].chunks:
            there = np.flatnonzero(truths_of(chunk.is_valid()))
            values = numbers_of(chunk)[there]
            mine = values % np.uint64(shares) == share
            keys.append(values[mine])
            places.append(there[mine] + start)
            start += len(chunk)
    if not keys:
        return np.zeros(0, np.int64)
    all_keys, all_places = np.concatenate(keys), np.concatenate(places).astype(np.int64)
    del keys, places
    order = np.argsort(all_keys, kind="stable")
    ordered = all_keys[order]
    same = ordered[1:] == ordered[:-1]
    in_group = np.zeros(len(ordered), bool)
    in_group[1:] |= same
    in_group[:-1] |= same
    candidates = np.sort(all_places[order[in_group]])
    del all_keys, all_places, order, ordered, same, in_group
    if not len(candidates):
        return candidates
    texts = _texts(files, sizes, column, candidates)
    # The first of each text stays.
    codes = numbers_of(texts.dictionary_encode().indices)
    is_repeated = np.ones(len(candidates), bool)
    is_repeated[np.unique(codes, return_index=True)[1]] = False
    return candidates[is_repeated]


def _texts(
    files: Sequence[Path], sizes: Sequence[int], column: str, places: npt.NDArray[np.int64]
) -> pa.Array:
    """The texts of photographs, in order."""
    found, start = [], 0
    for path, size in zip(files, sizes, strict=True):
        stop = start + size
        first, last = np.searchsorted(places, (start, stop))
        if first < last:
            texts = read_piece(path, [column])[column]
            found.append(pc.take(texts, column_of(places[first:last] - start)))
        start = stop
    return pa.chunked_array([chunk for one in found for chunk in one.chunks]).combine_chunks()
