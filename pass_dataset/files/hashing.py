"""Files read in blocks, and their SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["file_sha256", "read_blocks"]

_BLOCK_BYTES = 4 << 20


def read_blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as handle:
        while block := handle.read(_BLOCK_BYTES):
            yield block


def file_sha256(path: Path, advance: Callable[[int], None] = lambda amount: None) -> str:
    """SHA-256 of a file, lower-case hexadecimal; `advance` is told the bytes as they are read."""
    digest = hashlib.sha256()
    for block in read_blocks(path):
        digest.update(block)
        advance(len(block))
    return digest.hexdigest()
