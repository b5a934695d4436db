"""Worker processes that are given pieces of work, watched, and replaced when they die."""

from __future__ import annotations

import selectors
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeAlias, TypeVar

from pass_dataset.workers.process import WorkerProcess

__all__ = ["Pool", "Reply", "Worker"]

_Piece = TypeVar("_Piece")
_Worker = TypeVar("_Worker", bound="Worker[Any]")
_Result = TypeVar("_Result")

#: What a worker said: a line of JSON.
Reply: TypeAlias = "dict[str, Any]"


class Worker(WorkerProcess, ABC, Generic[_Piece]):
    """A process of a pool.

    Attributes:
      number: its place in the pool; whoever takes over from it has the same.
      piece: what it is at; None: it is ready for a piece.
    """

    number: int
    piece: _Piece | None = None

    def give(self, piece: _Piece) -> None:
        """Has it begin with a piece."""
        self.piece = piece
        self.send(self.line(piece))

    @abstractmethod
    def line(self, piece: _Piece) -> str:
        """What it is told of a piece."""


class Pool(ABC, Generic[_Worker, _Piece, _Result]):
    """Has pieces of work done, whoever dies on them.

    Attributes:
      waiting: pieces that nobody has, in the order in which they are given out.
    """

    def __init__(self, pieces: Iterable[_Piece]) -> None:
        self.waiting = deque(pieces)
        self._selector = selectors.DefaultSelector()

    @abstractmethod
    def start(self, number: int) -> _Worker:
        """Starts a process for a place in the pool."""

    @abstractmethod
    def take_in(self, worker: _Worker, reply: Reply) -> Iterator[_Result]:
        """Handles what a process said; has its `piece` be None if it is ready for another.

        Raises:
          PassDatasetError: what makes all pieces impossible.
        """

    @abstractmethod
    def bury(self, worker: _Worker, how: str) -> Iterator[_Result]:
        """Handles the death of a process; puts what it was at back, if that is to be tried again.

        Args:
          worker: gone.
          how: it died, for people.

        Raises:
          PassDatasetError: it is no use to go on.
        """

    def run(self, count: int) -> Iterator[_Result]:
        """Has all pieces done in at most so many processes; yields what they come to.

        However it ends, no process is left then.
        """
        whole = False
        try:
            for number in range(count):
                if not self.waiting:
                    break
                self._start(number)
            while self._selector.get_map():
                for key, _ in self._selector.select():
                    yield from self._attend(key.data)
            whole = True
        finally:
            for key in list(self._selector.get_map().values()):
                self._stop(key.data, kill=not whole)
            self._selector.close()

    def _attend(self, worker: _Worker) -> Iterator[_Result]:
        replies = worker.replies()
        if replies is None:
            how = worker.death()
            self._stop(worker, kill=False)
            yield from self.bury(worker, how)
            if self.waiting:
                self._start(worker.number)
            return
        for reply in replies:
            yield from self.take_in(worker, reply)
            if worker.piece is None:
                if not self.waiting:
                    self._stop(worker, kill=False)
                    return
                worker.give(self.waiting.popleft())

    def _start(self, number: int) -> None:
        worker = self.start(number)
        worker.number = number
        self._selector.register(worker.stdout, selectors.EVENT_READ, worker)
        worker.give(self.waiting.popleft())

    def _stop(self, worker: _Worker, *, kill: bool) -> None:
        self._selector.unregister(worker.stdout)
        worker.end(kill=kill)
