"""Which photographs are in a release, where their bytes lie, and in which order they come."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.hash_lists import odd_names, unmatched
from pass_dataset.archives.list_lines import name_examples
from pass_dataset.archives.order import shard_bounds
from pass_dataset.archives.removals import RemovalList
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.release.settings import ReleaseSettings
from pass_dataset.curate.sampling.order import OVERALL, Keys, in_order, key_words
from pass_dataset.errors import CurationError

__all__ = ["Contents", "Image", "contents_of"]

logger = logging.getLogger(__name__)

#: A line of a list that names a file by its bytes, as opt-out lists of the filter may.
_SUM = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.IGNORECASE)
_COLUMNS = ("hash", "sha256", "size_bytes", "tar_offset")


@dataclass(frozen=True)
class Image:
    """A photograph's bytes.

    Attributes:
      hash: its name.
      sha256: of its bytes, lower-case hexadecimal.
      size_bytes: how many.
      shard, offset: the fetched tar that they lie in, and where.
    """

    hash: str
    sha256: str
    size_bytes: int
    shard: int
    offset: int


@dataclass(frozen=True)
class Contents:
    """What is in a release.

    Attributes:
      table: `row`, `hash`, `sha256`, `size_bytes` and `tar_offset` of all photographs that are
        left, in the order of the ledger.
      bounds: where each shard begins in it, and the end.
      is_in: of each, whether it is in the release.
      order: positions of those that are, in the order of the tars.
    """

    table: pa.Table
    bounds: npt.NDArray[np.int64]
    is_in: npt.NDArray[np.bool_]
    order: npt.NDArray[np.int64]

    @property
    def came(self) -> int:
        """Photographs that are left in the curation."""
        return len(self.is_in)

    def __len__(self) -> int:
        return len(self.order)

    def images(self, tar: int, tars: int) -> Iterator[Image]:
        """The images of a tar, in their order."""
        first, last = shard_bounds(len(self), (tar, tars))
        places = self.order[first:last]
        shards = np.searchsorted(self.bounds, places, side="right") - 1
        rows = self.table.select(_COLUMNS).take(places)
        columns = (rows[name].to_pylist() for name in _COLUMNS)
        for name, sha256, size_bytes, offset, shard in zip(*columns, shards.tolist(), strict=True):
            yield Image(name, sha256, size_bytes, shard, offset)

    def rows(self, shard: int) -> npt.NDArray[np.int64]:
        """The rows of the ledger that are in the release, of a shard."""
        place = slice(int(self.bounds[shard]), int(self.bounds[shard + 1]))
        rows = np.array(self.table["row"][place].to_pylist(), np.int64)
        chosen: npt.NDArray[np.int64] = rows[self.is_in[place]]
        return chosen

    def digest(self) -> str:
        """SHA-256 of the photographs' names and sums, in their order."""
        digest = hashlib.sha256()
        rows = self.table.select(["hash", "sha256"]).take(self.order)
        for name, sha256 in zip(rows["hash"].to_pylist(), rows["sha256"].to_pylist(), strict=True):
            digest.update(f"{name} {sha256}\n".encode())
        return digest.hexdigest()


def contents_of(ledger: Ledger, settings: ReleaseSettings, exclude: RemovalList) -> Contents:
    """What is to be in a release.

    Args:
      ledger: of the curation, whose last step is done.
      settings: of the release.
      exclude: photographs that are left out, by hash, or by the SHA-256 of their files.

    Raises:
      CurationError: too few are left, two photographs have one name, or a name on the list is no
        hash, and of no photograph.
    """
    pieces = [ledger.left(shard, _COLUMNS) for shard in range(ledger.shards())]
    table = pa.concat_tables(pieces)
    names = table["hash"]
    _refuse_twice(ledger, names)
    _look_through(exclude, names)
    listed = pa.array(sorted(exclude.hashes), pa.string())
    sums = pa.array(sorted(_sums_on(exclude)), pa.string())
    is_out = pc.or_(pc.is_in(names, value_set=listed), pc.is_in(table["sha256"], value_set=sums))
    is_in = np.array(pc.invert(is_out).to_pylist(), bool)
    places = np.flatnonzero(is_in)
    if len(places) < settings.tars:
        raise CurationError(
            f"{ledger.folder.path}: {len(places):,} photographs are left for {settings.tars:,} "
            "tars; expected one for each at least (--tars)"
        )
    keys = Keys.of(key_words(names.take(places), settings.seed, OVERALL))
    bounds = np.cumsum([0, *(piece.num_rows for piece in pieces)])
    return Contents(table, bounds, is_in, places[in_order(keys)])


def _refuse_twice(ledger: Ledger, names: pa.ChunkedArray) -> None:
    if pc.count_distinct(names).as_py() == len(names):
        return
    counted = names.value_counts().to_pylist()
    twice = next(entry["values"] for entry in counted if entry["counts"] > 1)
    raise CurationError(
        f"{ledger.folder.path}: two photographs that are left have the hash {twice}; expected each "
        "once, as select lets through the first alone"
    )


def _sums_on(exclude: RemovalList) -> set[str]:
    found = map(_SUM.fullmatch, exclude.listed.to_pylist())
    return {match[1].lower() for match in found if match is not None}


def _look_through(exclude: RemovalList, names: pa.ChunkedArray) -> None:
    """Names that are of no photograph: hashes are told, as one list serves many releases."""
    lost = unmatched(exclude.listed, names)
    plain = [name for name in lost if _SUM.fullmatch(name) is None]
    odd = odd_names(pa.array(plain, pa.string())).to_pylist()
    if odd:
        raise CurationError(
            f"{exclude.names}: {name_examples(odd)} can be no hash, and is no photograph's that is "
            "left: expected hashes of photographs; nothing is released"
        )
    if plain:
        logger.info(
            "%s: %s on the list are not among what is left", exclude.names, name_examples(plain)
        )
