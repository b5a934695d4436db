"""The other end of a worker process: whoever gives it its work, as it sees them.

Lines come in on standard input, one when the last one is answered; JSON goes out by lines.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Iterator
from typing import Any

__all__ = ["Giver"]


class Giver:
    """The process that started this one. When it is gone, this one ends, whatever it is doing."""

    def __init__(self) -> None:
        # Whatever a library prints must not get between the lines: they have a pipe of their own.
        self._pipe = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._busy = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            self._busy.set()
            self._lines.put(line)
        if self._busy.is_set():
            # Killed, or it gave up. Another may take its place any time: nothing goes on here.
            os._exit(1)
        self._lines.put(None)

    def lines(self) -> Iterator[str]:
        """What is to be done, until there is no more."""
        while (line := self._lines.get()) is not None:
            yield line

    def tell(self, **content: Any) -> None:
        """Tells how far it is. Raises BrokenPipeError if nobody listens any more."""
        self._pipe.write(json.dumps(content) + "\n")
        self._pipe.flush()

    def answer(self, **content: Any) -> None:
        """Tells what became of a line: the last that is said of it."""
        # Before it is told: the next line may be there at once.
        self._busy.clear()
        self.tell(**content)
