"""Work on numbered pieces in threads, for reading and hashing, which both let others run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_threads"]

_T = TypeVar("_T")

#: A thread a processor keeps up with hashing; past some, all wait for the disk.
_THREADS = min(8, os.cpu_count() or 1)


def in_threads(work: Callable[[int], _T], numbers: Sequence[int]) -> Iterator[_T]:
    """Results of `work`, in the order of the numbers.

    After an error or an interruption, what has begun is waited for and the rest is left out.
    """
    pool = ThreadPoolExecutor(_THREADS)
    try:
        yield from pool.map(work, numbers)
    finally:
        pool.shutdown(cancel_futures=True)
