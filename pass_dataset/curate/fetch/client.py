"""Many requests at a time over connections that are kept, by libcurl, in one thread.

libcurl takes a quarter of the processor time of Python's own clients here, keeps connections and
the answers of DNS, and checks floors of speed and limits of size itself.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from typing import Any, Generic, Literal, TypeVar

import requests.utils

from pass_dataset.curate.fetch.answers import Answer
from pass_dataset.downloads.retries import RetryPolicy
from pass_dataset.errors import CurationError, MissingExtraError
from pass_dataset.extras import require
from pass_dataset.releases.addresses import without_secrets
from pass_dataset.version import __version__

__all__ = ["Client"]

_Key = TypeVar("_Key")
Kind = Literal["GET", "HEAD", "start"]

_BUFFER_BYTES = 512 << 10
#: Connections that are kept, of all hosts: systems allow a process about a thousand open files.
_MOST_KEPT = 256
#: How often it is looked whether a name was found.
_LOOK_UP_S = 0.01
#: How long an answer of DNS is good for: hosts with many addresses give others now and then.
_DNS_S = 300
#: Where the user says which authorities are trusted, as `requests` and curl have it.
_TRUST = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class Client(Generic[_Key]):
    """Requests under way, each with a key of the caller's; use it as a context manager."""

    def __init__(self, connections: int, policy: RetryPolicy, max_bytes: int) -> None:
        """Opens nothing yet.

        Args:
          connections: to a host, idle ones included.
          policy: its limits of time and speed.
          max_bytes: of a body; 0: any number, where none are taken.
        """
        self._connections = connections
        self._policy = policy
        self._max_bytes = max_bytes
        self._curl: Any = None
        self._multi: Any = None
        self._free: list[Any] = []
        self._busy: dict[Any, tuple[_Key, list[bytes], list[bytes]]] = {}
        trust = next((os.environ[name] for name in _TRUST if os.environ.get(name)), None)
        self._trust = trust or requests.utils.DEFAULT_CA_BUNDLE_PATH

    def _load(self) -> None:
        # Where all photographs are files nothing is asked, and nothing needs to be installed.
        try:
            self._curl = require("pycurl", feature="Fetching photographs", extra="curate")
        except MissingExtraError:
            raise
        except ImportError as error:
            raise CurationError(
                f"{error}. TensorFlow brings a libcurl of its own: in a process that has imported "
                "it, import pycurl before, or fetch in a process of its own"
            ) from error
        self._multi = self._curl.CurlMulti()
        self._multi.setopt(self._curl.M_MAX_HOST_CONNECTIONS, self._connections)
        self._multi.setopt(self._curl.M_MAXCONNECTS, max(self._connections, _MOST_KEPT))
        self._multi.setopt(self._curl.M_PIPELINING, self._curl.PIPE_NOTHING)

    def __enter__(self) -> Client[_Key]:
        return self

    def __exit__(self, *error: object) -> None:
        for handle in self._busy:
            self._multi.remove_handle(handle)
            handle.close()
        for handle in self._free:
            handle.close()
        self._busy.clear()
        if self._multi is not None:
            self._multi.close()

    def __len__(self) -> int:
        return len(self._busy)

    def ask(self, key: _Key, url: str, kind: Kind = "GET") -> None:
        """Begins a request; `answers` has its answer.

        Args:
          key: what the answer comes with.
          url: what is asked.
          kind: ``GET``, ``HEAD``, or ``start``: GET, of which the body is not taken.

        Raises:
          MissingExtraError: libcurl is not installed.
        """
        if self._multi is None:
            self._load()
        handle = self._free.pop() if self._free else self._new()
        body: list[bytes] = []
        head: list[bytes] = []
        handle.setopt(self._curl.NOBODY, kind == "HEAD")
        if kind != "HEAD":
            handle.setopt(self._curl.HTTPGET, True)
        # Lists' own methods, and no function of ours: an interrupt within a callback would be lost.
        # Whoever counts takes nothing, by which libcurl ends the request.
        take = body.count if kind == "start" else body.append
        handle.setopt(self._curl.WRITEFUNCTION, take)
        handle.setopt(self._curl.HEADERFUNCTION, head.append)
        handle.setopt(self._curl.URL, url)
        self._busy[handle] = (key, body, head)
        self._multi.add_handle(handle)

    def answers(self, timeout_s: float) -> Iterator[tuple[_Key, Answer]]:
        """Answers that are there, waiting for the first of them for some time at most."""
        if self._multi is None:
            return
        self._multi.perform()
        told = list(self._told())
        if not told and timeout_s > 0:
            # Without a socket, as while a name is looked up, there is nothing to wait at.
            if self._multi.select(timeout_s) == -1:
                time.sleep(min(timeout_s, _LOOK_UP_S))
            self._multi.perform()
            told = list(self._told())
        yield from told

    def _told(self) -> Iterator[tuple[_Key, Answer]]:
        waiting = 1
        while waiting:
            waiting, done, failed = self._multi.info_read()
            for handle in done:
                yield self._taken(handle, self._whole)
            for handle, code, message in failed:
                yield self._taken(
                    handle, lambda *parts, c=code, m=message: self._failed(c, m, *parts)
                )

    def _taken(self, handle: Any, answer: Any) -> tuple[_Key, Answer]:
        self._multi.remove_handle(handle)
        key, body, head = self._busy.pop(handle)
        self._free.append(handle)
        status = handle.getinfo(self._curl.RESPONSE_CODE)
        return key, answer(status, body, head)

    def _whole(self, status: int, body: list[bytes], head: list[bytes]) -> Answer:
        return Answer(status, b"".join(body), {} if status == 200 else _headers(head))

    def _failed(
        self, code: int, message: str, status: int, body: list[bytes], head: list[bytes]
    ) -> Answer:
        curl = self._curl
        if status > 200 or (code == curl.E_WRITE_ERROR and not body):
            # Of a refusal, whatever follows is of no use; or it was not to be taken.
            return Answer(status, b"", _headers(head))
        causes = {
            curl.E_OPERATION_TIMEDOUT: "timeout",
            curl.E_PARTIAL_FILE: "truncated",
            curl.E_FILESIZE_EXCEEDED: "too-large",
            curl.E_URL_MALFORMAT: "bad-address",
        }
        cause = causes.get(code, "unreachable")
        if cause == "unreachable" and body:
            cause = "truncated"
        said = " ".join(without_secrets(message).split())[:200]
        is_permanent = cause in ("too-large", "bad-address")
        return Answer(None, cause=cause, said=said, is_permanent=is_permanent)

    def _new(self) -> Any:
        curl, policy = self._curl, self._policy
        handle = curl.Curl()
        handle.setopt(curl.NOSIGNAL, True)
        handle.setopt(curl.USERAGENT, f"pass-dataset/{__version__}")
        handle.setopt(curl.BUFFERSIZE, _BUFFER_BYTES)
        # One request a connection: what is counted is what the server sees.
        handle.setopt(curl.HTTP_VERSION, curl.CURL_HTTP_VERSION_1_1)
        handle.setopt(curl.FOLLOWLOCATION, False)
        handle.setopt(curl.PROTOCOLS, curl.PROTO_HTTP | curl.PROTO_HTTPS)
        handle.setopt(curl.MAXFILESIZE_LARGE, self._max_bytes)
        handle.setopt(curl.CONNECTTIMEOUT_MS, math.ceil(1000 * policy.connect_timeout_s))
        # A second is libcurl's measure. What comes before a body is no progress to it either.
        speed = max(1, math.ceil(policy.min_bytes_per_s))
        patience_s = min(policy.speed_window_s, policy.stall_timeout_s)
        handle.setopt(curl.LOW_SPEED_LIMIT, speed)
        handle.setopt(curl.LOW_SPEED_TIME, max(1, math.ceil(patience_s)))
        handle.setopt(curl.DNS_CACHE_TIMEOUT, _DNS_S)
        handle.setopt(curl.CAINFO, self._trust)
        handle.setopt(curl.TCP_KEEPALIVE, True)
        # Left as it is sent: what is compressed on the way would be other bytes.
        handle.setopt(curl.HTTPHEADER, ["Accept: */*", "Accept-Encoding: identity"])
        return handle


def _headers(lines: list[bytes]) -> dict[str, str]:
    """The last answer's headers; of several by one name the last."""
    headers: dict[str, str] = {}
    for line in lines:
        if line.startswith(b"HTTP/"):
            headers = {}
            continue
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers
