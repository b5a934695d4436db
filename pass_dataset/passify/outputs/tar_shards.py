"""New tars of a number of images each; each gets its name when it is whole."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from contextlib import ExitStack
from pathlib import Path

from pass_dataset.archives.tars import read_members
from pass_dataset.errors import ArchiveError, RunError
from pass_dataset.executors.shard_folder import written_whole

__all__ = ["StoredTar", "TarShards"]


class StoredTar:
    """A tar that an earlier call wrote.

    Attributes:
      path: of it.
    """

    def __init__(self, path: Path) -> None:
        """Lists it.

        Raises:
          RunError: it cannot be read, or not to its end.
        """
        self.path = path
        try:
            self._places = {
                os.fsencode(member.name): (member.offset, member.size_bytes)
                for member in read_members(path)
            }
        except ArchiveError as error:
            raise RunError(f"{error} Remove the tar and export again.") from error

    def sha256(self, name: bytes) -> str | None:
        """Hash of a member; None if there is none of that name. Raises OSError."""
        place = self._places.get(name)
        if place is None:
            return None
        with self.path.open("rb") as file:
            file.seek(place[0])
            return hashlib.sha256(file.read(place[1])).hexdigest()


class TarShards:
    """Writes members one after the other, into ``kept-000000.tar`` and so on.

    The same members give the same bytes: no times and no owners are stored.
    """

    def __init__(self, folder: Path, shard_size: int) -> None:
        self._folder = folder
        self._shard_size = shard_size
        self._number: int | None = None
        self._open = ExitStack()
        self._tar: tarfile.TarFile | None = None
        self._stored: StoredTar | None = None

    def _path(self, number: int) -> Path:
        return self._folder / f"kept-{number:06d}.tar"

    def stored(self, image: int) -> StoredTar | None:
        """The tar of this image, if it is there already.

        Raises:
          RunError: it is, and cannot be read.
        """
        path = self._path(image // self._shard_size)
        if not path.exists():
            return None
        if self._stored is None or self._stored.path != path:
            self._stored = StoredTar(path)
        return self._stored

    def add(self, image: int, name: bytes, data: bytes) -> None:
        """Adds a member that belongs to this image; images come in rising order."""
        number = image // self._shard_size
        if number != self._number:
            self.close()
            # Unless it is closed, it does not get its name.
            file = self._open.enter_context(written_whole(self._path(number)))
            # GNU's format: names of any bytes and any length.
            self._tar = tarfile.open(  # noqa: SIM115  (closed by `close`)
                fileobj=file, mode="w", format=tarfile.GNU_FORMAT
            )
            self._number = number
        assert self._tar is not None
        member = tarfile.TarInfo(os.fsdecode(name))
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))

    def close(self) -> None:
        """Ends the tar that is being written."""
        if self._tar is not None:
            self._tar.close()
            self._tar = None
        self._open.close()
