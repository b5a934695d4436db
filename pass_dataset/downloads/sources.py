"""Where the bytes of a file come from: an HTTP server or a folder, opened at an offset.

A source either hands out a stream of the right file at a known offset, or raises a `Failure` that
says whether to ask again. Errors of the network library become failures here and nowhere else.
"""

from __future__ import annotations

import re
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import requests
import urllib3.exceptions

from pass_dataset.downloads.retries import (
    Clock,
    Misfit,
    Passing,
    Permanent,
    RetryPolicy,
    parse_retry_after,
)
from pass_dataset.errors import DownloadError
from pass_dataset.releases.release import ReleaseFile

__all__ = ["FileSource", "HttpSource", "Source", "Stream", "sources_for"]

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
    file: ReleaseFile,
    mirrors: tuple[str, ...],
    session: requests.Session,
    policy: RetryPolicy,
    clock: Clock,
) -> list[Source]:
    """All places of a file, in the order to be tried: the mirrors, then where it is published.

    Args:
      mirrors: base URLs (``http://``, ``https://``, ``file://``); each has the file by its name.

    Raises:
      DownloadError: a mirror is no such URL.
    """
    sources: list[Source] = []
    urls = [f"{mirror.rstrip('/')}/{urllib.parse.quote(file.filename)}" for mirror in mirrors]
    for url in [*urls, *([file.url] if file.url else [])]:
        parsed = urllib.parse.urlsplit(url)
        if parsed.scheme == "file" and parsed.netloc in ("", "localhost"):
            path = Path(urllib.request.url2pathname(parsed.path))
            sources.append(FileSource(path, file.size_bytes))
        elif parsed.scheme in ("http", "https") and parsed.netloc:
            sources.append(HttpSource(url, file.size_bytes, session, policy, clock))
        else:
            raise DownloadError(
                f"{url}: expected a mirror such as https://host/folder/ or file:///folder/"
            )
    return sources


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
            size = self.path.stat().st_size
        except OSError as error:
            raise Permanent(f"cannot be read: {error.strerror or error}") from error
        if size != self.size_bytes:
            handle.close()
            raise Permanent(f"is {size:,} bytes, expected {self.size_bytes:,}")
        handle.seek(start)
        return _FileStream(handle, start)


class _FileStream:
    is_measured = True
    has_end_mark = False

    def __init__(self, handle: BinaryIO, start: int) -> None:
        self.start = start
        self._handle = handle

    def read(self) -> bytes:
        try:
            return self._handle.read(_READ_BYTES)
        except OSError as error:
            raise Passing(f"reading failed: {error.strerror or error}") from error

    def close(self) -> None:
        self._handle.close()


@dataclass(frozen=True)
class HttpSource:
    """A file on an HTTP server, asked for by byte range."""

    url: str
    size_bytes: int
    session: requests.Session
    policy: RetryPolicy
    clock: Clock

    def __str__(self) -> str:
        return self.url

    @property
    def host(self) -> str:
        return urllib.parse.urlsplit(self.url).netloc

    def open(self, start: int, stop: int | None = None) -> Stream:
        # Any transfer coding would make Content-Length and offsets speak of other bytes.
        headers = {"Accept-Encoding": "identity"}
        if start or stop is not None:
            headers["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
        response = self._get(headers)
        try:
            return _HttpStream(response, self._accepted_start(response, start))
        except BaseException:
            response.close()
            raise

    def _get(self, headers: dict[str, str]) -> requests.Response:
        permanent = (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
            requests.exceptions.TooManyRedirects,
        )
        timeout = (self.policy.connect_timeout_s, self.policy.stall_timeout_s)
        try:
            return self.session.get(self.url, headers=headers, stream=True, timeout=timeout)
        except permanent as error:
            raise Permanent(f"cannot be asked for: {error}") from error
        except requests.exceptions.RequestException as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Permanent(f"certificate not trusted: {_short(error)}") from error
            raise Passing(f"no answer: {_short(error)}") from error

    def _accepted_start(self, response: requests.Response, start: int) -> int:
        """Offset of the body's first byte, once the answer is known to be about our file."""
        status = response.status_code
        answer = f"HTTP {status} {response.reason or ''}".rstrip()
        if status in (200, 206):
            _refuse_encoded(response)
        if status == 206:
            return self._range_start(response, start)
        if status == 200:
            self._check_whole(response)
            return 0
        if status == 416:
            raise Misfit(f"{answer}: it has no byte {start:,}, expected {self.size_bytes:,} bytes")
        if status in _PASSING_4XX or status >= 500:
            retry_after = response.headers.get("Retry-After")
            raise Passing(answer, parse_retry_after(retry_after, self.clock.wall()))
        raise Permanent(answer)

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

    def _check_whole(self, response: requests.Response) -> None:
        # Rate limits, logins and outages arrive as pages with status 200.
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in ("text/html", "application/xhtml+xml"):
            raise Passing("HTTP 200 with an HTML page in place of the file")
        length = response.headers.get("Content-Length", "")
        if _CONTENT_LENGTH.fullmatch(length) and int(length) != self.size_bytes:
            raise Misfit(f"is {int(length):,} bytes there, expected {self.size_bytes:,}")


def _refuse_encoded(response: requests.Response) -> None:
    """Refuses a body that is not the file as it is, though that was asked for.

    Raises:
      Misfit: it is compressed, or otherwise encoded.
    """
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding not in ("", "identity"):
        raise Misfit(f"sent with Content-Encoding {coding!r}, expected the file as it is")


class _HttpStream:
    def __init__(self, response: requests.Response, start: int) -> None:
        self.start = start
        # A range is measured by its Content-Range.
        self.is_measured = response.status_code == 206 or "Content-Length" in response.headers
        self.has_end_mark = bool(getattr(response.raw, "chunked", False))
        self._response = response
        self._at_start = start == 0

    def read(self) -> bytes:
        try:
            # read1 hands over what has arrived; a read of fixed length would lose up to that much
            # when the connection breaks.
            data = self._response.raw.read1(_READ_BYTES, decode_content=False)
        except urllib3.exceptions.ReadTimeoutError as error:
            raise Passing("stalled: no byte within the time limit") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Passing(f"connection broke: {_short(error)}") from error
        if self._at_start and data:
            self._at_start = False
            # Neither a tar nor a CSV begins like this; servers do send pages as octet-stream.
            if data.lstrip()[:1] == b"<":
                raise Passing("HTTP 200 with an HTML page in place of the file")
        return bytes(data)

    def close(self) -> None:
        self._response.close()


def _short(error: BaseException) -> str:
    """The innermost cause in a line: the wrapped text repeats host, port and object addresses."""
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None and inner is not seen:
        seen = inner
    text = " ".join(str(seen).split()) or type(seen).__name__
    return text if len(text) <= 200 else text[:197] + "..."
