"""What a reviewer gets next, and what she may do: queues are given out block by block.

A block belongs to who takes it, and nobody else gets it, but for the share of blocks that several
look at (`ReviewSettings.overlap`). Who comes first takes first: reviewers may come and go. Looking
back and ahead, at any page, is free.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.order import random_keys, shuffled_order
from pass_dataset.curate.review.decisions import DecisionLog
from pass_dataset.curate.review.images import ReviewImages
from pass_dataset.curate.review.queues import Queue, Queues
from pass_dataset.curate.review.seats import Act, Seats
from pass_dataset.curate.review.settings import ReviewSettings
from pass_dataset.errors import CurationError

__all__ = ["Desk", "PageView"]

_MAX_NOTE = 2000
_MAX_PAGE = 200


@dataclass(frozen=True)
class PageView:
    """A page: some images of a block, for one reviewer.

    Attributes:
      queue: its name.
      block, page, pages: which block of the queue, which page of the block, and how many it has.
      position: of its first image in the queue, from 0.
      images: rows.
      flags, notes, decided: of each image, as this reviewer has said.
    """

    queue: str
    block: int
    page: int
    pages: int
    position: int
    images: list[int]
    flags: list[str | None]
    notes: list[str]
    decided: list[bool]


class Desk:
    """The review's images, queues and decisions, as reviewers meet them. Threads may share it."""

    def __init__(
        self, images: ReviewImages, queues: Queues, log: DecisionLog, settings: ReviewSettings
    ) -> None:
        """Takes up what the log has.

        Raises:
          CurationError: the log is damaged.
        """
        self.images, self.settings, self._log = images, settings, log
        self._queues = queues
        self.seats = Seats(len(images))
        log.replay(self.seats.apply)
        self._open: dict[str, Queue] = {}
        self._gold = images.gold
        self._own = len(images) - len(self._gold)
        self._lock = threading.RLock()

    # --- queues and blocks --------------------------------------------------------------------

    def queue(self, name: str) -> Queue:
        """A queue; it is made if it is new.

        Raises:
          CurationError: there is none of that name, or nothing would be in it.
        """
        with self._lock:
            if name not in self._open:
                queue = self._queues.open(name, self.seats)
                self._open[queue.name] = queue
                return queue
            return self._open[name]

    def _block(self, queue: Queue, block: int, reviewer: str) -> npt.NDArray[np.int32]:
        """The images of a block as this reviewer sees it."""
        size = self.settings.block
        rows = np.asarray(queue.rows[block * size : (block + 1) * size])
        if queue.look == "second":
            return rows[self._may_look_again(rows, reviewer)]
        taken = self.seats.taken(queue.name, reviewer)
        known = self._known(queue, block, reviewer) if block in taken else rows[:0]
        if not len(known):
            return rows
        # Where they stand depends on the block and the reviewer alone.
        seed = self.settings.seed + block
        places = random_keys(0, len(known), seed) % np.uint64(len(rows) + 1)
        return np.insert(rows, np.sort(places.astype(np.int64)), known)

    def _known(self, queue: Queue, block: int, reviewer: str) -> npt.NDArray[Any]:
        """The known images that go with a block: each reviewer sees each once."""
        each = max(1, round(self.settings.gold * self.settings.block))
        if not len(self._gold) or self.settings.gold == 0:
            return self._gold[:0]
        before = self.seats.turns[queue.name, reviewer, block]
        order = shuffled_order(len(self._gold), self.settings.seed)
        chosen: npt.NDArray[Any] = self._gold[order[before * each : (before + 1) * each]]
        return chosen

    def _may_look_again(self, rows: npt.NDArray[Any], reviewer: str) -> npt.NDArray[np.bool_]:
        """Not at what one flagged oneself, if others have looked; nor at what others did again."""
        mine = self.seats.seat(reviewer, "second").decided[rows] > 0
        free = self.seats.second_looks[rows] == 0
        if any(name != reviewer for name in self.seats.first):
            own = self.seats.seat(reviewer, "first").flagged()
            free &= ~np.array([int(row) in own for row in rows], bool)
        may: npt.NDArray[np.bool_] = mine | free
        return may

    def _needed(self, queue: Queue) -> npt.NDArray[np.int64]:
        """How many may take each block."""
        blocks = queue.blocks(self.settings.block)
        if queue.look == "second":
            return np.full(blocks, 10**6)
        share = random_keys(0, blocks, self.settings.seed + 1) / np.float64(2**64)
        # The lowest of them, so that the share is as said also for few blocks.
        several = np.argsort(share, kind="stable")[: round(self.settings.overlap * blocks)]
        needed = np.ones(blocks, np.int64)
        needed[several] = self.settings.looks
        return needed

    def _free_block(self, queue: Queue, reviewer: str) -> int | None:
        taken = np.zeros(queue.blocks(self.settings.block), np.int64)
        for blocks in self.seats.blocks.get(queue.name, {}).values():
            taken[blocks] += 1
        free = taken < self._needed(queue)
        free[self.seats.taken(queue.name, reviewer)] = False
        found = np.flatnonzero(free)
        return int(found[0]) if len(found) else None

    # --- pages ----------------------------------------------------------------------------------

    def next_page(self, name: str, reviewer: str, size: int) -> PageView | None:
        """The first page with images that this reviewer has not decided; None: she is done.

        Raises:
          CurationError: there is no such queue.
          OSError: a block cannot be taken, as the log cannot be written.
        """
        with self._lock:
            queue = self.queue(name)
            decided = self.seats.seat(reviewer, queue.look).decided
            for block in self.seats.taken(queue.name, reviewer):
                rows = self._block(queue, block, reviewer)
                left = np.flatnonzero(decided[rows] == 0)
                if len(left):
                    return self.page(queue.name, reviewer, block, int(left[0]) // size, size)
            while (block_or_none := self._free_block(queue, reviewer)) is not None:
                entry = self._log.add(reviewer, "take", queue=queue.name, block=block_or_none)
                self.seats.apply(entry)
                rows = self._block(queue, block_or_none, reviewer)
                left = np.flatnonzero(decided[rows] == 0)
                if len(left):
                    place = int(left[0]) // size
                    return self.page(queue.name, reviewer, block_or_none, place, size)
            return None

    def page(self, name: str, reviewer: str, block: int, page: int, size: int) -> PageView:
        """Any page.

        Raises:
          CurationError: there is no such queue or block.
        """
        with self._lock:
            queue = self.queue(name)
            if not 0 <= block < queue.blocks(self.settings.block):
                raise CurationError(f"queue {name}: there is no block {block}")
            if not 1 <= size <= _MAX_PAGE:
                raise CurationError(f"a page has 1 to {_MAX_PAGE} images, asked for are {size}")
            rows = self._block(queue, block, reviewer)
            pages = max(1, -(-len(rows) // size))
            page = min(max(page, 0), pages - 1)
            shown = [int(row) for row in rows[page * size : (page + 1) * size]]
            seat = self.seats.seat(reviewer, queue.look)
            marks = [seat.marks.get(row) for row in shown]
            return PageView(
                queue.name,
                block,
                page,
                pages,
                block * self.settings.block + page * size,
                shown,
                [None if mark is None else mark.flag for mark in marks],
                ["" if mark is None else mark.note for mark in marks],
                [bool(seat.decided[row]) for row in shown],
            )

    def page_at(self, name: str, reviewer: str, position: int, size: int) -> PageView:
        """The page with the image at a position of the queue, counted from 0."""
        queue = self.queue(name)
        position = min(max(position, 0), len(queue.rows) - 1)
        block, within = divmod(position, self.settings.block)
        return self.page(name, reviewer, block, within // size, size)

    def coming(self, view: PageView, reviewer: str, count: int) -> list[int]:
        """Images that come after a page, for thumbnails: of its block, and of the free ones."""
        with self._lock:
            queue = self.queue(view.queue)
            rows = self._block(queue, view.block, reviewer)
            begin = view.position - view.block * self.settings.block + len(view.images)
            after = np.asarray(queue.rows[(view.block + 1) * self.settings.block :][:count])
            return [int(row) for row in [*rows[begin:], *after][:count]]

    # --- what reviewers do ------------------------------------------------------------------------

    def mark(
        self,
        reviewer: str,
        name: str,
        place: tuple[int, int],
        image: int,
        flag: str | None,
        note: str,
        sent: str | None = None,
    ) -> None:
        """Marks an image with a flag (None: as OK) and a note; it counts once its page is accepted.

        Args:
          reviewer, name, place, image: who, in which queue, at which block and page, and of which.
          flag, note: what is said.
          sent: what was sent twice has the same, and counts once.

        Raises:
          CurationError: there is no such image or flag, or the note is too long.
          OSError: it could not be kept.
        """
        with self._lock:
            queue = self._checked(name, [image])
            if flag is not None and flag not in self.settings.flags:
                raise CurationError(f"there is no flag {flag!r}")
            if len(note) > _MAX_NOTE:
                raise CurationError(f"a note has up to {_MAX_NOTE:,} characters")
            self._add(reviewer, "mark", sent, queue, place, image=image, flag=flag, note=note)

    def accept(
        self,
        reviewer: str,
        name: str,
        place: tuple[int, int],
        images: list[int],
        sent: str | None = None,
    ) -> None:
        """Accepts a page: what is marked on it is flagged, and all else is OK.

        Raises:
          CurationError: one of the images is not there.
          OSError: it could not be kept.
        """
        with self._lock:
            queue = self._checked(name, images)
            self._add(reviewer, "accept", sent, queue, place, images=images)

    def undo(self, reviewer: str, sent: str | None = None) -> Act | None:
        """Takes back the last thing that a reviewer did; None: there is nothing left.

        Raises:
          OSError: it could not be kept.
        """
        with self._lock:
            acts = self.seats.acts.get(reviewer, [])
            if not acts or (sent is not None and sent in self.seats.sent):
                return None
            act = acts[-1]
            told = {} if sent is None else {"id": sent}
            self.seats.apply(self._log.add(reviewer, "undo", of=act.n, **told))
            return act

    def give_back(self, reviewer: str) -> int:
        """Gives the blocks back that a reviewer has not begun, for others; returns how many.

        Raises:
          OSError: it could not be kept.
        """
        with self._lock:
            given = 0
            for name in list(self.seats.blocks):
                queue = self.queue(name)
                decided = self.seats.seat(reviewer, queue.look).decided
                blocks = [
                    block
                    for block in self.seats.taken(name, reviewer)
                    if not decided[self._block(queue, block, reviewer)].any()
                ]
                if blocks:
                    entry = self._log.add(reviewer, "give-back", queue=name, blocks=blocks)
                    self.seats.apply(entry)
                    given += len(blocks)
            return given

    def progress(self, name: str) -> dict[str, int]:
        """How far a queue is: its images, those that anyone has decided, and all flags."""
        with self._lock:
            queue = self.queue(name)
            looks = self.seats.looks if queue.look == "first" else self.seats.second_looks
            if len(queue.rows) == self._own:
                looked = int(np.count_nonzero(looks)) - int(np.count_nonzero(looks[self._gold]))
            else:
                looked = int(np.count_nonzero(looks[queue.rows]))
            return {"images": len(queue.rows), "looked": looked}

    def _checked(self, name: str, images: list[int]) -> Queue:
        queue = self.queue(name)
        if not images or len(images) > _MAX_PAGE + len(self._gold):
            raise CurationError(f"expected the images of a page, found {len(images)}")
        if len(set(images)) < len(images) or not all(0 <= i < len(self.images) for i in images):
            raise CurationError("one of these images is not there, or is there twice")
        return queue

    def _add(
        self,
        reviewer: str,
        do: str,
        sent: str | None,
        queue: Queue,
        place: tuple[int, int],
        **what: Any,
    ) -> None:
        if sent is not None:
            if sent in self.seats.sent:
                return
            what["id"] = sent
        block, page = place
        entry = self._log.add(
            reviewer, do, queue=queue.name, look=queue.look, block=block, page=page, **what
        )
        self.seats.apply(entry)
