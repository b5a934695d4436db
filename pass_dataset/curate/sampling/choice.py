"""Who is chosen, as arithmetic: no files, no shards.

What holds of `ranks_within` and `ranks`, whatever the keys are:

- A larger cap lets through all that a smaller one lets through; a larger sample has all of a
  smaller one.
- A photograph that is taken out before the cap lets at most one other of its photographer through,
  and drops none; other photographers notice nothing.
- A photograph that is taken out before a sample lets at most one other in, and drops none.
- Of the cap and a sample of it together: at most one comes in, and at most one goes out, which is
  the last of the sample, and only if the one taken out was not in the sample. (The cap lets
  another of that photographer in, who may come before the last.)

A larger cap with the same size of the sample does not keep those of the smaller: there are more
among whom as many are drawn.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pass_dataset.curate.sampling.order import Keys, in_order

__all__ = ["ranks", "ranks_within"]


def ranks_within(keys: Keys, groups: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The place of each photograph among those of its photographer.

    Args:
      keys: within a photographer's photographs.
      groups: numbers of the photographers, ``(photographs,)`` of int32.

    Returns:
      Places from 0, int64 ``(photographs,)``.
    """
    order = in_order(keys, groups)
    ordered = groups[order]
    firsts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(order)])
    sizes = np.diff(firsts, append=len(order))
    places = np.arange(len(order))
    places -= np.repeat(firsts, sizes)
    found = np.empty(len(order), np.int64)
    found[order] = places
    return found


def ranks(keys: Keys) -> npt.NDArray[np.int64]:
    """The place of each photograph among all, from 0, int64 ``(photographs,)``."""
    found = np.empty(len(keys), np.int64)
    found[in_order(keys)] = np.arange(len(keys))
    return found
