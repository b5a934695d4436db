"""Settings of a review: which flags there are, and how images are shared among reviewers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["FLAGS", "ReviewSettings", "Unseen", "reviewer_name"]

#: What an image may be flagged for, and the key that says so. The first one is what a mark means
#: until another is chosen.
FLAGS: Mapping[str, str] = {
    "person": "1",
    "body-part": "2",
    "face": "3",
    "plate": "4",
    "text-or-name": "5",
    "offensive": "6",
    "other": "7",
}

#: What becomes of images that nobody has looked at: the step waits for them, or they go on, or
#: they stop with the cause ``not-reviewed``.
Unseen = Literal["refuse", "keep", "drop"]

_FLAG_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEY = re.compile(r"[a-z0-9]")
#: Keys that the page has for other things.
KEYS_TAKEN = frozenset("xungvh")


@dataclass(frozen=True)
class ReviewSettings:
    """What decides a review.

    Attributes:
      seed: of orders and shares.
      flags: names with their keys, in order; the cause in a ledger is ``review-<name>``.
      block: images of a queue that a reviewer takes at a time; nobody else gets them.
      overlap: share of the blocks that several look at, 0 to 1.
      looks: how many look at those.
      gold: share of known images that are mixed in, each once for a reviewer, until all were shown.
      unseen: what becomes of images that nobody has looked at.
    """

    seed: int = 0
    flags: Mapping[str, str] = field(default_factory=lambda: dict(FLAGS))
    block: int = 240
    overlap: float = 0.0
    looks: int = 2
    gold: float = 0.02
    unseen: Unseen = "refuse"

    def __post_init__(self) -> None:
        if not 1 <= len(self.flags) <= 20:
            raise ValueError(f"flags: expected 1 to 20, found {len(self.flags)}")
        for name, key in self.flags.items():
            if not _FLAG_NAME.fullmatch(name):
                raise ValueError(f"flags: expected names such as text-or-name, found {name!r}")
            if not _KEY.fullmatch(key) or key in KEYS_TAKEN:
                raise ValueError(
                    f"flags: {name}: expected a key 0 to 9 or a to z but "
                    f"{', '.join(sorted(KEYS_TAKEN))}, found {key!r}"
                )
        if len(set(self.flags.values())) < len(self.flags):
            raise ValueError("flags: expected a key of its own for each")
        if not 1 <= self.block <= 10_000:
            raise ValueError(f"block: expected 1 to 10,000 images, found {self.block}")
        for name in ("overlap", "gold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0 to 1, found {getattr(self, name)}")
        if not 2 <= self.looks <= 100:
            raise ValueError(f"looks: expected 2 to 100, found {self.looks}")
        if self.unseen not in ("refuse", "keep", "drop"):
            raise ValueError(f"unseen: expected refuse, keep or drop, found {self.unseen!r}")


def reviewer_name(text: str) -> str:
    """A reviewer's name as it is kept.

    Raises:
      ValueError: it is empty, too long, or has characters that are not shown.
    """
    name = " ".join(text.split())
    if not 1 <= len(name) <= 40 or not name.isprintable():
        raise ValueError("a reviewer's name has 1 to 40 characters that can be shown")
    return name
