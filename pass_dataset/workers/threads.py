"""Work on numbered pieces in threads, for reading and hashing, which both let others run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from pass_dataset.workers.cores import available_cores

__all__ = ["in_threads"]

_T = TypeVar("_T")

#: A thread a core keeps up with hashing; past some, all wait for the disk.
_MOST_THREADS = 8
#: Results that are made for each thread before they are asked for.
_AHEAD = 8


def in_threads(
    work: Callable[[int], _T], numbers: Sequence[int], threads: int | None = None
) -> Iterator[_T]:
    """Results of `work`, in the order of the numbers.

    Few are made before they are asked for, as they may be large. After an error or an interruption,
    what has begun is waited for and the rest is left out.

    Args:
      work: makes a result.
      numbers: what it is asked for.
      threads: that work at a time; None: one a core, up to a number.
    """
    threads = threads or min(_MOST_THREADS, available_cores())
    pool = ThreadPoolExecutor(threads)
    coming = iter(numbers)
    try:
        made = deque(pool.submit(work, number) for number in islice(coming, threads * _AHEAD))
        while made:
            result = made.popleft().result()
            made.extend(pool.submit(work, number) for number in islice(coming, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)
