"""Duplicates in collections: hashed, compared, decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from pass_dataset.curate.duplicates.crop_search import crop_search, describe_images
from pass_dataset.curate.duplicates.crops.weights import crop_weights
from pass_dataset.curate.duplicates.hashing import fingerprints_of
from pass_dataset.curate.duplicates.index_file import HashIndex, check_described, rows_beside
from pass_dataset.curate.duplicates.keeping import KEEP_RULES, KeepRule, Verdicts, decide
from pass_dataset.curate.duplicates.listing import ITEMS, Listing, item_of
from pass_dataset.curate.duplicates.perceptual import RADIUS
from pass_dataset.curate.duplicates.small_pictures import Pictures
from pass_dataset.curate.duplicates.tiers import TIERS, Confirm, Found, find_pairs
from pass_dataset.curate.duplicates.unions import Numbers
from pass_dataset.errors import CurationError, PassDatasetError
from pass_dataset.executors.executor import Executor
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.source import Reader
from pass_dataset.progress import Progress, Silent

__all__ = ["CROP_COSINE", "Collections", "Duplicates", "DuplicatesSettings", "find_duplicates"]

#: Above it chance would bring pairs, and the search takes long.
_MAX_RADIUS = 47
#: Cosine from which on nine of ten pairs are copies, of ``sscd_disc_mixup`` on DISC2021: README of
#: the release (see `crops.weights`), "Using SSCD descriptors".
CROP_COSINE = 0.75
#: Under it there are pairs without end.
_LEAST_COSINE = 0.3


@dataclass(frozen=True)
class DuplicatesSettings:
    """What decides which images are duplicates, and which of them stay.

    Attributes:
      radius: bits of 256 in which the codes of near images differ at most; with -1, near images are
        not looked for.
      keep: which image of a group stays, see `keeping.KeepRule`.
      as_published: by the rule of the tool that the paper used instead, see `as_published`.
      against: index files of other sets, by their paths.
      coco: annotations of COCO, by their paths.
      crops: path of SSCD's weights, with which parts of images, turned ones and overlaid ones are
        looked for too; None: they are not.
      crops_sha256: digest that the weights must have; None: any.
      crop_cosine: of descriptors of crops, at least.
    """

    radius: int = RADIUS
    keep: KeepRule = "largest"
    as_published: bool = False
    against: tuple[str, ...] = ()
    coco: tuple[str, ...] = ()
    crops: str | None = None
    crops_sha256: str | None = None
    crop_cosine: float = CROP_COSINE

    def __post_init__(self) -> None:
        if not -1 <= self.radius <= _MAX_RADIUS:
            raise ValueError(f"radius: expected -1 to {_MAX_RADIUS}, found {self.radius}")
        if self.keep not in KEEP_RULES:
            raise ValueError(f"keep: expected one of {', '.join(KEEP_RULES)}, found {self.keep!r}")
        if not _LEAST_COSINE <= self.crop_cosine <= 1:
            raise ValueError(
                f"crop_cosine: expected {_LEAST_COSINE} to 1, found {self.crop_cosine}"
            )
        if self.crops_sha256 is not None and self.crops is None:
            raise ValueError("crops_sha256: expected the weights as crops too, found none")
        if self.crops is not None and self.as_published:
            raise ValueError("crops: the paper's rule (as_published) does not look for them")


class Collections:
    """Listed collections whose images are numbered through, in order.

    Attributes:
      listings: the collections.
    """

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.listings = tuple(listings)
        sizes = [listing.items.num_rows for listing in listings]
        self._ends = np.cumsum(sizes)
        self._readers: dict[int, Reader] = {}
        self._stack = ExitStack()

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __enter__(self) -> Collections:
        for number, listing in enumerate(self.listings):
            reader = open_source(listing.settings).reader(listing.files)
            self._readers[number] = reader
            self._stack.callback(reader.close)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def place(self, number: int) -> tuple[int, int]:
        """Collection and row of an image."""
        collection = int(np.searchsorted(self._ends, number, side="right"))
        return collection, number - (int(self._ends[collection - 1]) if collection else 0)

    def name(self, number: int) -> tuple[str, str]:
        """Name of its collection, and path in it."""
        collection, row = self.place(number)
        listing = self.listings[collection]
        return listing.name, listing.items["path"][row].as_py()

    def read(self, number: int) -> bytes | None:
        """The bytes of an image; None if they cannot be read (any more)."""
        collection, row = self.place(number)
        items = self.listings[collection].items
        where = tuple(items[name][row].as_py() for name in ITEMS.names[:-1])
        try:
            return self._readers[collection].read(item_of(where))
        except (OSError, PassDatasetError):
            return None


@dataclass(frozen=True)
class Duplicates:
    """What was found.

    Attributes:
      collections: where our images are.
      sets: other sets, in order.
      images: our own with the columns of `hashing.IMAGES`, and then those of other sets.
      own: number of our own.
      found: pairs and groups.
      verdicts: what becomes of our own.
      set_numbers: the set of each image that is not ours.
    """

    collections: Collections
    sets: tuple[str, ...]
    images: pa.Table
    own: int
    found: Found
    verdicts: Verdicts
    set_numbers: Numbers

    def counts(self) -> dict[str, int]:
        """Pairs by tier, images by cause, what is broken: for messages and records."""
        tiers = Counter(self.found.tier.tolist())
        counts = {f"pairs-{tier}": tiers[number] for number, tier in enumerate(TIERS)}
        counts["groups"] = len(np.unique(self.found.groups[self.found.left]))
        counts["not-confirmed"] = self.found.refused
        if self.found.left_out:
            counts["not-looked-at"] = self.found.left_out
        counts["broken"] = self.own - self.images["broken"].slice(0, self.own).null_count
        return counts


def find_duplicates(
    listings: Sequence[Listing],
    folder: Path,
    settings: DuplicatesSettings,
    against: Sequence[HashIndex] = (),
    *,
    executor: Executor | None = None,
    describing: Executor | None = None,
    device: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Duplicates | None:
    """Finds duplicates within collections, and of their images in other sets.

    Args:
      listings: the collections, whose names differ.
      folder: fingerprints are kept there.
      settings: what counts, and what stays.
      against: other sets, whose names differ.
      executor: where images are hashed, made with `Hashing`; None: on this machine.
      describing: where they are described, if crops are asked for, made with `Describing`; None: on
        this machine.
      device: where their descriptors are compared, on this machine: ``cpu``, ``cuda`` or
        ``cuda:N``; None: CUDA where there is one.
      workers: processes on this machine; None: one a core.
      progress: shows how far it is.

    Returns:
      What was found; None: others still hash (`Executor.waits`), and the same call, later, finds.

    Raises:
      CurationError: names are not different, or what was hashed cannot be read.
      WeightsError: those of crops cannot be used, or something was described with others.
      MissingExtraError: a package is not installed that crops need.
      SourceChangedError: a file was changed while it was hashed.
      RunError: shards could not be hashed.
      FolderLockedError: another process has the folder.
      OSError: the folder cannot be written.
    """
    progress = progress or Silent()
    for what, names in (
        ("sources", [one.name for one in listings]),
        ("other sets", [one.name for one in against]),
    ):
        if len(set(names)) < len(names):
            raise CurationError(f"{what}: expected different names, found {', '.join(names)}")
    weights = None
    if settings.crops is not None:
        weights = crop_weights(Path(settings.crops), settings.crops_sha256)
        check_described(against, weights.sha256)
    tables = fingerprints_of(
        listings, folder, executor=executor, workers=workers, progress=progress
    )
    if tables is None:
        return None
    described = None
    if weights is not None:
        described = describe_images(
            listings,
            folder,
            weights,
            executor=describing,
            workers=workers,
            progress=progress,
        )
        if described is None:
            return None
    images = pa.concat_tables([*tables, *(index.images for index in against)])
    own = sum(table.num_rows for table in tables)
    set_numbers = np.repeat(np.arange(len(against)), [one.images.num_rows for one in against])
    collections = Collections(listings)
    with collections:
        found = find_pairs(
            images,
            own,
            radius=settings.radius,
            as_published=settings.as_published,
            confirm=_confirming(collections, own, progress),
            crops=None
            if described is None
            else crop_search(
                rows_beside(described, against),
                own,
                collections.read,
                least=settings.crop_cosine,
                device=device,
                progress=progress,
            ),
        )
    verdicts = decide(images, own, set_numbers.astype(np.int32), found.groups, settings.keep)
    return Duplicates(
        collections,
        tuple(one.name for one in against),
        images,
        own,
        found,
        verdicts,
        set_numbers,
    )


def _confirming(
    collections: Collections, own: int, progress: Progress
) -> Callable[[Numbers], Confirm]:
    def confirm(numbers: Numbers) -> Confirm:
        task = progress.task("Comparing", int((numbers < own).sum()), "images")

        def read(place: int) -> bytes | None:
            task.advance(1)
            return collections.read(int(numbers[place]))

        pictures = Pictures(numbers, read, own)
        task.finish()
        return pictures.agree

    return confirm
