"""Sizes and cameras of images, counted from their headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.records import PassArchive
from pass_dataset.pages.intervals import two_sided
from pass_dataset.reports.stats.numbers import Histogram, Spread, histogram_of, spread_of

__all__ = ["RATIOS", "Cameras", "Shapes", "UnreadableImage", "count_shapes"]

#: Longer over shorter side, by name; an image has one if it is within one per cent of it, which is
#: more than the rounding of 500 pixels to whole ones.
RATIOS = {"1:1": 1.0, "5:4": 5 / 4, "4:3": 4 / 3, "7:5": 7 / 5, "3:2": 3 / 2, "16:9": 16 / 9}
_TOLERANCE = 0.01
#: Width over height is counted by its binary logarithm, from four times as high as wide to four
#: times as wide as high.
_SHAPE_END, _SHAPE_BINS = 2.0, 80
_MOST_FREQUENT = 20
_NAMED = 20


@dataclass(frozen=True)
class UnreadableImage:
    """An image whose header cannot be read.

    Attributes:
      hash: its name.
      tar, offset: where it lies: name of the tar, bytes from its start.
      problem: what was found.
    """

    hash: str
    tar: str
    offset: int
    problem: str


@dataclass(frozen=True)
class Cameras:
    """Cameras as EXIF blocks name them; images are often published without.

    Attributes:
      known: images that name a camera.
      makes, models: the most frequent ones with their images.
    """

    known: int
    makes: tuple[tuple[str, int], ...]
    models: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Shapes:
    """Sizes in pixels as stored, and cameras, of the images whose header was read.

    Attributes:
      read: images whose header was asked for.
      is_sample: these were drawn at random; False: they are all images.
      seed: of the drawing; None where they are all.
      margin: of a sample: a share of the images read is nearer than this to the share of all
        images, with 95 % confidence; 0 where they are all.
      unreadable: images whose header cannot be read; all below is about the others.
      unreadable_images: the first of them.
      landscape, portrait, square: images by their sides.
      grey: images with one component.
      distinct_sizes: pairs of width and height.
      sizes: width, height and images, of the most frequent ones.
      ratios: images by the ratio of their sides, within one per cent; ``other``: by none of them.
      shape_histogram: binary logarithm of width over height, from -2 to 2; what is beyond is in
        the first and the last bin.
      longer_side, shorter_side: pixels, in short.
      longer_side_histogram: pixels.
      pixels: pixels an image, in short.
      cameras: what the EXIF blocks say.
    """

    read: int
    is_sample: bool
    seed: int | None
    margin: float
    unreadable: int
    unreadable_images: tuple[UnreadableImage, ...]
    landscape: int
    portrait: int
    square: int
    grey: int
    distinct_sizes: int
    sizes: tuple[tuple[int, int, int], ...]
    ratios: tuple[tuple[str, int], ...]
    shape_histogram: Histogram
    longer_side: Spread | None
    shorter_side: Spread | None
    longer_side_histogram: Histogram | None
    pixels: Spread | None
    cameras: Cameras

    @property
    def known(self) -> int:
        """Images whose header was read."""
        return self.read - self.unreadable


def count_shapes(headers: pa.Table, archive: PassArchive, seed: int | None) -> Shapes:
    """Counts sizes and cameras.

    Args:
      headers: see `headers.read_headers`.
      archive: where the images are.
      seed: of the sample; None: they are all images.
    """
    problems = headers.filter(pc.is_valid(headers["problem"]))
    good = headers.filter(pc.is_null(headers["problem"]))
    width, height = (good[name].to_numpy().astype(np.int64) for name in ("width", "height"))
    longer, shorter = np.maximum(width, height), np.minimum(width, height)
    sizes, images = np.unique(width << 16 | height, return_counts=True)
    most = np.argsort(-images, kind="stable")[:_MOST_FREQUENT]
    read = len(headers)
    return Shapes(
        read=read,
        is_sample=seed is not None,
        seed=seed,
        margin=0.0 if seed is None or not read else _margin(read),
        unreadable=len(problems),
        unreadable_images=_named(problems.slice(0, _NAMED), archive),
        landscape=int((width > height).sum()),
        portrait=int((width < height).sum()),
        square=int((width == height).sum()),
        grey=pc.sum(pc.equal(good["components"], 1)).as_py() or 0,
        distinct_sizes=len(sizes),
        sizes=tuple((int(sizes[n]) >> 16, int(sizes[n]) & 0xFFFF, int(images[n])) for n in most),
        ratios=_ratios(longer / shorter),
        shape_histogram=_shapes(np.log2(width / height)),
        longer_side=spread_of(longer),
        shorter_side=spread_of(shorter),
        longer_side_histogram=histogram_of(longer),
        pixels=spread_of(width * height),
        cameras=Cameras(
            known=pc.sum(pc.or_(pc.is_valid(good["make"]), pc.is_valid(good["model"]))).as_py()
            or 0,
            makes=_most_frequent(good["make"]),
            models=_most_frequent(good["model"]),
        ),
    )


def _margin(read: int) -> float:
    """Half the width of the confidence interval of a share of one half, the widest there is."""
    low, high = two_sided(read // 2, read)
    return (high - low) / 2


def _named(problems: pa.Table, archive: PassArchive) -> tuple[UnreadableImage, ...]:
    places = archive[problems["position"].to_numpy()].columns(["hash", "tar", "offset"])
    return tuple(
        UnreadableImage(place["hash"], archive.summary.tars[place["tar"]], place["offset"], problem)
        for place, problem in zip(places.to_pylist(), problems["problem"].to_pylist(), strict=True)
    )


def _ratios(ratios: np.ndarray[Any, Any]) -> tuple[tuple[str, int], ...]:
    counts = {
        name: int((np.abs(ratios / wanted - 1) <= _TOLERANCE).sum())
        for name, wanted in RATIOS.items()
    }
    return (*counts.items(), ("other", len(ratios) - sum(counts.values())))


def _shapes(logarithms: np.ndarray[Any, Any]) -> Histogram:
    inside = np.clip(logarithms, -_SHAPE_END, _SHAPE_END)
    counts, _ = np.histogram(inside, _SHAPE_BINS, (-_SHAPE_END, _SHAPE_END))
    return Histogram(-_SHAPE_END, 2 * _SHAPE_END / _SHAPE_BINS, tuple(counts.tolist()), 0)


def _most_frequent(names: pa.ChunkedArray) -> tuple[tuple[str, int], ...]:
    counted = names.drop_null().value_counts().to_pylist()
    counted.sort(key=lambda each: (-each["counts"], each["values"]))
    return tuple((each["values"], each["counts"]) for each in counted[:_MOST_FREQUENT])
