"""What PyTorch's loader does not tell a dataset, and is seen all the same.

An iterable dataset is asked for one example after the other, and not told how many make a batch.
Its share of the order depends on that. Where it is PyTorch's own fetcher that asks, its frame has
the batch that it is filling.
"""

from __future__ import annotations

import sys

__all__ = ["asked_batch_size"]


def asked_batch_size() -> int | None:
    """Examples of a batch of the loader that asks the calling generator for its next one.

    Returns:
      1 if the loader makes no batches; None if something else asks.
    """
    caller = sys._getframe(2)
    # `_IterableDatasetFetcher.fetch`, the same in PyTorch 2.0 to 2.14.
    if caller.f_code.co_name != "fetch":
        return None
    batch = caller.f_locals.get("possibly_batched_index")
    return len(batch) if isinstance(batch, list) else 1
