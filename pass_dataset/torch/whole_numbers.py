"""Whole numbers as the user gave them, checked."""

from __future__ import annotations

import operator
from typing import Any

__all__ = ["whole_number"]


def whole_number(name: str, value: Any, *, least: int | None = None) -> int:
    """A number as a plain int, as NumPy's do not go into JSON or a checkpoint.

    Args:
      name: of the argument.
      value: what was given.
      least: what it must be; None: any.

    Raises:
      TypeError: it is no whole number.
      ValueError: it is less.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name}: expected a whole number, found {value!r} ({type(value).__name__})"
        ) from None
    if least is not None and number < least:
        raise ValueError(f"{name}: expected {least} or more, found {number}")
    return number
