"""Verdicts by folder, for collections with any number of folders."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.pages.intervals import lower_bound
from pass_dataset.passify.runs.outcomes import TARGETS
from pass_dataset.passify.sources.names import name_to_text, text_to_name

__all__ = ["GROUPS", "FolderCounts", "FolderShares", "Group", "group_of"]

#: What becomes of images, in a few words.
Group = Literal["kept", "face", "person", "other"]
GROUPS: tuple[Group, ...] = get_args(Group)

#: More folders than this are counted together with their siblings: what is counted stays below
#: 100 MB, whatever the collection.
MAX_FOLDERS = 100_000


def group_of(reason: str | None) -> Group:
    """The group of a reason (None: kept)."""
    if reason is None:
        return "kept"
    return "person" if reason == TARGETS[1] else "face" if reason == TARGETS[0] else "other"


@dataclass(frozen=True)
class FolderCounts:
    """Images of a folder.

    Attributes:
      folder: its path within the source, as text; empty for the top.
      counts: images by group.
    """

    folder: str
    counts: Mapping[Group, int]

    @property
    def images(self) -> int:
        """Number of all."""
        return sum(self.counts.values())

    @property
    def flagged(self) -> int:
        """Number of those with faces or people."""
        return self.counts["face"] + self.counts["person"]


@dataclass
class FolderShares:
    """Images by the folder they are in.

    Attributes:
      max_folders: limit to the folders that are told apart.
      depth: parts of a path that are told apart; None: all.
    """

    max_folders: int = MAX_FOLDERS
    depth: int | None = None
    _counts: dict[str, list[int]] = field(default_factory=dict)

    def add(self, paths: pa.Array, groups: Any) -> None:
        """Counts images.

        Args:
          paths: of images within the source.
          groups: int array, positions in `GROUPS`.
        """
        # What has no slash is at the top.
        folders = pc.dictionary_encode(
            pc.replace_substring_regex(paths, r"^(?:(.*)/)?[^/]*$", r"\1")
        )
        cells = folders.indices.to_numpy(zero_copy_only=False).astype(np.int64) * len(GROUPS)
        found = np.bincount(cells + groups, minlength=len(folders.dictionary) * len(GROUPS))
        for folder, counts in zip(
            folders.dictionary.to_pylist(), found.reshape(-1, len(GROUPS)).tolist(), strict=True
        ):
            # A name that is no UTF-8 does not make another folder of the one it is in.
            plain = name_to_text(text_to_name(folder)) if folder.startswith("\\") else folder
            self._add(plain, counts)
        while len(self._counts) > self.max_folders and self.depth != 0:
            self._merge_siblings()

    def _add(self, folder: str, counts: list[int]) -> None:
        if self.depth is not None:
            folder = "/".join(folder.split("/")[: self.depth])
        known = self._counts.get(folder)
        if known is None:
            self._counts[folder] = counts
        else:
            self._counts[folder] = [a + b for a, b in zip(known, counts, strict=True)]

    def _merge_siblings(self) -> None:
        deepest = max((folder.count("/") + 1 for folder in self._counts if folder), default=0)
        self.depth = max(0, deepest - 1)
        before, self._counts = self._counts, {}
        for folder, counts in before.items():
            self._add(folder, counts)

    def __len__(self) -> int:
        return len(self._counts)

    def largest(self, count: int) -> list[FolderCounts]:
        """The folders with the most images."""
        return self._top(count, lambda row: row.images)

    def most_flagged(self, count: int) -> list[FolderCounts]:
        """The folders in which faces and people are most frequent.

        By the share that is certain to 95 %, so that three images out of three do not lead.
        """
        # The bound takes long for so many folders; few of them can lead.
        candidates = self._top(20 * count, lambda row: row.flagged / row.images**0.5)
        candidates = [row for row in candidates if row.flagged]
        bounds = {row.folder: lower_bound(row.flagged, row.images) for row in candidates}
        return sorted(candidates, key=lambda row: (-bounds[row.folder], row.folder))[:count]

    def _top(self, count: int, key: Any) -> list[FolderCounts]:
        rows = (
            FolderCounts(folder, dict(zip(GROUPS, counts, strict=True)))
            for folder, counts in self._counts.items()
        )

        return heapq.nsmallest(count, rows, key=lambda row: (-key(row), row.folder))
