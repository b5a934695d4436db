"""Orders in which images are looked at: arrays of rows, written once, and mapped.

all            every image, in random order
risk           the highest scores first: whatever any score ranks high comes soon
risk:NAME      the same by one score
sample:N       N images at random; sample:N:SCORE: as many of each of five bands of a score
flagged        what was flagged and has had no second look; shown to others than who flagged it
disagreements  what some flagged and others let pass, and has had no second look

The last two are of the moment when they are made, and have a number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.order import random_keys
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.images import ReviewImages
from pass_dataset.curate.review.seats import Look, Seats
from pass_dataset.errors import CurationError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.files.whole import writing_whole

__all__ = ["BANDS", "Queue", "Queues"]

#: Bands of a score that a stratified sample has: halves of halves from the top, as what is bad
#: gathers there.
BANDS = (0.5, 0.75, 0.9, 0.98)


@dataclass(frozen=True)
class Queue:
    """An order.

    Attributes:
      name: as it was asked for, with a number where it is of its moment.
      look: whether it is a second look.
      rows: of the images, int32, in order.
      bands: of a stratified sample: for each band its name, the images in the whole, and where its
        images are in `rows` (first, last plus one).
    """

    name: str
    look: Look
    rows: npt.NDArray[Any]
    bands: tuple[tuple[str, int, int, int], ...] = ()

    def blocks(self, size: int) -> int:
        """Number of blocks of so many images."""
        return -(-len(self.rows) // size)


class Queues:
    """The queues of a review."""

    def __init__(self, folder: ReviewFolder, images: ReviewImages, seed: int) -> None:
        self._folder, self._images, self._seed = folder, images, seed

    def names(self) -> list[str]:
        """Those that were made, oldest first."""
        paths = [*self._folder.queues_path.glob("*.json")]
        found = [load_json(path) for path in paths]
        return [str(one["name"]) for one in sorted(found, key=lambda one: one["number"])]

    def open(self, asked: str, seats: Seats) -> Queue:
        """A queue that was made, or a new one.

        Args:
          asked: its name, see above.
          seats: what was said so far, for queues of second looks.

        Raises:
          CurationError: there is no such queue, or nothing would be in it.
        """
        for path in sorted(self._folder.queues_path.glob("*.json")):
            found = load_json(path)
            if found["name"] == asked:
                return self._load(found)
        return self._make(asked, seats)

    def _load(self, found: dict[str, Any]) -> Queue:
        path = self._folder.queues_path / f"{found['number']:04d}.npy"
        try:
            rows = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise CurationError(f"{path}: cannot be read: {error}") from error
        bands = tuple((str(b[0]), int(b[1]), int(b[2]), int(b[3])) for b in found["bands"])
        return Queue(found["name"], found["look"], rows, bands)

    def _make(self, asked: str, seats: Seats) -> Queue:
        queue = self._order(asked, seats)
        if not len(queue.rows):
            raise CurationError(f"{self._folder.path}: queue {asked}: there is no image for it")
        number = len(list(self._folder.queues_path.glob("*.json"))) + 1
        if queue.look == "second":
            same = [name for name in self.names() if name.startswith(f"{asked}-")]
            queue = replace(queue, name=f"{asked}-{len(same) + 1}")
        self._folder.queues_path.mkdir(exist_ok=True)
        path = self._folder.queues_path / f"{number:04d}.npy"
        with writing_whole(path) as file:
            np.save(file, queue.rows.astype(np.int32), allow_pickle=False)
        content = {
            "number": number,
            "name": queue.name,
            "look": queue.look,
            "bands": queue.bands,
        }
        # Last: a queue is there when it has its name.
        save_json(path.with_suffix(".json"), content)
        return self._load(content | {"bands": list(queue.bands)})

    def _order(self, asked: str, seats: Seats) -> Queue:
        kind, _, rest = asked.partition(":")
        own = self._images.own
        shuffled = own[np.argsort(random_keys(0, len(own), self._seed), kind="stable")]
        if asked == "all":
            return Queue(asked, "first", shuffled)
        if kind == "risk":
            return Queue(asked, "first", self._by_risk(shuffled, rest))
        if kind == "sample":
            return self._sample(asked, shuffled, rest)
        if asked in ("flagged", "disagreements"):
            flags, looks = seats.first_flags(), seats.looks
            wanted = flags > 0 if asked == "flagged" else (flags > 0) & (flags < looks)
            wanted &= seats.second_looks == 0
            return Queue(asked, "second", shuffled[wanted[shuffled]])
        raise CurationError(
            f"queue {asked!r}: expected all, risk, risk:SCORE, sample:N, sample:N:SCORE, flagged, "
            "or disagreements"
        )

    def _score(self, name: str) -> npt.NDArray[Any]:
        if name not in self._images.scores:
            raise CurationError(
                f"{self._folder.path}: no score is called {name!r}; there are: "
                f"{', '.join(self._images.scores) or 'none'}"
            )
        return self._images.column(name)

    def _by_risk(self, rows: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
        """Best rank in any score first; images without a score last."""
        names = [name] if name else self._images.scores
        if not names:
            raise CurationError(f"{self._folder.path}: the images have no scores to go by")
        best = np.full(len(rows), len(rows), np.int64)
        for one in names:
            values = -self._score(one)[rows]
            order = np.argsort(values, kind="stable")  # NaN last
            ranks = np.empty(len(rows), np.int64)
            ranks[order] = np.arange(len(rows))
            ranks[np.isnan(values)] = len(rows)
            best = np.minimum(best, ranks)
        return rows[np.argsort(best, kind="stable")]

    def _sample(self, asked: str, rows: npt.NDArray[Any], rest: str) -> Queue:
        number, _, name = rest.partition(":")
        if not number.isdecimal() or not 0 < int(number) <= 10**9:
            raise CurationError(f"queue {asked!r}: expected a number of images, found {number!r}")
        if not name:
            chosen = rows[: int(number)]
            return Queue(asked, "first", chosen, (("all", len(rows), 0, len(chosen)),))
        values = self._score(name)[rows]
        known = ~np.isnan(values)
        edges = np.quantile(values[known], BANDS) if known.any() else np.zeros(len(BANDS))
        band = np.where(known, np.searchsorted(edges, values, side="right"), len(BANDS) + 1)
        members = {one: rows[band == one] for one in np.unique(band).tolist()}
        shares = _shared_out(int(number), {one: len(found) for one, found in members.items()})
        bands, parts, start = [], [], 0
        for one, found in members.items():
            stop = start + shares[one]
            parts.append(found[: shares[one]])
            bands.append((self._band_name(name, edges, one), len(found), start, stop))
            start = stop
        return Queue(asked, "first", np.concatenate(parts), tuple(bands))

    @staticmethod
    def _band_name(name: str, edges: npt.NDArray[Any], band: int) -> str:
        if band > len(edges):
            return f"without {name}"
        low = f"{edges[band - 1]:.4g}" if band else ""
        high = f"{edges[band]:.4g}" if band < len(edges) else ""
        if low and high:
            return f"{name} {low} to {high}"
        return f"{name} from {low}" if low else f"{name} under {high}"


def _shared_out(number: int, sizes: dict[int, int]) -> dict[int, int]:
    """As many of each band, and more of others where one has not so many."""
    shares, left = {}, number
    for place, one in enumerate(sorted(sizes, key=lambda one: sizes[one])):
        shares[one] = min(sizes[one], left // (len(sizes) - place))
        left -= shares[one]
    return shares
