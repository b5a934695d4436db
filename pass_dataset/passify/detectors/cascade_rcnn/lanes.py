"""Batches side by side on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import torch

__all__ = ["Lanes"]

Task = TypeVar("Task")
Result = TypeVar("Result")


class Lanes:
    """Threads that ask a GPU for work, each on a stream of its own.

    They stay: PyTorch keeps cuDNN's plans of convolutions for the thread that made them, and memory
    for the stream that used it.

    Args:
      device: ``cpu``, ``cuda`` or ``cuda:N``.
      count: of threads; with one on the CPU, the work is done by whoever asks for it, as a thread
        would start as many of its own again.
    """

    def __init__(self, device: str, count: int) -> None:
        where = torch.device(device)
        if where.type == "cuda" and where.index is None:
            # The one that this thread uses: others begin with the first.
            where = torch.device("cuda", torch.cuda.current_device())
        self._threads: ThreadPoolExecutor | None = None
        if where.type == "cuda" or count > 1:
            self._threads = ThreadPoolExecutor(count, "lane", _enter, (where,))

    def each(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results of `work`, in the order of the tasks.

        After an error, what has begun is waited for and the rest is left out.
        """
        if self._threads is None:
            yield from map(work, tasks)
            return
        coming = [self._threads.submit(work, task) for task in tasks]
        try:
            for one in coming:
                yield one.result()
        finally:
            for one in coming:
                one.cancel()
            wait(coming)


# No method: threads would keep what they belong to.
def _enter(device: torch.device) -> None:
    """Gives this thread a stream."""
    if device.type == "cuda":
        stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        torch.cuda.set_stream(stream)
