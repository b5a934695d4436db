"""The report as HTML: one file, pictures inside, no script."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.curate.duplicates.finding import Duplicates
from pass_dataset.curate.duplicates.report.hidden import Boxes, boxes_of
from pass_dataset.curate.duplicates.report.selection import chosen_pairs, largest_groups
from pass_dataset.curate.duplicates.results import source_names, summary_of
from pass_dataset.curate.duplicates.tiers import Tier
from pass_dataset.files.whole import write_whole
from pass_dataset.images.decoding import decode
from pass_dataset.pages.picture import Picture
from pass_dataset.pages.template import render
from pass_dataset.passify.report.thumbnails import make_thumbnail
from pass_dataset.progress import Progress, Silent

__all__ = ["write_report"]

_GROUPS = 12

_TITLES: dict[Tier, str] = {
    "photograph": "The same photograph",
    "bytes": "The same file",
    "pixels": "The same pixels",
    "near": "Nearly the same",
    "crop": "Parts, turned or overlaid",
    "grid": "Identical to the paper's tool",
}
_MEANINGS: dict[Tier, str] = {
    "photograph": "Known by the number at Flickr or by the hash of the address.",
    "bytes": "Known by a hash of 128 bits of the file.",
    "pixels": "Other files, but the same size and the same pixels.",
    "near": "Hashes that differ in few bits, and small pictures that agree. Those that differ most "
    "come first: look at these.",
    "crop": "Descriptors of a network that are near, and pictures that agree where one lies in the "
    "other; of other sets, descriptors alone. Those that are least near come first: look at these.",
    "grid": "The same size, and the same first channel at 225 points.",
}


@dataclass(frozen=True)
class Shown:
    """An image as it is shown.

    Attributes:
      source, path: which it is.
      verdict: what became of it, in words.
      facts: its size.
      picture: None if there is none.
      problem: why there is none.
    """

    source: str
    path: str
    verdict: str
    facts: str
    picture: Picture | None
    problem: str = ""


@dataclass(frozen=True)
class ShownPair:
    """Two images side by side; `distance` in bits, `cosine`: None where they are not asked."""

    left: Shown
    right: Shown
    distance: int | None
    cosine: float | None


def write_report(
    duplicates: Duplicates,
    out: Path,
    *,
    run: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Writes ``report.html``.

    Args:
      duplicates: what was found.
      out: folder that it is written into.
      run: a run of the filter over these images: what it found is blurred, and images that it did
        not look at are blurred as a whole. None: nothing is blurred.
      progress: shows how far it is.

    Returns:
      The file.

    Raises:
      RunError: the run cannot be read.
      MissingExtraError: Pillow is not installed.
      OSError: it cannot be written.
    """
    found = duplicates.found
    chosen = list(chosen_pairs(found))
    album = _Album(duplicates, chosen, run, progress or Silent())
    sections = [
        {
            "tier": tier,
            "title": _TITLES[tier],
            "meaning": _MEANINGS[tier],
            "number": int((found.tier == found.tier[places[0]]).sum()),
            "pairs": [album.pair(place) for place in places],
        }
        for tier, places in chosen
    ]
    groups = [(*duplicates_name(duplicates, first), size) for first, size in _groups(duplicates)]
    page = render(
        __package__,
        "page.html",
        {
            "sources": [listing.name for listing in duplicates.collections.listings],
            "sets": duplicates.sets,
            "summary": summary_of(duplicates),
            "titles": _TITLES,
            "sections": sections,
            "groups": groups,
            "is_blurred": run is not None,
            "written": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        },
    )
    path = out / "report.html"
    write_whole(path, page.encode())
    return path


def _groups(duplicates: Duplicates) -> list[tuple[int, int]]:
    return largest_groups(duplicates.found, _GROUPS)


def duplicates_name(duplicates: Duplicates, number: int) -> tuple[str, str]:
    """Source and path of an image, our own or of another set."""
    source = source_names(duplicates)[number].as_py()
    return source, duplicates.images["path"][number].as_py() or ""


class _Album:
    """Pictures of pairs."""

    def __init__(
        self,
        duplicates: Duplicates,
        chosen: list[tuple[Tier, list[int]]],
        run: Path | None,
        progress: Progress,
    ) -> None:
        self._duplicates = duplicates
        self._names = source_names(duplicates)
        self._hidden: Mapping[str, Boxes] | None = None
        found = duplicates.found
        places = [place for _, of_tier in chosen for place in of_tier]
        numbers = sorted(
            {int(side[place]) for place in places for side in (found.left, found.right)}
        )
        task = progress.task("Reading images", len(numbers), "images")
        self._shown: dict[int, Shown] = {}
        with duplicates.collections:
            if run is not None:
                ours = (number for number in numbers if number < duplicates.own)
                read = map(duplicates.collections.read, ours)
                self._hidden = boxes_of(run, {_sha256(data) for data in read if data is not None})
            for number in numbers:
                self._shown[number] = self._show(number)
                task.advance(1)
        task.finish()

    def pair(self, place: int) -> ShownPair:
        """A pair by its number."""
        found = self._duplicates.found
        distance, cosine = int(found.distance[place]), float(found.cosine[place])
        return ShownPair(
            self._shown[int(found.left[place])],
            self._shown[int(found.right[place])],
            distance if distance >= 0 else None,
            None if math.isnan(cosine) else cosine,
        )

    def _show(self, number: int) -> Shown:
        duplicates = self._duplicates
        source, path = self._names[number].as_py(), duplicates.images["path"][number].as_py() or ""
        width, height = (duplicates.images[side][number].as_py() for side in ("width", "height"))
        size_bytes = duplicates.images["size_bytes"][number].as_py()
        facts = f"{width:,} × {height:,}, {size_bytes:,} bytes" if width and height else ""
        if number >= duplicates.own:
            return Shown(
                source, path, "in another set", facts, None, "of this set no image is here"
            )
        verdict = "stays" if duplicates.verdicts.kept[number] else "goes"
        data = duplicates.collections.read(number)
        pixels = None if data is None else decode(data).pixels
        if data is None or pixels is None:
            return Shown(source, path, verdict, facts, None, "it cannot be read any more")
        boxes: Boxes = []
        if self._hidden is not None:
            boxes = self._hidden.get(_sha256(data))
        picture = make_thumbnail(pixels, boxes or (), blur_all=boxes is None)
        return Shown(source, path, verdict, facts, picture)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
