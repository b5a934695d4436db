"""Dates for formats of tensors, which have no kind of number for them.

``with_format("torch")`` and ``with_format("tf")`` of `datasets` end in an error at a column of
timestamps. Where that happens, the date becomes a whole number: microseconds since 1970. JAX keeps
whole numbers of 32 bits unless it is told otherwise, which are too few; there a date stays what it
is in NumPy.
"""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

__all__ = ["UNKNOWN", "is_date", "microseconds"]

#: What a date that is not known is as a number, as NumPy has it: the lowest there is.
UNKNOWN = int(np.iinfo(np.int64).min)


def is_date(value: Any) -> bool:
    """True for a date, or an array of dates."""
    return isinstance(value, datetime.datetime) or (
        isinstance(value, (np.datetime64, np.ndarray)) and value.dtype.kind == "M"
    )


def microseconds(value: Any) -> Any:
    """Microseconds since 1970 (int64) of a date without zone, or of an array of dates."""
    return np.asarray(value, "datetime64[us]").astype(np.int64)[()]
