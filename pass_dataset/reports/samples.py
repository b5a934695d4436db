"""How many images are drawn where not all of them are looked at."""

from __future__ import annotations

__all__ = ["DEFAULT_SAMPLE"]

#: Headers read unless all are asked for: shares within 0.7 per cent, in seconds.
DEFAULT_SAMPLE = 20_000
