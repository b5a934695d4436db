"""A real HTTP server on loopback that misbehaves on request.

It serves the files of a folder with byte ranges, keeps a log of every answer, and asks a `faults`
callable before each answer what is to go wrong.
"""

from __future__ import annotations

import email.utils
import fcntl
import gzip
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

CHUNK_BYTES = 16 << 10
_SIOCOUTQ = 0x5411
HTML = b"<!DOCTYPE html>\n<html><body>Too busy, or please log in.</body></html>\n"
#: What a rate limit says with status 200.
JSON = b'{"status": 429, "message": "slow down"}'


class Kind(Enum):
    RESET = "reset mid-body"
    STALL = "stall"
    CUT = "ends early, Content-Length right"
    SHORT = "too few bytes, Content-Length to match"
    LONG = "too many bytes"
    WRONG = "wrong bytes"
    TOO_MANY = "429 with Retry-After in seconds"
    TOO_MANY_DATE = "429 with Retry-After as a date"
    UNAVAILABLE = "503"
    NO_RANGE = "ignores Range"
    HTML_PAGE = "200 with an HTML page"
    HTML_AS_BYTES = "200 with an HTML page as octet-stream"
    OTHER_RANGE = "206 with another range"
    NOT_FOUND = "404"
    FORBIDDEN = "403"
    GONE = "410"
    MARKED_PAGE = "200 with a page in JSON, without its length, its end marked"
    CLOSED_PAGE = "200 with a page in JSON, without its length, its end unmarked"
    ENCODED = "200, compressed though asked not to"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer.

    Attributes:
      kind: what.
      after_bytes: good bytes of the body before that, where the kind has a body.
      seconds: of a stall, or to be asked for by Retry-After.
    """

    kind: Kind
    after_bytes: int = 0
    seconds: float = 0.0


@dataclass
class Answer:
    """One answer given."""

    path: str
    start: int | None
    fault: Fault | None
    stop: int | None
    at: float
    sent_bytes: int = 0
    user_agent: str = ""


Faults = Callable[[str, int | None], Fault | None]


@dataclass
class BadServer:
    """Use it as a context manager; `url` is the base URL of the folder."""

    folder: Path
    faults: Faults = lambda path, start: None
    bytes_per_s: float | None = None
    answers: list[Answer] = field(default_factory=list)

    def __enter__(self) -> BadServer:
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.bad = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/records/1/files"

    @property
    def redirecting_url(self) -> str:
        """The old address, answered with 301 to `url`."""
        return self.url.replace("/records/", "/record/")

    @property
    def sent_bytes(self) -> int:
        with self._lock:
            return sum(answer.sent_bytes for answer in self.answers)

    @property
    def num_faults(self) -> int:
        with self._lock:
            return sum(answer.fault is not None for answer in self.answers)

    def log(self, path: str, start: int | None, stop: int | None, agent: str) -> Answer:
        with self._lock:
            answer = Answer(path, start, self.faults(path, start), stop, time.monotonic())
            answer.user_agent = agent
            self.answers.append(answer)
            return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    bad: BadServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients that hang up are part of the game


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        # Small buffers: what counts as sent has then really arrived.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 32 << 10)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/record/"):
            self._plain(301, {"Location": self.path.replace("/record/", "/records/")})
            return
        name = self.path.partition("?")[0].rpartition("/")[2]
        start, stop = self._asked_range()
        answer = self.server.bad.log(name, start, stop, self.headers.get("User-Agent", ""))
        path = self.server.bad.folder / name
        if not path.is_file():
            self._plain(404, {})
            return
        self._answer(answer, path.read_bytes(), start)

    def _asked_range(self) -> tuple[int | None, int | None]:
        """First byte and one past the last; None for a range that is not there, or has no end."""
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None:
            return None, None
        return int(match[1]), int(match[2]) + 1 if match[2] else None

    def _answer(self, answer: Answer, data: bytes, start: int | None) -> None:
        fault = answer.fault
        kind = fault.kind if fault else None
        statuses = {Kind.NOT_FOUND: 404, Kind.FORBIDDEN: 403, Kind.GONE: 410, Kind.UNAVAILABLE: 503}
        if kind in statuses:
            self._plain(statuses[kind], {})
        elif kind is Kind.TOO_MANY:
            self._plain(429, {"Retry-After": f"{fault.seconds:.0f}"})
        elif kind is Kind.TOO_MANY_DATE:
            date = email.utils.formatdate(time.time() + fault.seconds, usegmt=True)
            self._plain(429, {"Retry-After": date})
        elif kind in (Kind.HTML_PAGE, Kind.HTML_AS_BYTES):
            as_page = kind is Kind.HTML_PAGE
            self._head(200, "text/html" if as_page else "application/octet-stream", len(data))
            body = HTML.ljust(len(data)) if not as_page else HTML
            self._send(answer, body[:4096])
            self.close_connection = True
        elif kind is Kind.MARKED_PAGE:
            self._chunked(answer, JSON, {"Content-Type": "application/json"})
        elif kind is Kind.CLOSED_PAGE:
            self._head(200, "application/json", None)
            self._send(answer, JSON)
        elif kind is Kind.ENCODED:
            self._chunked(answer, gzip.compress(data[:1000]), {"Content-Encoding": "gzip"})
        elif start is not None and start >= len(data):
            self._plain(416, {"Content-Range": f"bytes */{len(data)}"})
        else:
            self._body(answer, data, start)

    def _body(self, answer: Answer, data: bytes, start: int | None) -> None:
        fault = answer.fault
        kind = fault.kind if fault else None
        if kind is Kind.NO_RANGE:
            start = None
        if kind is Kind.OTHER_RANGE and start:
            start //= 2
        stop = len(data) if start is None else min(answer.stop or len(data), len(data))
        body = data[start or 0 : stop]
        good = min(fault.after_bytes, max(0, len(body) - 1)) if fault else len(body)
        length: int | None = len(body)
        if kind is Kind.WRONG:
            body = body[:good] + bytes([body[good] ^ 0xFF]) + body[good + 1 :]
        elif kind is Kind.SHORT:
            body, length = body[:good], good
        elif kind is Kind.LONG:
            body, length = body + b"more than there is" * 1000, None
        status = 200 if start is None else 206
        extra = {}
        if start is not None:
            extra["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
        self._head(status, "application/octet-stream", length, extra)
        if kind in (Kind.RESET, Kind.CUT, Kind.STALL):
            self._send(answer, body[:good])
            self._break_off(kind, fault.seconds if fault else 0.0)
        else:
            self._send(answer, body)

    def _break_off(self, kind: Kind, seconds: float) -> None:
        self._drain()
        self.close_connection = True
        if kind is Kind.STALL:
            self.server.bad.closing.wait(seconds)
        elif kind is Kind.RESET:
            # Lingering for no time makes closing send RST.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _drain(self) -> None:
        """Waits until the other side has received everything."""
        for _ in range(1000):
            queued = fcntl.ioctl(self.connection.fileno(), _SIOCOUTQ, b"\0" * 4)
            if struct.unpack("i", queued)[0] == 0:
                return
            time.sleep(0.001)

    def _head(
        self, status: int, kind: str, length: int | None, extra: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def _chunked(self, answer: Answer, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        self._send(answer, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    def _plain(self, status: int, headers: dict[str, str]) -> None:
        self._head(status, "text/plain", 0, headers)

    def _send(self, answer: Answer, body: bytes) -> None:
        rate = self.server.bad.bytes_per_s
        started, sent = time.monotonic(), 0
        for at in range(0, len(body), CHUNK_BYTES):
            chunk = body[at : at + CHUNK_BYTES]
            self.wfile.write(chunk)
            answer.sent_bytes += len(chunk)
            sent += len(chunk)
            if rate is not None:
                time.sleep(max(0.0, started + sent / rate - time.monotonic()))


def seeded_faults(
    seed: int, mean_good_bytes: int, share: float = 0.9, weights: dict[Kind, float] | None = None
) -> Faults:
    """Faults drawn at random, for each file the same with the same seed."""
    drawn: dict[str, random.Random] = {}
    weights = weights or {
        Kind.RESET: 4,
        Kind.CUT: 4,
        Kind.STALL: 1,
        Kind.SHORT: 1,
        Kind.LONG: 0.2,
        Kind.WRONG: 0.15,
        Kind.TOO_MANY: 1,
        Kind.TOO_MANY_DATE: 1,
        Kind.UNAVAILABLE: 2,
        Kind.NO_RANGE: 1,
        Kind.HTML_PAGE: 1,
        Kind.HTML_AS_BYTES: 1,
        Kind.OTHER_RANGE: 0.5,
    }

    def faults(path: str, start: int | None) -> Fault | None:
        rng = drawn.setdefault(path, random.Random(f"{seed} {path}"))
        if rng.random() > share:
            return None
        kind = rng.choices(list(weights), list(weights.values()))[0]
        if start is None and kind in (Kind.NO_RANGE, Kind.OTHER_RANGE):
            kind = Kind.RESET  # without a range to ignore there would be no fault
        seconds = 0.0 if kind in (Kind.TOO_MANY, Kind.TOO_MANY_DATE) else 3.0
        return Fault(kind, rng.randrange(2 * mean_good_bytes), seconds)

    return faults
