"""Two metadata CSVs compared: images added and removed, and what else is said of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.metadata import columns_in, read_text
from pass_dataset.archives.metadata_files import MetadataFile
from pass_dataset.releases.release import Release

__all__ = ["MetadataDiff", "compare_metadata"]

_HASH = "hash"


@dataclass(frozen=True)
class MetadataDiff:
    """How two metadata CSVs differ.

    Attributes:
      old, new: the CSVs.
      old_images, new_images: how many images each has.
      removed, added: hashes (Arrow strings) that only the old, only the new one has, sorted.
      unchanged: how many images are in both.
      old_columns, new_columns: columns that only the old, only the new one has; the column of row
        numbers has the empty name.
      changed: of the columns that both have, but for the hash, in how many of the images in both
        their text differs.
    """

    old: MetadataFile
    new: MetadataFile
    old_images: int
    new_images: int
    removed: pa.Array
    added: pa.Array
    unchanged: int
    old_columns: tuple[str, ...]
    new_columns: tuple[str, ...]
    changed: dict[str, int]

    @property
    def surprises(self) -> list[str]:
        """What is not as the releases say, in words; empty where all is, or nothing is known."""
        sides = ((self.old, self.old_images), (self.new, self.new_images))
        found = [text for side, images in sides for text in _miscounted(side, images)]
        expected = _expected_removals(self.old.release, self.new.release)
        if expected is not None and (len(self.removed), len(self.added)) != (expected, 0):
            found.append(
                f"from {self.old.label} to {self.new.label}, {expected:,} images were removed and "
                f"none added; found {len(self.removed):,} removed and {len(self.added):,} added"
            )
        return found


def compare_metadata(old: MetadataFile, new: MetadataFile) -> MetadataDiff:
    """Compares two metadata CSVs, images by their hash and all else as text.

    Raises:
      MetadataError: one cannot be read.
    """
    old_columns, new_columns = columns_in(old.path), columns_in(new.path)
    before, after = read_text(old.path, old_columns), read_text(new.path, new_columns)
    # Where each image of the new one is in the old one; null where it is not.
    places = pc.index_in(after[_HASH], value_set=before[_HASH])
    is_common = pc.is_valid(places)
    common, places = after.filter(is_common), places.filter(is_common)
    return MetadataDiff(
        old=old,
        new=new,
        old_images=before.num_rows,
        new_images=after.num_rows,
        removed=_only(before[_HASH], after[_HASH]),
        added=_only(after[_HASH], before[_HASH]),
        unchanged=common.num_rows,
        old_columns=tuple(name for name in old_columns if name not in new_columns),
        new_columns=tuple(name for name in new_columns if name not in old_columns),
        changed={
            name: _differing(before[name].take(places), common[name])
            for name in old_columns
            if name in new_columns and name != _HASH
        },
    )


def _only(hashes: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.Array:
    """The hashes that are not among the others, sorted."""
    only = hashes.filter(pc.invert(pc.is_in(hashes, value_set=others))).combine_chunks()
    return only.take(pc.sort_indices(only))


def _differing(old: pa.ChunkedArray, new: pa.ChunkedArray) -> int:
    """In how many places two columns differ; null is a value like any other."""
    is_same = pc.fill_null(pc.equal(old, new), False)
    both_null = pc.and_(pc.is_null(old), pc.is_null(new))
    return len(old) - int(pc.sum(pc.or_(is_same, both_null)).as_py() or 0)


def _miscounted(side: MetadataFile, images: int) -> Iterator[str]:
    expected = None if side.release is None else side.release.num_examples
    if expected is not None and images != expected:
        yield f"{side.label} has {expected:,} images; found {images:,} in {side.path}"


def _expected_removals(old: Release | None, new: Release | None) -> int | None:
    """How many images were removed between two published releases; None if it is not known."""
    if old is None or new is None or not (old.is_official and new.is_official):
        return None
    if old.num_examples is None or new.num_examples is None:
        return None
    # Releases have only ever removed images.
    removed = old.num_examples - new.num_examples
    return removed if removed >= 0 else None
