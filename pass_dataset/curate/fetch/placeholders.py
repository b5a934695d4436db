"""Bytes that stand for many photographs: what a server gives in place of those that it lost.

Found by identity, over all that was fetched, so whichever was fetched first does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from pass_dataset.curate.fetch.receipts import load_receipts

__all__ = ["Placeholder", "find_placeholders"]

_BITS_CHARACTERS = 16


class Placeholder(NamedTuple):
    """Bytes that many photographs have.

    Attributes:
      sha256: of them.
      size_bytes: number.
      copies: photographs that have them.
    """

    sha256: str
    size_bytes: int
    copies: int


def find_placeholders(receipts: Iterable[Path], copies: int) -> list[Placeholder]:
    """What at least so many photographs have in common; most first.

    Takes some 24 bytes of memory for each photograph: digests are counted by their first 64 bits,
    and those that are many looked at whole.

    Args:
      receipts: files of all shards.
      copies: least number of photographs; 0: none is found.

    Raises:
      CurationError: a file cannot be read.
    """
    paths = list(receipts)
    if not copies or not paths:
        return []
    beginnings, counts = np.unique(
        np.concatenate([_beginnings(path) for path in paths]), return_counts=True
    )
    many = beginnings[counts >= copies]
    found: dict[tuple[str, int], int] = {}
    for path in paths if len(many) else []:
        table = _imaged(path)
        table = table.filter(np.isin(_beginnings_of(table["sha256"].to_pylist()), many))
        for digest, size in zip(
            table["sha256"].to_pylist(), table["size_bytes"].to_pylist(), strict=True
        ):
            found[digest, size] = found.get((digest, size), 0) + 1
    listed = [
        Placeholder(digest, size, number)
        for (digest, size), number in found.items()
        if number >= copies
    ]
    return sorted(listed, key=lambda one: (-one.copies, one.sha256))


def _imaged(path: Path):  # type: ignore[no-untyped-def]
    table = load_receipts(path, ["sha256", "size_bytes"])
    return table.filter(pc.is_valid(table["sha256"]))


def _beginnings(path: Path) -> npt.NDArray[np.uint64]:
    return _beginnings_of(_imaged(path)["sha256"].to_pylist())


def _beginnings_of(digests: list[str]) -> npt.NDArray[np.uint64]:
    data = bytes.fromhex("".join(digest[:_BITS_CHARACTERS] for digest in digests))
    return np.frombuffer(data, np.uint64)
