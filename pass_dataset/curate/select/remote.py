"""A file on a web server, read at any place over one connection that may break."""

from __future__ import annotations

import io
import threading
import urllib.parse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pass_dataset.archives.streaming.reader import RangeReader
    from pass_dataset.downloads.retries import RetryPolicy

__all__ = ["RemoteBytes", "RemoteFile", "name_of"]


def name_of(url: str) -> str:
    """The file's name in an address."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
    return path.rstrip("/").rpartition("/")[2] or "metadata"


class RemoteBytes:
    """Bytes of a file by position; one connection, kept open, and asked again after a cut."""

    def __init__(
        self, url: str, size_bytes: int | None = None, policy: RetryPolicy | None = None
    ) -> None:
        """Asks for the size if it is not given.

        Args:
          url: http or https.
          size_bytes: of the file, if known.
          policy: how patient to be; None for the downloader's patience.

        Raises:
          DownloadError: the server does not answer, or states no size.
        """
        # Metadata is mostly here, and all of this would take a worker longer to import than the
        # rest of it.
        from pass_dataset.downloads.connections import Connections
        from pass_dataset.downloads.retries import RetryPolicy
        from pass_dataset.downloads.single_file import file_size

        self.url = url
        policy = policy or RetryPolicy()
        self._connections = Connections(policy)
        self.size_bytes = (
            size_bytes if size_bytes is not None else file_size(url, self._connections)
        )
        self._onward = self._reader(policy, self.size_bytes)
        self._single = self._reader(policy, 0)

    def _reader(self, policy: RetryPolicy, stop: int) -> RangeReader:
        # As above.
        from pass_dataset.archives.streaming.reader import RangeReader
        from pass_dataset.downloads.retries import HostGate
        from pass_dataset.downloads.sources import HttpSource
        from pass_dataset.releases.release import ReleaseFile

        source = HttpSource(self.url, self.size_bytes, self._connections)
        return RangeReader(
            ReleaseFile(name_of(self.url), self.size_bytes, "", self.url),
            [source],
            policy=policy,
            gate=HostGate(),
            connection=threading.Lock(),
            stop=stop,
        )

    def read(self, size_bytes: int, position: int) -> bytes:
        """Bytes to be followed by those after them: more is asked for than is wanted now.

        Raises:
          DownloadError: they cannot be had.
        """
        self._onward.forget(position)
        return self._onward.read(size_bytes, position)

    def read_single(self, size_bytes: int, position: int) -> bytes:
        """Bytes by themselves: no more is asked for.

        Raises:
          DownloadError: they cannot be had.
        """
        data = self._single.read(size_bytes, position)
        self._single.forget(position + size_bytes)
        return data

    def close(self) -> None:
        """Lets go of the connection."""
        self._connections.session.close()


class RemoteFile(io.RawIOBase):
    """The same as a file that Python and Arrow read and seek in."""

    def __init__(self, bytes_of: RemoteBytes) -> None:
        self._bytes = bytes_of
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._bytes.size_bytes}
        self._position = base[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        data = self._bytes.read(len(buffer), self._position)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        self._bytes.close()
        super().close()
