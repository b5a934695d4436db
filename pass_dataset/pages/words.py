"""Numbers in words."""

from __future__ import annotations

__all__ = ["count", "duration", "percent", "share", "size"]


def share(part: int, whole: int) -> str:
    """A share in per cent, never rounded to all or nothing."""
    return "–" if not whole else percent(part / whole)


def percent(part: float) -> str:
    """A share in per cent, with more digits where it is small."""
    if part in (0.0, 1.0):
        return f"{part:.0%}".replace("%", "\u00a0%")
    for digits in (1, 2, 3):
        text = f"{100 * part:.{digits}f}"
        if float(text) not in (0.0, 100.0) and (digits > 1 or part >= 0.01):
            return f"{text}\u00a0%"
    return "under 0.001\u00a0%" if part < 0.5 else "over 99.999\u00a0%"


def count(number: int, one: str, many: str) -> str:
    """A number of things."""
    return f"{number:,} {one if number == 1 else many}"


def size(size_bytes: int) -> str:
    """A size to the byte, and as people read it.

    >>> size(179_640_190_811)
    '179,640,190,811 bytes (167.3 GiB)'
    """
    exact = count(size_bytes, "byte", "bytes")
    for unit, power in (("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size_bytes >= 1 << power:
            return f"{exact} ({size_bytes / (1 << power):,.1f} {unit})"
    return exact


def duration(seconds: float) -> str:
    """A time in the units that people use for it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min {left:02} s"
