"""New tars of a number of images each; each gets its name when it is whole."""

from __future__ import annotations

import io
import os
import tarfile
from contextlib import ExitStack
from pathlib import Path

from pass_dataset.passify.runs.run_folder import written_whole

__all__ = ["TarShards"]


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

    def _path(self, number: int) -> Path:
        return self._folder / f"kept-{number:06d}.tar"

    def skip(self, image: int) -> bool:
        """Whether the tar of this image is there already."""
        return self._path(image // self._shard_size).exists()

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
