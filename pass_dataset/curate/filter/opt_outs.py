"""Photographs that are not to be looked at: those of an opt-out list, and of removal lists.

A list is one of passify's (see `passify.runs.exclusions`): a line names a photograph by its hash,
with whatever folder and ending stand around it, or by the SHA-256 of its file. Both are known from
the ledger, so none of these photographs is ever read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.removals import removals_for
from pass_dataset.passify.outputs.unmatched import unmatched_text
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.sources.path_forms import PathForm

__all__ = ["OPTED_OUT", "OptOuts"]

#: Cause of these photographs in the ledger.
OPTED_OUT = "opted-out"


@dataclass(frozen=True)
class OptOuts:
    """Photographs that are not to be looked at.

    Attributes:
      listed: an opt-out list; None: there is none.
      removed: names on removal lists.
      found: what names a photograph, of all that were asked for by now.
    """

    listed: Exclusions | None = None
    removed: frozenset[str] = frozenset()
    found: set[str] = field(default_factory=set)

    @classmethod
    def load(cls, path: Path | None, tars: Path) -> OptOuts:
        """Reads an opt-out list, and the removal lists that hold for a folder.

        Args:
          path: of the opt-out list; None: there is none.
          tars: the folder of the tars.

        Raises:
          SourceError: the list cannot be read, or names nothing.
          MetadataError: a removal list cannot be read.
        """
        listed = None if path is None else Exclusions.load(path, PathForm(by_hash=True))
        return cls(listed, frozenset(removals_for(tars, tars.parent).hashes))

    @property
    def sha256(self) -> str | None:
        """Tells what is named from anything else; None: nothing is."""
        names = set(self.removed)
        if self.listed is not None:
            names |= self.listed.paths | self.listed.hashes
        return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest() if names else None

    def among(self, hashes: pa.ChunkedArray, sha256: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Which of some photographs opted out.

        Args:
          hashes: their names.
          sha256: of their files.

        Returns:
          One boolean for each.
        """
        named = [*self.removed, *(self.listed.paths if self.listed else ())]
        plain = pa.array(sorted({name.removesuffix(".jpg") for name in named}), pa.string())
        sums = pa.array(sorted(self.listed.hashes if self.listed else ()), pa.string())
        by_name = pc.is_in(hashes, value_set=plain)
        by_sum = pc.is_in(sha256, value_set=sums)
        self.found.update(hashes.filter(by_name).to_pylist(), sha256.filter(by_sum).to_pylist())
        return np.asarray(pc.or_(by_name, by_sum).to_pylist(), bool)

    def unmatched(self) -> str | None:
        """Which lines of the list name no photograph, for people; None: all name one.

        Ask when `among` was asked for all photographs.
        """
        if self.listed is None:
            return None
        left = self.listed.lines_without(self.found)
        if not left:
            return None
        return unmatched_text(self.listed, left, "photograph that was fetched")
