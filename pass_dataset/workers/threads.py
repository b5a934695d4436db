"""Work on numbered pieces in threads, for reading and hashing, which both let others run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pass_dataset.workers.cores import available_cores

__all__ = ["in_threads"]

_T = TypeVar("_T")

#: A thread a core keeps up with hashing; past some, all wait for the disk.
_MOST_THREADS = 8


def in_threads(work: Callable[[int], _T], numbers: Sequence[int]) -> Iterator[_T]:
    """Results of `work`, in the order of the numbers.

    After an error or an interruption, what has begun is waited for and the rest is left out.
    """
    pool = ThreadPoolExecutor(min(_MOST_THREADS, available_cores()))
    try:
        yield from pool.map(work, numbers)
    finally:
        pool.shutdown(cancel_futures=True)
