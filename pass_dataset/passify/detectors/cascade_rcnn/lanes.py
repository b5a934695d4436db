"""Batches side by side on a GPU."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
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
      device: ``cpu``, or ``cuda:N``: threads begin with the first GPU, whichever their maker uses.
      count: of threads; with one on the CPU, the work is done by whoever asks for it, as a thread
        would start as many of its own again.
    """

    def __init__(self, device: str, count: int) -> None:
        self._device = torch.device(device)
        alone = self._device.type == "cpu" and count == 1
        self._threads = None if alone else ThreadPoolExecutor(count, "lane")
        self._own = threading.local()

    def each(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results of `work`, in the order of the tasks.

        After an error, what has begun is waited for and the rest is left out.
        """
        if self._threads is None:
            yield from map(work, tasks)
            return
        failed = threading.Event()

        def attempt(task: Task) -> Result:
            # Those before it in order are still waited for, and what it made keeps its memory.
            if failed.is_set():
                raise InterruptedError("a batch before this one has failed")
            try:
                self._enter()
                return work(task)
            except BaseException:
                failed.set()
                raise

        coming: list[Future[Result]] = []
        try:
            coming += [self._threads.submit(attempt, task) for task in tasks]
            for one in coming:
                yield one.result()
        finally:
            failed.set()
            wait([one for one in coming if not one.cancel()])

    def _enter(self) -> None:
        """Gives this thread its stream, the first time."""
        if self._device.type == "cuda" and not hasattr(self._own, "stream"):
            stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            torch.cuda.set_stream(stream)
            self._own.stream = stream
