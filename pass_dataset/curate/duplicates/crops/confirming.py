"""Pairs of images confirmed by what both show: images are read when they are asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pass_dataset.curate.duplicates.crops.agreeing import agree
from pass_dataset.curate.duplicates.crops.placing import Sight, sight_of
from pass_dataset.curate.duplicates.unions import Numbers
from pass_dataset.images.decoding import decode
from pass_dataset.workers.threads import in_threads

__all__ = ["Confirming"]

#: Images that are kept, of some 0.3 MB each: one has pairs with several others.
_KEPT = 512


class Confirming:
    """Tells whether images agree.

    An image that is not here (one of another set, of which there is a descriptor alone) agrees with
    all; one that can no longer be read agrees with none.
    """

    def __init__(self, read: Callable[[int], bytes | None], own: int) -> None:
        """Args: `read` gives the bytes of an image by its number; from `own` on none is here."""
        self._read = read
        self._own = own
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Sight | None] = OrderedDict()

    def agree(self, left: Numbers, right: Numbers) -> npt.NDArray[np.bool_]:
        """Whether pairs agree."""
        good = np.ones(len(left), bool)
        known = np.flatnonzero((left < self._own) & (right < self._own))

        def one(place: int) -> bool:
            first, second = (self._sight(int(side[place])) for side in (left, right))
            return first is not None and second is not None and agree(first, second)

        good[known] = list(in_threads(one, known.tolist()))
        return good

    def _sight(self, number: int) -> Sight | None:
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
            # One at a time: readers are not for several threads.
            data = self._read(number)
        pixels = None if data is None else decode(data).pixels
        sight = None if pixels is None else sight_of(pixels)
        with self._lock:
            self._kept[number] = sight
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return sight
