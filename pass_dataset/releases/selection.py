"""Which records of which release a builder stands for, and the name they are stored under.

A whole published release needs no name but its version. Everything else has one, made from what it
is, so that no part and no release of the user's own can be taken for the whole: ``parts_0_3-5``,
``first_1000``, ``birds_1f3a90c2``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass

from pass_dataset.errors import ReleaseError
from pass_dataset.releases.config_names import config_name
from pass_dataset.releases.release import (
    OFFICIAL_VERSIONS,
    Release,
    format_parts,
    format_release,
    official_release,
    part_numbers,
    resolve_release,
)

__all__ = ["Selection", "select"]


@dataclass(frozen=True)
class Selection:
    """Records of a release.

    Attributes:
      release: which.
      parts: part numbers, sorted; None for all.
      limit: only the first of these, so many; None for all.
    """

    release: Release
    parts: tuple[int, ...] | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        self.release.select(self.parts)
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit: expected 1 or more, found {self.limit}")

    @property
    def name(self) -> str | None:
        """Name of the config; None for a whole published release."""
        own = None
        if not self.release.is_official:
            digest = hashlib.sha256(format_release(self.release.origin).encode()).hexdigest()
            own = f"{self.release.name}_{digest[:8]}"
        return config_name(own, self.parts, self.limit)

    @property
    def description(self) -> str:
        """What it is, in words."""
        what = self.release.label
        if self.parts is not None:
            what += f", parts {format_parts(self.parts).replace(',', ', ')}"
        if self.limit is not None:
            what += f", the first {self.limit:,} images"
        return f"{what}."


def select(
    release: str | os.PathLike[str] | Release | None,
    parts: str | Iterable[int] | None,
    version: object | None,
) -> Selection | None:
    """What is meant by a builder's arguments; None if they say no more than a version.

    Args:
      release: version, checksum file or Release.
      parts: part numbers, or text such as ``0,3-5``.
      version: the version that was asked for as well, if any.

    Raises:
      ReleaseError: no such release or part, or release and version contradict each other.
    """
    if release is None and parts is None:
        return None
    if release is None:
        if version is not None and str(version) not in OFFICIAL_VERSIONS:
            raise ReleaseError(
                f"parts: need an exact version ({', '.join(OFFICIAL_VERSIONS)}), found {version}"
            )
        chosen = official_release(str(version)) if version is not None else official_release()
    else:
        chosen = resolve_release(release)
        if version is not None and str(version) != chosen.version:
            raise ReleaseError(f"release is {chosen.label}, version {version}: give one of the two")
    numbers = part_numbers(parts)
    return Selection(chosen, None if numbers is None else tuple(sorted(set(numbers))))
