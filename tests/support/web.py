"""A server on loopback that answers as it is told, and counts connections exactly.

One thread sees everything in order: before a connection is counted, those that the other side has
closed by then are taken off.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

__all__ = ["Reply", "Web"]


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
      body: of it.
      status: of HTTP.
      headers: besides its length.
      after_s: how long it is waited with.
      sent: so many bytes of the body are sent, and then:
      end: ``close``, ``reset`` or ``stall``; empty: the connection is kept.
      has_length: whether the length is stated.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0.0
    sent: int | None = None
    end: str = ""
    has_length: bool = True


#: Path, and how many requests for it were before.
Plan = Callable[[str, int], Reply]


class Web:
    """Use it as a context manager.

    Attributes:
      plan: says what each request gets.
      asked: how often each path was asked for.
      most: connections open at the same moment, at most.
      heads: of all requests.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.heads: list[str] = []
        self.times: list[float] = []
        self.most = 0
        self.connections = 0

    def __enter__(self) -> Web:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._open: dict[socket.socket, bytes] = {}
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._thread.join()
        for connection in list(self._open):
            connection.close()
        self._listener.close()
        self._selector.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(0.005 if self._later else 0.02):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._open:
                    self._read(key.fileobj)
            while self._later and self._later[0][0] <= time.monotonic():
                heapq.heappop(self._later)[2]()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._listener.accept()
            # Who made this one has closed those before it, if they are closed.
            for other in list(self._open):
                self._drop_if_closed(other)
            connection.setblocking(False)
            self._open[connection] = b""
            self._selector.register(connection, selectors.EVENT_READ)
            self.connections += 1
            self.most = max(self.most, len(self._open))

    def _drop_if_closed(self, connection: socket.socket) -> None:
        try:
            if not connection.recv(1, socket.MSG_PEEK):
                self._drop(connection)
        except BlockingIOError:
            pass
        except OSError:
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        if self._open.pop(connection, None) is not None:
            self._selector.unregister(connection)
            connection.close()

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        self._open[connection] += data
        head, end, rest = self._open[connection].partition(b"\r\n\r\n")
        if end:
            self._open[connection] = rest
            self._answer(connection, head.decode("latin-1"))

    def _answer(self, connection: socket.socket, head: str) -> None:
        method, path, _ = head.split(" ", 2)
        self.heads.append(head)
        self.times.append(time.monotonic())
        before = self.asked[path]
        self.asked[path] += 1
        reply = self.plan(path, before)

        def send() -> None:
            if connection in self._open:
                self._send(connection, method, path, reply)

        if reply.after_s:
            heapq.heappush(
                self._later, (time.monotonic() + reply.after_s, next(self._numbers), send)
            )
        else:
            send()

    def _send(self, connection: socket.socket, method: str, path: str, reply: Reply) -> None:
        headers = dict(reply.headers)
        if reply.has_length:
            headers.setdefault("Content-Length", str(len(reply.body)))
        lines = [
            f"HTTP/1.1 {reply.status} Said",
            *(f"{k}: {v}" for k, v in headers.items()),
            "",
            "",
        ]
        body = b"" if method == "HEAD" else reply.body[: reply.sent]
        try:
            connection.setblocking(True)
            connection.sendall("\r\n".join(lines).encode("latin-1") + body)
            connection.setblocking(False)
        except OSError:
            self._drop(connection)
            return
        self.answered[path] += 1
        if reply.end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if reply.end in ("close", "reset") or not reply.has_length:
            self._drop(connection)
