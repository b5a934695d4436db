"""Where the tars of a release are read from."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass, field

from pass_dataset.archives.streaming.made_anew import MadeAnew
from pass_dataset.archives.streaming.reader import FIRST_BYTES, RangeReader
from pass_dataset.downloads.connections import Connections
from pass_dataset.downloads.retries import HostGate, RetryPolicy
from pass_dataset.downloads.sources import sources_for
from pass_dataset.releases.release import Release, ReleaseFile
from pass_dataset.shown import shown

__all__ = ["Place", "jpeg_at"]

logger = logging.getLogger(__name__)

_JPEG_START = b"\xff\xd8"


@dataclass
class Place(MadeAnew):
    """Where a release is read from, with the connection of this process.

    Attributes:
      release: the files.
      mirrors: base URLs tried first.
      policy: how patient to be.
    """

    release: Release
    mirrors: tuple[str, ...] = field(repr=False)
    policy: RetryPolicy
    _process: int | None = field(default=None, init=False, repr=False, compare=False)
    _connections: Connections | None = field(default=None, init=False, repr=False, compare=False)
    _gate: HostGate = field(default_factory=HostGate, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False, compare=False
    )

    def reader(
        self, file: ReleaseFile, stop: int, before: RangeReader | None = None
    ) -> RangeReader:
        """A reader of a file, up to some byte as far as is known.

        Args:
          before: another one of this process that is done with; its memory is taken over.
        """
        sources = sources_for(file, self.mirrors, self._open_connections())
        return RangeReader(
            file,
            sources,
            policy=self.policy,
            gate=self._gate,
            connection=self._lock,
            stop=stop,
            first_bytes=FIRST_BYTES if before is None else before.ask_bytes,
            memory=None if before is None else before.memory,
        )

    def _open_connections(self) -> Connections:
        # After a fork the parent's connection is still there, and two would talk over one.
        if self._connections is None or self._process != os.getpid():
            self._connections = Connections(self.policy)
            self._gate = HostGate()
            self._lock = threading.Lock()
            self._process = os.getpid()
        return self._connections


def jpeg_at(reader: RangeReader, tar: str, found: str, offset: int, size_bytes: int) -> memoryview:
    """The bytes of an image where they were read to; fetched again if they begin like no JPEG's."""
    jpeg = reader.view(size_bytes, offset)
    if jpeg[:2] == _JPEG_START:
        return jpeg
    reader.distrust()
    again = reader.view(size_bytes, offset)
    if again[:2] != _JPEG_START:
        # Twice the same: so it is in the tar, and a build would have the same bytes.
        logger.warning("%s: image %s does not begin like a JPEG", tar, shown(found))
    return again
