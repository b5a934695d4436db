"""Crops among images: described, compared, and confirmed by what both show.

What needs PyTorch and OpenCV is loaded when crops are asked for: it takes seconds, and is of an
extra.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pass_dataset.curate.duplicates.crops.descriptors import descriptors_of
from pass_dataset.curate.duplicates.crops.near_pairs import NearPairs
from pass_dataset.curate.duplicates.crops.rows import Descriptors, Rows
from pass_dataset.curate.duplicates.crops.weights import CropWeights
from pass_dataset.curate.duplicates.listing import Listing
from pass_dataset.curate.duplicates.tiers import CropSearch
from pass_dataset.curate.duplicates.unions import Numbers
from pass_dataset.executors.executor import Executor
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.executors.work import Work
from pass_dataset.extras import require
from pass_dataset.progress import Progress

__all__ = ["crop_search", "describe_images", "describing_work"]

_PACKAGES = ("torch", "torchvision", "cv2")


def describing_work(
    weights: CropWeights, *, workers: int | None = None, device: str | None = None
) -> Work:
    """The work of describing images, for an executor.

    Args:
      weights: what images are described with.
      workers: processes; None: one a GPU, or one that has all cores.
      device: where they compute; None: CUDA where there is one.

    Raises:
      MissingExtraError: a package that crops need is not installed.
    """
    for package in _PACKAGES:
        require(package, feature="Looking for crops", extra="crops")
    # Needs PyTorch.
    from pass_dataset.curate.duplicates.crops.describing import Describing

    path = str(weights.path.absolute())
    return Describing(workers=workers, device=device, weights=path, sha256=weights.sha256)


def describe_images(
    listings: Sequence[Listing],
    folder: Path,
    weights: CropWeights,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress,
) -> Descriptors | None:
    """Descriptors of all images, kept beside their hashes; see `crops.descriptors`.

    Args:
      listings: the collections.
      folder: where hashes are kept.
      weights: what images are described with.
      executor: where that is done, made with `describing_work`; None: on this machine.
      workers: processes on this machine; None: one a GPU, or one that has all cores.
      progress: shows how far it is.

    Returns:
      The descriptors; None: others are at work.

    Raises:
      WeightsError, MissingExtraError, CurationError, RunError, OSError: see `descriptors_of` and
        `describing_work`.
    """
    if executor is None:
        executor = LocalExecutor(describing_work(weights, workers=workers))
    return descriptors_of(
        listings, folder / "descriptors", weights, executor=executor, progress=progress
    )


def crop_search(
    rows: Rows,
    own: int,
    read: Callable[[int], bytes | None],
    *,
    least: float,
    device: str | None = None,
    progress: Progress,
) -> CropSearch:
    """How crops are looked for.

    Args:
      rows: descriptors of our own images and of other sets.
      own: number of our own.
      read: gives the bytes of one of ours by its number; None: they cannot be had.
      least: cosine of pairs that are looked at.
      device: where descriptors are compared; None: CUDA where there is one.
      progress: shows how far it is.
    """
    # Need OpenCV and PyTorch.
    from pass_dataset.curate.duplicates.crops.confirming import Confirming
    from pass_dataset.curate.duplicates.crops.search import near_pairs

    def pairs(numbers: Numbers) -> NearPairs:
        task = progress.task("Searching crops", int((numbers < own).sum()), "images")
        found = near_pairs(rows, numbers, own, least, device=device, task=task)
        task.finish()
        return found

    return CropSearch(pairs, Confirming(read, own).agree)
