"""Names of configs: written from what a build is made of, and read back from its folder.

``birds_1f3a90c2-parts_0_3-5-first_1000``: a release of the user's own, some of its parts, the first
images of those; each piece only where it applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pass_dataset.releases import release as releases
from pass_dataset.releases.release import parse_parts

__all__ = ["config_name", "format_parts", "limit_in", "own_release_in", "parts_in"]

_PARTS = re.compile(r"(?:^|-)parts_(\d+(?:[-_]\d+)*)")
_OWN = re.compile(r"(?!first_\d+$)[a-z][a-z0-9_]*_[0-9a-f]{8}(?=-|$)")
_LIMIT = re.compile(r"(?:^|-)first_(\d+)$")


def config_name(release: str | None, parts: Iterable[int] | None, limit: int | None) -> str | None:
    """The name of a config; None for a whole published release, which needs none.

    Args:
      release: what tells a release of the user's own from all others; None for a published one.
      parts: part numbers; None for all.
      limit: only the first of these images, so many; None for all.
    """
    pieces = [
        release,
        None if parts is None else f"parts_{format_parts(parts)}",
        None if limit is None else f"first_{limit}",
    ]
    return "-".join(filter(None, pieces)) or None


def format_parts(parts: Iterable[int]) -> str:
    """Part numbers as in a file name: ``0_3-5``."""
    return releases.format_parts(parts).replace(",", "_")


def own_release_in(name: str | None) -> str | None:
    """What a config's name calls a release of the user's own; None where it speaks of none."""
    found = _OWN.match(name or "")
    return found[0] if found else None


def parts_in(name: str | None) -> tuple[int, ...] | None:
    """The parts that a config's name speaks of; None if of none."""
    found = _PARTS.search(name or "")
    return parse_parts(found[1].replace("_", ",")) if found else None


def limit_in(name: str | None) -> int | None:
    """The number of first images that a config's name speaks of; None if of none."""
    found = _LIMIT.search(name or "")
    return int(found[1]) if found else None
