"""A server that speaks HTTP only as far as a test wants: each connection is given to a function."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

__all__ = ["Answer", "RawServer", "drip", "flood", "head"]

#: Writes to the connection of a request; it is closed afterwards.
Answer = Callable[["Request"], None]


@dataclass
class Request:
    """A request, and the connection that its answer goes to.

    Attributes:
      head: the lines of the request.
      connection: to be written to.
      closing: set when the server ends.
    """

    head: str
    connection: socket.socket
    closing: threading.Event

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)


@dataclass
class RawServer:
    """Use it as a context manager; `url` is a base URL.

    Attributes:
      answer: what every request gets.
      requests: those so far.
    """

    answer: Answer
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> RawServer:
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._threads = [threading.Thread(target=self._listen)]
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._threads[0].join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(5.0)
        with connection:
            try:
                received = b""
                while b"\r\n\r\n" not in received:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    received += piece
                request = Request(received.decode("latin-1"), connection, self._closing)
                self.requests.append(request)
                self.answer(request)
            except OSError:
                pass  # clients that hang up are what is wanted


def head(*lines: str, status: str = "200 OK") -> bytes:
    """The head of an answer."""
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *lines, "")).encode()


def flood(piece: bytes, before: bytes = b"") -> Answer:
    """The same again and again, as fast as it is taken."""

    def answer(request: Request) -> None:
        request.send(before)
        block = piece * (1 + 65536 // len(piece))
        while not request.closing.is_set():
            request.send(block)

    return answer


def drip(
    piece: bytes, before: bytes = b"", *, every_s: float = 0.05, times: int | None = None
) -> Answer:
    """A little, again and again, and then the end if there is one."""

    def answer(request: Request) -> None:
        request.send(before)
        sent = 0
        while not request.closing.is_set() and sent != times:
            request.send(piece)
            sent += 1
            time.sleep(every_s)

    return answer
