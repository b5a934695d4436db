"""What each reviewer has said so far: the log's entries, applied one after the other.

A reviewer has two seats: one for first looks, and one for second looks at what others flagged or
did not agree on. At a seat an image is marked or not, and decided or not: marks are kept at once,
and count when their page is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Act", "Look", "Mark", "Seat", "Seats"]

Look = Literal["first", "second"]


@dataclass(frozen=True)
class Mark:
    """What was said of an image: its flag (None: it is OK) and a note."""

    flag: str | None
    note: str = ""


@dataclass(frozen=True)
class Act:
    """Something that can be undone: entry `n` of the log, and what was there before."""

    n: int
    do: str
    queue: str
    block: int
    page: int
    look: Look
    images: npt.NDArray[np.int32]
    before: Any


@dataclass
class Seat:
    """One reviewer's decisions of one kind.

    Attributes:
      decided: int32 for each image: number of the entry that accepted its page; 0: undecided.
      marks: images with a flag or a note.
    """

    decided: npt.NDArray[np.int32]
    marks: dict[int, Mark] = field(default_factory=dict)

    def flag(self, image: int) -> str | None:
        """Its flag, decided or not."""
        mark = self.marks.get(image)
        return None if mark is None else mark.flag

    def flagged(self) -> dict[int, str]:
        """Flags of decided images."""
        return {
            image: mark.flag
            for image, mark in self.marks.items()
            if mark.flag is not None and self.decided[image]
        }


class Seats:
    """All seats, and what was done at each, so that it can be undone."""

    def __init__(self, images: int) -> None:
        self.images = images
        self.first: dict[str, Seat] = {}
        self.second: dict[str, Seat] = {}
        #: First looks at each image, by anyone.
        self.looks = np.zeros(images, np.uint16)
        #: Second looks, likewise.
        self.second_looks = np.zeros(images, np.uint16)
        self.acts: dict[str, list[Act]] = {}
        #: Blocks that were taken: by queue and reviewer, in order.
        self.blocks: dict[str, dict[str, list[int]]] = {}
        #: The how manieth block that a reviewer took it was, by queue, reviewer and block.
        self.turns: dict[tuple[str, str, int], int] = {}
        self._turns: dict[str, int] = {}
        #: Time of each accepting entry, by its number.
        self.times: dict[int, str] = {}
        self.sent: dict[str, int] = {}
        self.last = 0

    @property
    def reviewers(self) -> list[str]:
        """Who has looked, or begun to."""
        return sorted({*self.first, *self.second})

    def seat(self, reviewer: str, look: Look) -> Seat:
        """A reviewer's seat."""
        seats = self.first if look == "first" else self.second
        if reviewer not in seats:
            seats[reviewer] = Seat(np.zeros(self.images, np.int32))
        return seats[reviewer]

    def taken(self, queue: str, reviewer: str) -> list[int]:
        """Blocks of a queue that a reviewer has taken."""
        return self.blocks.setdefault(queue, {}).setdefault(reviewer, [])

    def apply(self, entry: dict[str, Any]) -> None:
        """Applies an entry of the log."""
        self.last = entry["n"]
        if "id" in entry:
            self.sent[entry["id"]] = entry["n"]
        do, by = entry["do"], entry["by"]
        if do == "take":
            self.taken(entry["queue"], by).append(entry["block"])
            self.turns[entry["queue"], by, entry["block"]] = self._turns.get(by, 0)
            self._turns[by] = self._turns.get(by, 0) + 1
        elif do == "give-back":
            mine = self.taken(entry["queue"], by)
            mine[:] = [block for block in mine if block not in entry["blocks"]]
        elif do == "undo":
            acts = self.acts.get(by, [])
            if acts and acts[-1].n == entry["of"]:
                self._undo(by, acts.pop())
        elif do in ("mark", "accept"):
            self._act(entry)

    def _act(self, entry: dict[str, Any]) -> None:
        by, look = entry["by"], entry["look"]
        seat = self.seat(by, look)
        before: Any
        if entry["do"] == "mark":
            image = entry["image"]
            images = np.array([image], np.int32)
            before = seat.marks.get(image)
            mark = Mark(entry.get("flag"), entry.get("note", ""))
            if mark == Mark(None):
                seat.marks.pop(image, None)
            else:
                seat.marks[image] = mark
        else:
            images = np.array(entry["images"], np.int32)
            before = seat.decided[images]
            counts = self.looks if look == "first" else self.second_looks
            counts[images[before == 0]] += 1
            seat.decided[images] = entry["n"]
            self.times[entry["n"]] = entry["at"]
        act = Act(
            entry["n"],
            entry["do"],
            entry["queue"],
            entry["block"],
            entry["page"],
            look,
            images,
            before,
        )
        self.acts.setdefault(by, []).append(act)

    def _undo(self, reviewer: str, act: Act) -> None:
        seat = self.seat(reviewer, act.look)
        if act.do == "mark":
            image = int(act.images[0])
            if act.before is None:
                seat.marks.pop(image, None)
            else:
                seat.marks[image] = act.before
            return
        counts = self.looks if act.look == "first" else self.second_looks
        counts[act.images[act.before == 0]] -= 1
        seat.decided[act.images] = act.before
        self.times.pop(act.n, None)

    def first_flags(self) -> npt.NDArray[np.int32]:
        """How many first looks flagged each image."""
        flags = np.zeros(self.images, np.int32)
        for seat in self.first.values():
            flags[list(seat.flagged())] += 1
        return flags

    def decisions(self) -> int:
        """First and second looks at images, all together."""
        return int(self.looks.sum()) + int(self.second_looks.sum())
