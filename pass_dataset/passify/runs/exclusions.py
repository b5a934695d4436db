"""Opt-out lists: images that must not be looked at, nor be in what is kept.

A line names an image by its path within the source, as ``kept.txt`` writes it, or by the SHA-256 of
its file: 64 hexadecimal digits, with or without ``sha256:`` before them. One that is named by its
path is never read; one that is named by its hash is read to be known, and no further.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.passify.sources.list_file import read_lines
from pass_dataset.passify.sources.names import name_to_text

__all__ = ["Exclusions"]

_SHA256 = re.compile(rb"(?:sha256:)?([0-9a-f]{64})", re.IGNORECASE)


@dataclass(frozen=True)
class Exclusions:
    """What a list names.

    Attributes:
      paths: paths within the source, as text.
      hashes: SHA-256 of files, as hexadecimal text.
    """

    paths: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()

    @classmethod
    def load(cls, path: Path) -> Exclusions:
        """Reads a list.

        Raises:
          SourceError: it cannot be read.
        """
        paths, hashes = set(), set()
        for _, line in read_lines(bytes(path)):
            match = _SHA256.fullmatch(line)
            if match:
                hashes.add(match[1].decode().lower())
            else:
                paths.add(name_to_text(line))
        return cls(frozenset(paths), frozenset(hashes))

    def __len__(self) -> int:
        return len(self.paths) + len(self.hashes)
