"""Folders cleared of images: what is known is purged, what was left is deleted, the rest searched.

`pass_dataset.builds.purging.purging` deletes images from one folder whose form is known. A user
names folders that may have more than that: half-built data sets, caches, copies of a tar. Here all
of it is looked into, so that "deleted" can be said of the folder, and not of some of its files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pass_dataset.archives.removals import RemovalList, removals_for
from pass_dataset.builds.purging.leftovers import Leftover, find_leftovers
from pass_dataset.builds.purging.mentions import Mentions
from pass_dataset.builds.purging.purging import PurgeReport, purge
from pass_dataset.builds.purging.remains import Remains, find_remains
from pass_dataset.builds.targets import Target, open_target, targets_in
from pass_dataset.errors import FolderError, PassDatasetError
from pass_dataset.files.cache import optional_cache
from pass_dataset.files.parts import sweep_parts
from pass_dataset.folders.state import INDEX_NAME, REMOVALS_NAME, others_state_paths
from pass_dataset.progress import Progress, Silent

__all__ = ["Clearing", "Found", "clear"]


@dataclass(frozen=True)
class Found:
    """A leftover that mentions images.

    Attributes:
      leftover: what.
      images: number of these.
      kept: why it is still there; None if it was deleted.
    """

    leftover: Leftover
    images: int
    kept: str | None


@dataclass
class Clearing:
    """What was done to a folder that the user named, or would be.

    Attributes:
      folder: which.
      reports: of what was purged in it.
      failures: what could not be purged, for people.
      leftovers: what mentioned images; the user's own cache is looked into too.
      remains: what else was looked into.
      others: copies of an index that other users have, and why they are still there or None.
    """

    folder: Path
    reports: list[PurgeReport] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    leftovers: list[Found] = field(default_factory=list)
    remains: Remains = field(default_factory=Remains)
    others: list[tuple[Path, str | None]] = field(default_factory=list)

    @property
    def is_clear(self) -> bool:
        """True if nothing is left of the images in it."""
        kept = any(found.kept for found in self.leftovers) or any(why for _, why in self.others)
        return not (self.failures or kept or self.remains)


def clear(
    folder: Path,
    removals: RemovalList,
    *,
    release: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Clearing:
    """Clears a folder, and all below it, of the images on removal lists.

    The lists are the one given, that of the environment, and those of the folders themselves.

    Args:
      folder: archives, builds, exports, caches, or a folder above some.
      removals: one more list; it is put on those of the folders.
      release: of archive folders: version or checksum file; None to be told from them.
      dry_run: only look.
      progress: where progress is shown.

    Raises:
      FolderError: there is no such folder, nothing in it that may have images of PASS, or nothing
        says which images.
    """
    shown = progress or Silent()
    targets = targets_in(folder)
    listed = removals_for(folder, *(target.folder for target in targets), given=removals)
    if not listed:
        raise FolderError(
            f"{folder}: no list says what to delete; give --list, or put one into "
            f"{folder / REMOVALS_NAME}"
        )
    mentions = Mentions(listed.hashes)
    done = Clearing(folder)
    known: set[Path] = set()
    for target in targets:
        try:
            opened = open_target(target, release)
            done.reports.append(purge(opened, removals, dry_run=dry_run, progress=shown))
            # In a trial they have the images still, and the report says so.
            known |= {path.resolve() for path in opened.data_files()}
        except PassDatasetError as error:
            # The images are to go from the other folders all the same.
            done.failures.append(str(error))
    leftovers = list(find_leftovers(folder))
    if not targets and not leftovers:
        raise FolderError(
            f"{folder}: expected archives, or a build or export of them by this package; found "
            "none in it or below"
        )
    for leftover in (*leftovers, *_in_cache()):
        done.leftovers += _cleared(leftover, mentions, dry_run, shown)
    if dry_run:
        known |= {path.resolve() for found in done.leftovers for path in found.leftover.files()}
    for target in targets:
        done.others += _of_others(target, dry_run)
    known |= {Path(source.path).resolve() for source in listed.sources}
    done.remains = find_remains(folder, mentions, known, shown)
    return done


def _in_cache() -> Iterator[Leftover]:
    """What this user's cache has; it counts for whatever folder is named."""
    for kind in ("folders", "metadata"):
        place = optional_cache(kind)
        if place is not None and place.is_dir():
            for leftover in find_leftovers(place, is_cache=True):
                # Nobody works there but the readers, who take it as it is.
                yield replace(leftover, held=None)


def _cleared(
    leftover: Leftover, mentions: Mentions, dry_run: bool, progress: Progress
) -> Iterator[Found]:
    if not dry_run:
        # Of processes that are gone; what is left of them then is deleted whatever it has.
        sweep_parts(leftover.path.parent)
    if not os.path.lexists(leftover.path):
        return
    task = progress.task(leftover.path.name, None, "bytes")
    try:
        images = len(leftover.mentions(mentions, task.advance))
    except (OSError, ValueError, EOFError) as error:
        yield Found(leftover, 0, f"cannot be looked into: {error}")
        return
    finally:
        task.finish()
    if images:
        yield Found(leftover, images, None if dry_run else leftover.delete())


def _of_others(target: Target, dry_run: bool) -> Iterator[tuple[Path, str | None]]:
    """What other users of this machine keep of an archive folder that they may not write."""
    if target.format is not None:
        return
    for path in others_state_paths(target.folder, INDEX_NAME):
        why = None
        if not dry_run:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                why = f"cannot be deleted: {error.strerror or error}"
        yield path, why
