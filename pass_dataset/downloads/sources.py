"""Where the bytes of a file come from: an HTTP server or a folder, opened at an offset.

A source either hands out a stream of the right file at a known offset, or raises a `Failure` that
says whether to ask again. Errors of the network library become failures here and nowhere else.
"""

from __future__ import annotations

import io
import os
import re
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import requests

from pass_dataset.downloads.connections import Connections
from pass_dataset.downloads.retries import Misfit, Passing, Permanent, parse_retry_after
from pass_dataset.errors import DownloadError
from pass_dataset.releases.addresses import address_in, check_address, public_address
from pass_dataset.releases.release import ReleaseFile

__all__ = ["FileSource", "HttpSource", "Source", "Stream", "sources_for", "stated_size"]

_READ_BYTES = 1 << 20
#: Up to ten exabytes; of far more digits Python makes no number.
_NUMBER = r"\d{1,19}"
_CONTENT_LENGTH = re.compile(_NUMBER)
_CONTENT_RANGE = re.compile(rf"bytes ({_NUMBER})-({_NUMBER})/({_NUMBER}|\*)")
#: 4xx answers that pass with time: request timeout, too early, too many requests.
_PASSING_4XX = frozenset({408, 425, 429})


class Stream(Protocol):
    """Bytes of a file from `start` on.

    Attributes:
      start: position of the first byte.
      is_measured: it was said where the bytes end, so an early end is noticed as one.
      has_end_mark: it was not said, but the end is marked: an early one is no broken connection.
    """

    start: int
    is_measured: bool
    has_end_mark: bool

    def read(self) -> bytes:
        """Some bytes, as soon as there are any; empty at the end. Raises `Passing`."""

    def read_into(self, memory: memoryview) -> int:
        """The same into memory; how many there were, 0 at the end. Raises `Passing`."""

    def close(self) -> None:
        """Lets go of the connection or the file."""


class Source(Protocol):
    """One place that has a file."""

    @property
    def host(self) -> str:
        """What is shared by all files of the place, to be left alone together."""

    def open(self, start: int, stop: int | None = None) -> Stream:
        """Opens the file at an offset; the stream may start before it.

        Args:
          start: the first byte wanted.
          stop: one past the last byte wanted; None for the end. The stream may end elsewhere.

        Raises:
          Failure: it cannot be had.
        """


def sources_for(
    file: ReleaseFile, mirrors: tuple[str, ...], connections: Connections
) -> list[Source]:
    """All places of a file, in the order to be tried: the mirrors, then where it is published.

    Args:
      mirrors: base URLs (``http://``, ``https://``, ``file://``); each has the file by its name. A
        query, such as a token, is sent with the name of each file.

    Raises:
      DownloadError: a mirror is no such URL.
    """
    sources: list[Source] = []
    urls = [address_in(mirror, file.filename) for mirror in mirrors]
    for url in [*urls, *([file.url] if file.url else [])]:
        path = _path_of(url)
        if path is not None:
            sources.append(FileSource(path, file.size_bytes))
            continue
        try:
            check_address(url)
        except ValueError as error:
            raise DownloadError(
                f"{public_address(url)[:200]}: expected a mirror such as https://host/folder/ or "
                f"file:///folder/; {error}"
            ) from error
        sources.append(HttpSource(url, file.size_bytes, connections))
    return sources


def _path_of(url: str) -> Path | None:
    """The path of a file that this machine can read; None for any other address."""
    if not url.lower().startswith("file:"):
        return None
    try:
        parsed = urllib.parse.urlsplit(url)
    except ValueError:
        return None
    if parsed.netloc not in ("", "localhost"):
        return None
    return Path(urllib.request.url2pathname(parsed.path))


@dataclass(frozen=True)
class FileSource:
    """A file in a folder that this machine can read."""

    path: Path
    size_bytes: int

    def __str__(self) -> str:
        return str(self.path)

    @property
    def host(self) -> str:
        return ""

    def open(self, start: int, stop: int | None = None) -> Stream:
        try:
            handle = self.path.open("rb", buffering=0)
        except OSError as error:
            raise Permanent(f"cannot be read: {error.strerror or error}") from error
        # Of what was opened: at its path there may be another file by now.
        size = os.fstat(handle.fileno()).st_size
        if size != self.size_bytes:
            handle.close()
            raise Permanent(f"is {size:,} bytes, expected {self.size_bytes:,}")
        handle.seek(start)
        return _FileStream(handle, start)


class _FileStream:
    is_measured = True
    has_end_mark = False

    def __init__(self, handle: io.FileIO, start: int) -> None:
        self.start = start
        self._handle = handle

    def read(self) -> bytes:
        try:
            return self._handle.read(_READ_BYTES)
        except OSError as error:
            raise Passing(f"reading failed: {error.strerror or error}") from error

    def read_into(self, memory: memoryview) -> int:
        try:
            return self._handle.readinto(memory)
        except OSError as error:
            raise Passing(f"reading failed: {error.strerror or error}") from error

    def close(self) -> None:
        self._handle.close()


@dataclass(frozen=True)
class HttpSource:
    """A file on an HTTP server, asked for by byte range."""

    url: str = field(repr=False)
    size_bytes: int
    connections: Connections

    def __str__(self) -> str:
        return public_address(self.url)

    @property
    def host(self) -> str:
        return urllib.parse.urlsplit(self.url).netloc

    def open(self, start: int, stop: int | None = None) -> Stream:
        # Any transfer coding would make Content-Length and offsets speak of other bytes.
        headers = {"Accept-Encoding": "identity"}
        if start or stop is not None:
            headers["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
        response = self.connections.get(self.url, headers)
        try:
            return _HttpStream(self.connections, response, self._accepted_start(response, start))
        except BaseException:
            response.close()
            raise

    def _accepted_start(self, response: requests.Response, start: int) -> int:
        """Offset of the body's first byte, once the answer is known to be about our file."""
        if response.status_code == 416:
            raise Misfit(
                f"{_answer(response)}: it has no byte {start:,}, expected {self.size_bytes:,} bytes"
            )
        _refuse_other(response, self.connections)
        if response.status_code == 206:
            return self._range_start(response, start)
        size_bytes = _measured_size(response)
        if size_bytes is not None and size_bytes != self.size_bytes:
            raise Misfit(f"is {size_bytes:,} bytes there, expected {self.size_bytes:,}")
        return 0

    def _range_start(self, response: requests.Response, start: int) -> int:
        header = response.headers.get("Content-Range", "")
        match = _CONTENT_RANGE.fullmatch(header.strip())
        if match is None:
            raise Passing(f"HTTP 206 with Content-Range {header[:100]!r}")
        if match[3] not in ("*", str(self.size_bytes)):
            raise Misfit(f"is {int(match[3]):,} bytes there, expected {self.size_bytes:,}")
        if int(match[1]) != start:
            raise Misfit(f"sent bytes from {int(match[1]):,} on, asked from {start:,} on")
        return start


def stated_size(response: requests.Response, connections: Connections) -> int:
    """Size that a server states for a whole file.

    Raises:
      Failure: it states none, or sends something else.
    """
    _refuse_other(response, connections)
    size_bytes = _measured_size(response)
    if response.status_code != 200 or size_bytes is None:
        raise Passing(f"{_answer(response)} without the size of the file")
    return size_bytes


def _answer(response: requests.Response) -> str:
    reason = " ".join((response.reason or "").split())[:100]
    return f"HTTP {response.status_code} {reason}".rstrip()


def _refuse_other(response: requests.Response, connections: Connections) -> None:
    """Refuses an answer that is no file, or not the file as it is, though that was asked for.

    Raises:
      Failure: another status, a page, or a body that is compressed or otherwise encoded.
    """
    status = response.status_code
    if status not in (200, 206):
        if status in _PASSING_4XX or status >= 500:
            retry_after = response.headers.get("Retry-After")
            wall_s = connections.clock.wall()
            raise Passing(_answer(response), parse_retry_after(retry_after, wall_s))
        raise Permanent(_answer(response))
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity"):
        raise Misfit(f"sent with Content-Encoding {coding[:100]!r}, expected the file as it is")
    # Rate limits, logins and outages arrive as pages with status 200.
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if status == 200 and kind in ("text/html", "application/xhtml+xml"):
        raise Passing("HTTP 200 with an HTML page in place of the file")


def _measured_size(response: requests.Response) -> int | None:
    """Bytes that the body is said to have; None if that is not said.

    Raises:
      Passing: it is said by what is no such number.
    """
    length = response.headers.get("Content-Length")
    if length is None:
        return None
    if not _CONTENT_LENGTH.fullmatch(length.strip()):
        shown = length if len(length) <= 40 else f"{length[:20]}… ({len(length):,} characters)"
        raise Passing(f"sent with Content-Length {shown!r}, expected a number of bytes")
    return int(length)


class _HttpStream:
    def __init__(self, connections: Connections, response: requests.Response, start: int) -> None:
        self.start = start
        # A range is measured by its Content-Range.
        self.is_measured = response.status_code == 206 or "Content-Length" in response.headers
        self.has_end_mark = bool(getattr(response.raw, "chunked", False))
        self._connections = connections
        self._response = response
        self._at_start = start == 0

    def read(self) -> bytes:
        data = self._connections.read(self._response, _READ_BYTES)
        self._refuse_page(data)
        return data

    def read_into(self, memory: memoryview) -> int:
        size_bytes = self._connections.read_into(self._response, memory)
        if self._at_start:
            self._refuse_page(bytes(memory[:size_bytes]))
        return size_bytes

    def _refuse_page(self, data: bytes) -> None:
        if self._at_start and data:
            self._at_start = False
            # Neither a tar nor a CSV begins like this; servers do send pages as octet-stream.
            if data.lstrip()[:1] == b"<":
                raise Passing("HTTP 200 with an HTML page in place of the file")

    def close(self) -> None:
        self._response.close()
