"""SQLite over HTTP: a file system for APSW in which there is one file, on a server."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from pass_dataset.curate.select.remote import RemoteBytes
from pass_dataset.errors import CurationError, DownloadError
from pass_dataset.extras import require

__all__ = ["Blocks", "open_remote", "round_numbers"]

_BLOCK_BYTES = 1 << 16
#: 16 MiB: the pages above the leaves stay, and rows that go over into near pages are at hand.
_MOST_BLOCKS = 256
#: A block so near after the last one is read on to, with what is between.
_NEAR_BLOCKS = 16
_MOST_ELSEWHERE = 4
#: Digits of numbers with a fraction as SQLite printed them before 3.52 (sqlite.org/floatingpoint).
_DIGITS = 15


class Blocks:
    """A file in blocks, those that were read last kept.

    A table is read from beginning to end, so the next block is asked for with many after it; a
    block elsewhere (the rest of a long row, the inner pages) is asked for by itself.
    """

    def __init__(self, remote: RemoteBytes) -> None:
        self._remote = remote
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._last = -_NEAR_BLOCKS - 1
        self._elsewhere = 0

    def read(self, size_bytes: int, position: int) -> bytes:
        """Bytes of the file; fewer at its end."""
        block, within = divmod(position, _BLOCK_BYTES)
        kept = self._kept.get(block)
        if kept is None:
            kept = self._fetched(block)
        data = kept[within : within + size_bytes]
        if len(data) < size_bytes and len(kept) == _BLOCK_BYTES:
            data += self.read(size_bytes - len(data), position + len(data))
        return data

    def _fetched(self, block: int) -> bytes:
        if self._last < block <= self._last + _NEAR_BLOCKS:
            data = self._remote.read(_BLOCK_BYTES, block * _BLOCK_BYTES)
            self._last, self._elsewhere = block, 0
        else:
            data = self._remote.read_single(_BLOCK_BYTES, block * _BLOCK_BYTES)
            self._elsewhere += 1
            if self._elsewhere >= _MOST_ELSEWHERE:  # it is elsewhere that the table goes on
                self._last, self._elsewhere = block, 0
        self._kept[block] = data
        if len(self._kept) > _MOST_BLOCKS:
            self._kept.popitem(last=False)
        return data


def round_numbers(apsw: Any, connection: Any) -> None:
    """Has numbers printed by whichever SQLite as they were written.

    What is stored is off by a bit where the SQLite that stored it was an old one: two digits more
    would show that.

    Args:
      apsw: the module.
      connection: of it.
    """
    if hasattr(apsw, "SQLITE_DBCONFIG_FP_DIGITS"):
        connection.config(apsw.SQLITE_DBCONFIG_FP_DIGITS, _DIGITS)


@contextlib.contextmanager
def open_remote(url: str, size_bytes: int, shown: str) -> Iterator[Any]:
    """Opens a SQLite file on a server.

    Args:
      url: of the file.
      size_bytes: of the file.
      shown: what messages call it.

    Raises:
      MissingExtraError: APSW is not installed.
      DownloadError: the server does not send what is asked for.
      CurationError: it cannot be read as SQLite.
    """
    apsw = require("apsw", feature="SQLite on a server", extra="curate")
    failures: list[DownloadError] = []

    class File(apsw.VFSFile):  # type: ignore[name-defined,misc]
        def __init__(self, blocks: Blocks, size: int) -> None:
            self._blocks, self._size = blocks, size

        def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
            try:
                return self._blocks.read(amount, offset)
            except DownloadError as error:  # SQLite knows nothing but that reading failed
                failures.append(error)
                raise apsw.IOError(str(error)) from error

        def xFileSize(self) -> int:  # noqa: N802
            return self._size

        def xClose(self) -> None:  # noqa: N802
            pass

        def xLock(self, level: int) -> None:  # noqa: N802
            pass

        def xUnlock(self, level: int) -> None:  # noqa: N802
            pass

        def xCheckReservedLock(self) -> bool:  # noqa: N802
            return False

        def xSectorSize(self) -> int:  # noqa: N802
            return 4096

        def xDeviceCharacteristics(self) -> int:  # noqa: N802
            return int(apsw.SQLITE_IOCAP_IMMUTABLE)

        def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: N802
            return False

    class System(apsw.VFS):  # type: ignore[name-defined,misc]
        def __init__(self, remote: RemoteBytes) -> None:
            self._remote = remote
            self.name = f"pass-dataset-{id(self)}"
            super().__init__(self.name, base="")

        def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802
            return File(Blocks(self._remote), self._remote.size_bytes)

        def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
            return False

        def xFullPathname(self, name: str) -> str:  # noqa: N802
            return name

    remote = RemoteBytes(url, size_bytes)
    try:
        system = System(remote)
        with contextlib.closing(
            apsw.Connection(
                "file:metadata?immutable=1",
                flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
                vfs=system.name,
            )
        ) as connection:
            round_numbers(apsw, connection)
            yield connection
    except apsw.Error as error:
        if failures:
            raise failures[-1] from error
        raise CurationError(f"{shown}: cannot be read as SQLite: {error}") from error
    finally:
        remote.close()
