"""Two encoders on some sets of labelled images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.comparison.bootstrap import Difference, difference
from pass_dataset.evaluate.data.labelled import LabelledImages
from pass_dataset.evaluate.data.opening import open_data
from pass_dataset.evaluate.features.cache import Features
from pass_dataset.evaluate.features.embedding import Work, embed
from pass_dataset.evaluate.features.transforms import TransformSettings
from pass_dataset.evaluate.models.encoders import Encoder
from pass_dataset.evaluate.protocols.running import PROTOCOLS, Probed, run_protocols
from pass_dataset.evaluate.protocols.statistics import Outcome
from pass_dataset.progress import Progress

__all__ = ["CompareSettings", "ComparedSet", "Comparison", "Row", "compare", "probe", "signed"]

#: Of training and of test images: how many of these have copies among those.
FindCopies = Callable[[LabelledImages, LabelledImages], int]


@dataclass(frozen=True)
class CompareSettings:
    """What decides a comparison.

    Attributes:
      protocols: by name.
      transform: of the middles of the images.
      views: random views of the training images for the linear layer; 0: the middles alone.
      root: where libraries keep their data.
    """

    protocols: tuple[str, ...] = PROTOCOLS
    transform: TransformSettings = field(default_factory=TransformSettings)
    views: int = 0
    root: Path | None = None


@dataclass(frozen=True)
class Row:
    """One protocol on one set: both encoders, and their difference."""

    first: Outcome
    second: Outcome
    difference: Difference

    @property
    def sentence(self) -> str:
        """What it says."""
        found = self.difference
        if found.is_same:
            return "no difference: both gave the same answers"
        interval = f"95 % interval {signed(found.low)} to {signed(found.high)}"
        if not found.is_visible:
            return f"no difference visible ({signed(found.value)}; {interval})"
        better = "B" if found.value > 0 else "A"
        return f"{better} better by {abs(found.value):.1f} ({interval}, B minus A)"


@dataclass(frozen=True)
class ComparedSet:
    """A set of images and what was found on it.

    Attributes:
      name: as it was asked for.
      train, test, classes: numbers of images and classes.
      overlap: test images that are in the training set as well, byte for byte.
      copies: those that are there as well or nearly are; None: nobody looked.
      rows: a protocol each.
    """

    name: str
    train: int
    test: int
    classes: int
    overlap: int
    rows: tuple[Row, ...]
    copies: int | None = None

    @property
    def overlap_text(self) -> str | None:
        """What is to be said of test images that are in the training set; None: nothing."""
        most = max(self.overlap, self.copies or 0)
        if not most:
            return None
        what = "test image is" if most == 1 else "test images are"
        if self.copies is None:
            return f"{most:,} {what} in the training set too, byte for byte"
        same = f"{self.overlap:,} of them byte for byte"
        return f"{most:,} {what} in the training set too, or nearly; {same}"


@dataclass(frozen=True)
class Comparison:
    """Two encoders, compared.

    Attributes:
      first, second: names of A and B.
      digests: of their weights.
      settings: what decided it.
      sets: on which.
    """

    first: str
    second: str
    digests: tuple[str, str]
    settings: CompareSettings
    sets: tuple[ComparedSet, ...]


def compare(
    first: Encoder,
    second: Encoder,
    names: Sequence[str],
    settings: CompareSettings,
    *,
    cache: Path | None = None,
    work: Work | None = None,
    progress: Progress | None = None,
    copies_in: FindCopies | None = None,
) -> Comparison:
    """Compares two encoders on sets of labelled images, by name as of `open_data`.

    Features come from the cache where they are in it; both encoders see the same images, draws and
    seeds.

    Args:
      first, second, names, settings: what is compared.
      cache, work: see `embed`.
      progress: where it is shown.
      copies_in: how many test images have copies among the training images that are no longer the
        same file; None: only those that are the same are counted.

    Raises:
      EvaluationError: a set cannot be read.
    """
    sets = []
    for name in names:
        train, test = _opened(name, settings)
        found = [
            run_protocols(
                _probed(encoder, train, test, settings, cache, work, progress), settings.protocols
            )
            for encoder in (first, second)
        ]
        sets.append(
            ComparedSet(
                name,
                len(train),
                len(test),
                len(test.classes),
                len(set(train.hashes) & set(test.hashes)),
                tuple(Row(a, b, difference(a, b)) for a, b in zip(*found, strict=True)),
                None if copies_in is None else copies_in(train, test),
            )
        )
    return Comparison(first.name, second.name, (first.digest, second.digest), settings, tuple(sets))


def probe(
    encoder: Encoder,
    name: str,
    settings: CompareSettings,
    *,
    cache: Path | None = None,
    work: Work | None = None,
    progress: Progress | None = None,
) -> list[Outcome]:
    """What one encoder is worth on a set of labelled images; see `compare`."""
    train, test = _opened(name, settings)
    probed = _probed(encoder, train, test, settings, cache, work, progress)
    return run_protocols(probed, settings.protocols)


def _opened(name: str, settings: CompareSettings) -> tuple[LabelledImages, LabelledImages]:
    """Training and test images. Raises EvaluationError where their classes differ."""
    train = open_data(name, "train", settings.root)
    test = open_data(name, "test", settings.root)
    if train.classes != test.classes:
        raise EvaluationError(
            f"{name}: expected the same classes for training and test, found "
            f"{len(train.classes)} and {len(test.classes)}"
        )
    return train, test


def _probed(
    encoder: Encoder,
    train: LabelledImages,
    test: LabelledImages,
    settings: CompareSettings,
    cache: Path | None,
    work: Work | None,
    progress: Progress | None,
) -> Probed:
    def embedded(images: LabelledImages, view: int | None) -> Features:
        transform = replace(settings.transform, view=view)
        features = embed(encoder, images, transform, cache=cache, work=work, progress=progress)
        if features is None:
            raise EvaluationError(f"{images.name}: its features are not all there yet")
        return features

    middles = embedded(train, None)
    views = (
        [embedded(train, view) for view in range(settings.views)]
        if settings.views and "linear" in settings.protocols and not train.is_multi_label
        else [middles]
    )
    return Probed(views, middles, train.labels, embedded(test, None), test.labels)


def signed(value: float) -> str:
    """A difference as people read it, with a true minus."""
    return f"{value:+.1f}".replace("-", "−")
