"""What all decisions together say of each image, and the answer in files.

An image is flagged if anyone flagged it, unless somebody had a second look: then the latest second
look decides. Known images count for their reviewers, and not for the answer.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.curate.audit.agreement import Agreement
from pass_dataset.curate.audit.gold import GoldResult
from pass_dataset.curate.audit.strata import Stratum
from pass_dataset.curate.review.decisions import read_log
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.images import ReviewImages
from pass_dataset.curate.review.queues import Queues
from pass_dataset.curate.review.record import Record, load_record
from pass_dataset.curate.review.seats import Seats
from pass_dataset.errors import CurationError
from pass_dataset.files.checked_json import save_json
from pass_dataset.files.hashing import file_sha256
from pass_dataset.files.whole import write_whole, writing_whole
from pass_dataset.pages.words import count, percent, share

__all__ = ["ReviewerFacts", "Verdicts", "collect", "write_answer", "write_decisions"]

_SCHEMA = 1
_HEAD = ("image", "reviewer", "look", "flag", "note", "at", "decision")


@dataclass(frozen=True)
class ReviewerFacts:
    """What one reviewer did.

    Attributes:
      name: as it was given.
      looked: images at first looks, known ones not counted; `again`: at second looks.
      flagged: of those at first looks.
      first_at, last_at: of the pages that were accepted, UTC; None: none was.
      gold: what was said of known images.
    """

    name: str
    looked: int
    again: int
    flagged: int
    first_at: str | None
    last_at: str | None
    gold: GoldResult


@dataclass
class Verdicts:
    """The answer of a review.

    Attributes:
      record: what the review is about.
      flags: names of flags; `codes` counts in them.
      codes: int8 for each row of the table: -1 nobody looked, 0 OK, 1 … a flag.
      looks: first and second looks at each.
      decisions_sha256: of the log that says so; None: there is none.
    """

    record: Record
    images: ReviewImages
    seats: Seats
    flags: tuple[str, ...]
    codes: npt.NDArray[np.int8]
    looks: npt.NDArray[np.int32]
    decisions_sha256: str | None
    _own: npt.NDArray[np.int64] = field(repr=False)

    @property
    def looked(self) -> int:
        """Images that anyone looked at."""
        return int(np.count_nonzero(self.codes[self._own] >= 0))

    @property
    def is_whole(self) -> bool:
        """True if somebody looked at every image."""
        return self.looked == len(self._own)

    @property
    def flagged(self) -> dict[str, int]:
        """Images by flag, most first."""
        numbers = Counter(int(code) for code in self.codes[self._own] if code > 0)
        return {self.flags[code - 1]: number for code, number in numbers.most_common()}

    def rows(self, *, flagged: bool) -> npt.NDArray[np.int64]:
        """Rows of images that are flagged, or that are OK or were not looked at."""
        codes = self.codes[self._own]
        return self._own[codes > 0 if flagged else codes <= 0]

    def reviewers(self) -> list[ReviewerFacts]:
        """What each did."""
        gold = self.images.column("gold")
        known = self.images.gold
        facts = []
        for name in self.seats.reviewers:
            first, second = self.seats.first.get(name), self.seats.second.get(name)
            looked = again = 0
            flagged: dict[int, str] = {}
            result = GoldResult(0, 0, 0, 0)
            numbers: list[int] = []
            if first is not None:
                done = first.decided > 0
                looked = int(np.count_nonzero(done[self._own]))
                flagged = {row: flag for row, flag in first.flagged().items() if gold[row] < 0}
                seen = known[done[known]]
                bad = [int(row) for row in seen if gold[row] == 1]
                good = [int(row) for row in seen if gold[row] == 0]
                missed = sum(first.flag(row) is None for row in bad)
                alarms = sum(first.flag(row) is not None for row in good)
                result = GoldResult(len(bad), missed, len(good), alarms)
                numbers += np.unique(first.decided[done]).tolist()
            if second is not None:
                again = int(np.count_nonzero(second.decided[self._own]))
                numbers += np.unique(second.decided[second.decided > 0]).tolist()
            times = sorted(self.seats.times[number] for number in numbers)
            begin, end = (times[0], times[-1]) if times else (None, None)
            facts.append(ReviewerFacts(name, looked, again, len(flagged), begin, end, result))
        return facts

    def agreements(self) -> dict[tuple[str, str], Agreement]:
        """Of each two reviewers: the images that both had a first look at."""
        found = {}
        names = sorted(self.seats.first)
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                a, b = self.seats.first[one], self.seats.first[other]
                both = self._own[(a.decided[self._own] > 0) & (b.decided[self._own] > 0)]
                if not len(both):
                    continue
                first, second = ({*seat.flagged()} for seat in (a, b))
                shared = {*both.tolist()}
                first, second = first & shared, second & shared
                found[one, other] = Agreement(
                    len(first & second),
                    len(first - second),
                    len(second - first),
                    len(both) - len(first | second),
                )
        return found

    def strata(self, folder: ReviewFolder, queue: str) -> list[Stratum]:
        """What was found in a sample, by its bands.

        Raises:
          CurationError: the queue was not made, or is no sample.
        """
        queues = Queues(folder, self.images, self.record.settings.seed)
        if queue not in queues.names():
            raise CurationError(
                f"{folder.path}: there is no queue {queue!r}; there are: "
                f"{', '.join(queues.names()) or 'none'}"
            )
        opened = queues.open(queue, self.seats)
        if not opened.bands:
            raise CurationError(f"{folder.path}: queue {queue!r} is no sample, which proves little")
        strata = []
        for name, images, start, stop in opened.bands:
            codes = self.codes[np.asarray(opened.rows[start:stop])]
            looked, bad = int(np.count_nonzero(codes >= 0)), int(np.count_nonzero(codes > 0))
            strata.append(Stratum(name, images, looked, bad))
        return strata

    def receipt(self) -> dict[str, Any]:
        """Who looked at how many, and what was found, as JSON has it."""
        return {
            "schema": _SCHEMA,
            "what": self.record.what,
            "images": len(self._own),
            "looked": self.looked,
            "flagged": self.flagged,
            "reviewers": [asdict(one) for one in self.reviewers()],
            "agreement": [
                {"reviewers": list(names), **asdict(two)}
                for names, two in self.agreements().items()
            ],
            "decisions_sha256": self.decisions_sha256,
        }

    def lines(self) -> list[str]:
        """The same for people."""
        flagged = sum(self.flagged.values())
        lines = [
            f"{count(self.looked, 'image', 'images')} of {len(self._own):,} looked at; "
            f"{flagged:,} flagged ({share(flagged, self.looked)})"
        ]
        lines += [f"  {name} {number:,}" for name, number in self.flagged.items()]
        for one in self.reviewers():
            line = f"{one.name}: {one.looked:,} looked at, {one.flagged:,} flagged"
            if one.again:
                line += f", {one.again:,} second looks"
            if one.gold.bad:
                _, low, high = one.gold.miss_rate()
                line += (
                    f"; missed {one.gold.missed:,} of {one.gold.bad:,} known ones "
                    f"({percent(low)} to {percent(high)})"
                )
            lines.append(line)
        return lines


def collect(folder: ReviewFolder) -> Verdicts:
    """Reads the decisions of a review, also while it is going on.

    Raises:
      CurationError: there is no review, or its log is damaged.
    """
    record = load_record(folder)
    images = ReviewImages(folder.images_path)
    seats = Seats(len(images))
    for entry in read_log(folder.decisions_path):
        seats.apply(entry)
    flags = tuple(record.settings.flags)
    sha256 = file_sha256(folder.decisions_path) if folder.decisions_path.exists() else None
    looks = seats.looks.astype(np.int32) + seats.second_looks
    return Verdicts(record, images, seats, flags, _codes(seats, flags), looks, sha256, images.own)


def _codes(seats: Seats, flags: tuple[str, ...]) -> npt.NDArray[np.int8]:
    number = {name: place + 1 for place, name in enumerate(flags)}
    codes = np.where(seats.looks > 0, 0, -1).astype(np.int8)
    # Of several flags the first in the order of the settings, whoever came first.
    for name in sorted(seats.first):
        for row, flag in seats.first[name].flagged().items():
            code = number[flag]
            codes[row] = code if codes[row] <= 0 else min(codes[row], code)
    latest = np.zeros(seats.images, np.int32)
    for name in sorted(seats.second):
        seat = seats.second[name]
        newer = seat.decided > latest
        latest[newer] = seat.decided[newer]
        codes[newer] = 0
        for row, flag in seat.flagged().items():
            if newer[row]:
                codes[row] = number[flag]
    return codes


def write_answer(folder: ReviewFolder, verdicts: Verdicts) -> None:
    """Writes kept.txt, flagged.tsv, removals.txt and the receipt.

    Images that nobody looked at are among the kept ones, unless the settings say ``drop``.

    Raises:
      CurationError: nobody looked at some images, and the settings refuse that.
      OSError: they cannot be written.
    """
    require_unseen(verdicts)
    kept = verdicts.rows(flagged=False)
    if verdicts.record.settings.unseen == "drop":
        kept = kept[verdicts.codes[kept] == 0]
    flagged = verdicts.rows(flagged=True)
    names = verdicts.images.names(flagged)
    write_whole(folder.kept_path, _lines(verdicts.images.names(kept)))
    # Lists of removals know images by their hashes, without folder and ending.
    write_whole(folder.removals_path, _lines([_hash_of(name) for name in names]))
    with writing_whole(folder.flagged_path) as file:
        for row, name in zip(flagged, names, strict=True):
            flag = verdicts.flags[verdicts.codes[row] - 1]
            file.write(f"{name}\t{flag}\t{int(verdicts.looks[row])}\n".encode())
    save_json(folder.receipt_path, verdicts.receipt(), indent=1)


def require_unseen(verdicts: Verdicts) -> None:
    """Raises `CurationError` if images were not looked at, and the settings refuse that."""
    if verdicts.record.settings.unseen == "refuse" and not verdicts.is_whole:
        left = verdicts.record.images - verdicts.looked
        raise CurationError(
            f"{verdicts.record.what}: nobody has looked at "
            f"{count(left, 'image', 'images')} yet; go on, or begin the review with "
            "--unseen keep or --unseen drop"
        )


def _hash_of(name: str) -> str:
    last = name.rpartition("/")[2]
    return last.rpartition(".")[0] or last


def _lines(names: list[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")


def write_decisions(verdicts: Verdicts, path: Path) -> int:
    """Writes each decision as a line of CSV; returns their number.

    Raises:
      OSError: it cannot be written.
    """
    rows = 0
    with writing_whole(path) as file:
        text = io.TextIOWrapper(file, "utf-8", "surrogateescape", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_HEAD)
        for look in ("first", "second"):
            for name, seat in sorted(getattr(verdicts.seats, look).items()):
                done = np.flatnonzero(seat.decided)
                names = verdicts.images.names(done)
                numbers = seat.decided[done].tolist()
                times = verdicts.seats.times
                marks = seat.marks
                nothing = ("", "")
                for row, image, number in zip(done.tolist(), names, numbers, strict=True):
                    mark = marks.get(row)
                    flag, note = nothing if mark is None else (mark.flag or "", mark.note)
                    writer.writerow((image, name, look, flag, note, times[number], number))
                rows += len(done)
        text.flush()
        text.detach()
    return rows
