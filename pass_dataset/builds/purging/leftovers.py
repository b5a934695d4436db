"""What may have images and is neither archives nor a build: what work that was cut left, caches.

It is deleted if it mentions an image that is to go, as all of it is made or fetched anew when it is
wanted again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.builds.purging.mentions import Mentions
from pass_dataset.errors import FolderLockedError
from pass_dataset.files.parts import PART_SUFFIX, is_part
from pass_dataset.folders.lock import hold
from pass_dataset.folders.state import INDEX_NAME

__all__ = ["Leftover", "find_leftovers"]

#: Folders in which a build is made: ours, TFDS's (new and old), that of `datasets`.
_BUILDING = re.compile(r"\.building|incomplete\..+|.+\.incomplete[A-Za-z0-9_]*")
#: Metadata as streaming keeps it; the CSV that it was made of lies beside it.
_STREAMED, _CSV = "pass_metadata.arrow", "pass_metadata.csv"
#: What `datasets` has computed.
_COMPUTED = re.compile(r"cache-[0-9a-f]+.*\.arrow")


@dataclass(frozen=True)
class Leftover:
    """A file or folder that can go.

    Attributes:
      path: where.
      what: it is, for people.
      held: folder that whoever works on it holds; None: nobody can.
    """

    path: Path
    what: str
    held: Path | None = None

    def files(self) -> Iterator[Path]:
        """Its files."""
        if not self.path.is_dir():
            yield self.path
            return
        for folder, _, names in os.walk(self.path):
            yield from (Path(folder, name) for name in names)

    def mentions(self, listed: Mentions, advance: Callable[[int], None]) -> set[str]:
        """The images that it mentions; what cannot be looked into may have any.

        Raises:
          OSError, ValueError, EOFError: a file cannot be looked into.
        """
        found: set[str] = set()
        for path in self.files():
            found |= listed.in_file(path, advance)
        return found

    def delete(self) -> str | None:
        """Deletes it; why it was not, for people, or None."""
        try:
            with contextlib.ExitStack() as stack:
                if self.held is not None:
                    stack.enter_context(hold(self.held, wait=False))
                    if (user := _other_user(self.path)) is not None:
                        return f"in use: {user} is locked"
                if self.path.is_dir():
                    shutil.rmtree(self.path)
                else:
                    self.path.unlink()
        except FolderLockedError as error:
            return str(error)
        except OSError as error:
            return f"cannot be deleted: {error.strerror or error}"
        return None


def find_leftovers(root: Path, *, is_cache: bool = False) -> Iterator[Leftover]:
    """What is of that sort in a folder and below; links are not followed.

    Args:
      root: the folder.
      is_cache: it is the user's cache, where whatever has metadata is there to be fetched again.
    """
    for name, names, files in os.walk(root):
        folder = Path(name)
        for building in [one for one in names if _BUILDING.fullmatch(one)]:
            names.remove(building)
            yield Leftover(folder / building, "a build that was cut", folder)
        for file in files:
            path = folder / file
            if path.is_symlink():
                continue
            if is_part(file):
                yield Leftover(path, "a file that was being written", folder)
            elif file.endswith(PART_SUFFIX):
                yield Leftover(path, "a download that was cut", folder)
            elif file == INDEX_NAME:
                yield Leftover(path, "an index, made anew when it is wanted", folder)
            elif _COMPUTED.fullmatch(file):
                yield Leftover(path, "computed by datasets, and again when it is wanted")
            elif file == _STREAMED or (file == _CSV and (is_cache or _STREAMED in files)):
                yield Leftover(path, "metadata, fetched again when it is wanted", folder)


def _other_user(folder: Path) -> Path | None:
    """The lock of `datasets` on a folder that it builds in, if somebody has it."""
    whole = folder.with_name(re.sub(r"\.incomplete.*$", "", folder.name))
    name = f"{whole.as_posix().replace('/', '_')}.lock"
    for above in folder.parents:
        path = above / name
        if path.is_file():
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return path
            finally:
                os.close(handle)
    return None
