"""The workers of `select`, watched and replaced when they die."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import cast

from pass_dataset.curate.select.pieces import Piece, PieceFolder
from pass_dataset.curate.select.settings import SelectSettings
from pass_dataset.curate.select.sources import Source
from pass_dataset.curate.settings import as_content
from pass_dataset.errors import CurationError
from pass_dataset.workers.pool import Pool, Reply, Worker

__all__ = ["Readers"]

_MODULE = "pass_dataset.curate.select.worker"
#: Times that a worker may die on a piece: of a machine short of memory, another try may be luckier.
_MOST_DEATHS = 2
#: The C library (glibc; others do not know these) gives large blocks back as soon as they are free,
#: and the system clears each that is asked for again: a seventh of the time.
_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(128 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    # So Arrow's memory is the C library's, too: its own is given back as soon, and is more.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # NumPy's threads, which there is no use for, wait for work by turning round.
    "OPENBLAS_NUM_THREADS": "1",
}


class _Reader(Worker[Piece]):
    def line(self, piece: Piece) -> str:
        return piece.line()


class _Coming:
    """Pieces that are made as they are asked for; what is read for them is read then."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._pieces = pieces
        self._next: deque[Piece] = deque()

    def __bool__(self) -> bool:
        if not self._next:
            self._next.extend(piece for piece in [next(self._pieces, None)] if piece is not None)
        return bool(self._next)

    def popleft(self) -> Piece:
        return self._next.popleft() if self else next(self._pieces)

    def appendleft(self, piece: Piece) -> None:
        self._next.appendleft(piece)


class Readers(Pool[_Reader, Piece, "tuple[Piece, int]"]):
    """Has pieces gathered; yields each with its number of rows."""

    def __init__(
        self,
        pieces: Iterator[Piece],
        folder: PieceFolder,
        sources: Sequence[Source],
        settings: SelectSettings,
    ) -> None:
        super().__init__(())
        self.waiting = cast("deque[Piece]", _Coming(pieces))
        self._arguments = [
            str(folder.path),
            json.dumps([asdict(source) for source in sources]),
            json.dumps(as_content(settings)),
        ]
        self._deaths: dict[str, int] = {}

    def start(self, number: int) -> _Reader:
        return _Reader(_MODULE, self._arguments, environment=_ENVIRONMENT)

    def take_in(self, worker: _Reader, reply: Reply) -> Iterator[tuple[Piece, int]]:
        if "error" in reply:
            raise CurationError(reply["error"])
        piece = worker.piece
        assert piece is not None
        worker.piece = None
        yield piece, reply["rows"]

    def bury(self, worker: _Reader, how: str) -> Iterator[tuple[Piece, int]]:
        piece = worker.piece
        if piece is None:
            return
        self._deaths[piece.name] = self._deaths.get(piece.name, 0) + 1
        if self._deaths[piece.name] >= _MOST_DEATHS:
            raise CurationError(f"a worker died on piece {piece.name}, twice: {how}")
        self.waiting.appendleft(piece)
        yield from ()
