"""Files and where they are kept: written whole, hashed, and the user's cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = [
    "PART_SUFFIX",
    "file_sha256",
    "part_path",
    "read_blocks",
    "user_cache",
    "write_whole",
    "writing_whole",
]

PART_SUFFIX = ".part"

_BLOCK_BYTES = 4 << 20


def user_cache(kind: str) -> Path:
    """A folder of ours in the user's cache folder; it may not exist yet."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "pass_dataset" / kind


def write_whole(path: Path, data: bytes) -> None:
    """Writes a small file so that its name never stands for half of it."""
    with writing_whole(path) as file:
        file.write(data)


@contextlib.contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write; it gets its name when the block ends, and none if the block fails."""
    beside = path.with_name(f"{path.name}.{os.getpid()}{PART_SUFFIX}")
    try:
        with beside.open("wb") as file:
            yield file
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def part_path(path: Path) -> Path:
    """Where a file is kept until it is whole."""
    return path.with_name(path.name + PART_SUFFIX)


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
