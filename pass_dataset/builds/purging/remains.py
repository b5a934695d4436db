"""What is left in a folder of images that are to go: every file looked into that nothing else read.

The search comes last. What it finds it names and leaves: these are files of somebody else.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset.archives.hash_lists import read_hash_list
from pass_dataset.builds.purging.mentions import Mentions
from pass_dataset.errors import MetadataError
from pass_dataset.folders.state import INDEX_NAME, STATE_NAMES
from pass_dataset.progress import Progress

__all__ = ["Remains", "find_remains"]

#: Files of ours that have hashes only, or none.
_OURS = STATE_NAMES - {INDEX_NAME}
#: More is no list of hashes.
_LIST_BYTES = 256 << 20


@dataclass
class Remains:
    """What a search found.

    Attributes:
      files: number of files that were looked into.
      size_bytes: of all of these.
      found: files that mention images, with these.
      closed: what could not be looked into, and why.
    """

    files: int = 0
    size_bytes: int = 0
    found: dict[Path, frozenset[str]] = field(default_factory=dict)
    closed: dict[Path, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.found or self.closed)


def find_remains(
    root: Path, listed: Mentions, known: Collection[Path], progress: Progress
) -> Remains:
    """Looks for images in all files of a folder and below, through links too.

    Args:
      root: the folder.
      listed: the images.
      known: files that were read already, resolved: they have none.
      progress: where it is shown.
    """
    remains = Remains()
    paths = [path for path in _files(root, remains) if path.resolve() not in known]
    task = progress.task("Looking for what is left", None, "bytes")
    for path in paths:
        try:
            size_bytes = path.stat().st_size
            if path.name in _OURS or _is_list(path, size_bytes):
                continue
            found = listed.in_file(path, task.advance)
        except (OSError, ValueError, EOFError) as error:
            remains.closed[path] = str(getattr(error, "strerror", None) or error)
            continue
        remains.files += 1
        remains.size_bytes += size_bytes
        if found:
            remains.found[path] = frozenset(found)
    task.finish()
    return remains


def _files(root: Path, remains: Remains) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            remains.closed[folder] = error.strerror or str(error)
            continue
        for entry in entries:
            try:
                stat = entry.stat()
                is_folder, is_file = entry.is_dir(), entry.is_file()
            except FileNotFoundError:
                continue  # a link that leads nowhere has nothing
            except OSError as error:
                remains.closed[Path(entry.path)] = error.strerror or str(error)
                continue
            place = (stat.st_dev, stat.st_ino)
            if (is_folder or is_file) and place not in seen:
                seen.add(place)
                if is_folder:
                    folders.append(Path(entry.path))
                else:
                    yield Path(entry.path)


def _is_list(path: Path, size_bytes: int) -> bool:
    """True of a list of hashes, removal lists among them: a hash alone is no image."""
    if path.suffix not in (".txt", "") or size_bytes > _LIST_BYTES:
        return False
    try:
        read_hash_list(path)
    except MetadataError:
        return False
    return True
