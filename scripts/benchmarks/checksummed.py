"""Files that are hashed while they are written, and the checksum file that lists them."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

WRITE_BYTES = 1 << 20


@dataclass(frozen=True)
class FileFacts:
    """Name, size and SHA-256 of a finished file: one line of a checksum file."""

    filename: str
    size_bytes: int
    sha256: str


class HashedWriter:
    """Writes to an open file in large pieces, counting and hashing them."""

    def __init__(self, file: io.FileIO) -> None:
        self.size_bytes = 0
        self._file = file
        self._sha256 = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def write(self, piece: bytes) -> None:
        """Append `piece`."""
        self._waiting.append(piece)
        self._waiting_bytes += len(piece)
        self.size_bytes += len(piece)
        if self._waiting_bytes >= WRITE_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand what is waiting to the system."""
        joined = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        self._sha256.update(joined)
        left = memoryview(joined)
        while left:
            left = left[self._file.write(left) :]

    def facts(self, filename: str) -> FileFacts:
        """Size and hash of all that was flushed, as those of `filename`."""
        return FileFacts(filename, self.size_bytes, self._sha256.hexdigest())


@contextlib.contextmanager
def hashed_file(path: Path) -> Iterator[HashedWriter]:
    """A writer to `NAME.part`, which gets its name once all is written and goes on failure."""
    part = path.with_name(path.name + ".part")
    try:
        with io.FileIO(part, "w") as file:
            writer = HashedWriter(file)
            yield writer
            writer.flush()
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_checksums(
    path: Path, version: str, num_examples: int, files: Iterable[FileFacts], base_url: str = ""
) -> None:
    """Write a checksum file in the package's format; without `base_url` files have no URL.

    Written here anew, so that these scripts can judge what the package's own command writes.
    """
    lines = [f"# version\t{version}", f"# num_examples\t{num_examples}"]
    for file in files:
        url = base_url + file.filename if base_url else "-"
        lines.append(f"{url}\t{file.size_bytes}\t{file.sha256}\t{file.filename}")
    with hashed_file(path) as out:
        out.write(("\n".join(lines) + "\n").encode("utf-8"))
