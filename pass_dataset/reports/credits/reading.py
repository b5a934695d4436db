"""The credits of a subset, read from a metadata CSV: image by image, or by photographer."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.hash_lists import resolve
from pass_dataset.archives.metadata import ROW_COLUMN, columns_in, read_text
from pass_dataset.archives.metadata_files import MetadataFile, csv_file, metadata_in
from pass_dataset.archives.removals import removals_for
from pass_dataset.errors import MetadataError, RecordNotFoundError
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases.licenses import CC_BY_2, License, license_named
from pass_dataset.releases.release import Release
from pass_dataset.reports.credits.credit import ALWAYS_MISSING, Credit, Source, source_of
from pass_dataset.reports.credits.names import decode_name, sort_key

__all__ = ["Credits", "Terms", "credits_of", "ending_right", "read_credits"]

#: Rows that are turned into Python values at a time.
_BATCH_ROWS = 8192
#: Unknown hashes that a message names.
_NAMED = 5


@dataclass(frozen=True)
class Terms:
    """A licence, and how many images are under it.

    Attributes:
      text: as the CSV names it; None where it names none.
      license: the licence; None: not known.
      num_images: under it.
    """

    text: str | None
    license: License | None
    num_images: int


@dataclass(frozen=True)
class Credits:
    """The credits of a subset, made one by one as they are asked for.

    Attributes:
      table: columns ``hash``, ``creator``, ``license``, ``yfcc_row``: text as in the CSV, or null.
      source: the collection.
      release: whose the metadata are; None: not known.
      unknown: hashes that were asked for and left out, as the metadata do not have them.
      progress: where it is shown how many are made.
    """

    table: pa.Table
    source: Source
    release: Release | None
    unknown: tuple[str, ...] = ()
    progress: Progress = field(default_factory=Silent, compare=False, repr=False)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[Credit]:
        """Credits in the order of the hashes that were asked for; for all, in that of the CSV."""
        return self._made(self.table)

    def by_creator(self) -> Iterator[list[Credit]]:
        """The same photographer by photographer; images without a name come last.

        Where the images of a photographer are under several licences, each licence has its own
        list. One name is one photographer here: names are all that the metadata have of them.
        """
        groups = itertools.groupby(
            self._made(self._filed()), key=lambda credit: (credit.creator, credit.license_text)
        )
        return (list(group) for _, group in groups)

    def first(self) -> Credit | None:
        """The first credit; None if there is none."""
        alone = replace(self, table=self.table.slice(0, 1), progress=Silent())
        return next(iter(alone), None)

    def creators(self) -> list[str]:
        """Names, URL-encoded as in the CSV, each once, in the order of what they stand for."""
        names: list[str] = self.table["creator"].unique().drop_null().to_pylist()
        return sorted(names, key=lambda text: sort_key(decode_name(text)))

    def terms(self) -> list[Terms]:
        """The licences of the images, that of most images first."""
        counts = self.table["license"].value_counts().to_pylist()
        counts.sort(key=lambda count: -count["counts"])
        return [
            Terms(count["values"], self._license_of(count["values"]), count["counts"])
            for count in counts
        ]

    def missing(self) -> list[str]:
        """What attributions should have and is not known, in words."""
        missing = [f"{what} (of all)" for what in ALWAYS_MISSING]
        nameless = self.table["creator"].null_count
        if nameless:
            missing.append(f"creator (of {nameless:,})")
        for terms in self.terms():
            if terms.license is None:
                what = "licence" if terms.text is None else f"address of the licence {terms.text!r}"
                missing.append(f"{what} (of {terms.num_images:,})")
        return missing

    def _license_of(self, text: str | None) -> License | None:
        if text is None:
            # Of PASS it is known for every image, also where the CSV has no such column.
            return CC_BY_2 if self.source.is_pass else None
        return license_named(text)

    def _made(self, table: pa.Table) -> Iterator[Credit]:
        is_pass = self.source.is_pass
        licenses = {terms.text: terms.license for terms in self.terms()}
        task = self.progress.task("credits", table.num_rows, "images")
        try:
            for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
                columns = (batch[name].to_pylist() for name in ("hash", "creator", "license"))
                rows = batch["yfcc_row"].to_pylist() if is_pass else itertools.repeat(None)
                for image_hash, creator, text, row in zip(*columns, rows, strict=False):
                    yield Credit(image_hash, creator, text, licenses[text], row, self.source)
                task.advance(batch.num_rows)
        finally:
            task.finish()

    def _filed(self) -> pa.Table:
        """The table in the order of the photographers' names."""
        # Null, which is not among the names, comes last.
        names = pa.array(self.creators(), pa.string())
        rank = pc.index_in(self.table["creator"], value_set=names)
        keys = pa.table(
            {"rank": rank, "license": self.table["license"], "hash": self.table["hash"]}
        )
        return self.table.take(
            pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])
        )


def read_credits(
    metadata: str | os.PathLike[str],
    hashes: Iterable[str] | None = None,
    *,
    release: str | None = None,
    skip_unknown: bool = False,
) -> Credits:
    """The credits of images: who made them, and under which licence they are.

    Images on a removal list are left out, as nobody is to show them.

    Args:
      metadata: an archive folder, whose tars need not be there, or a metadata CSV.
      hashes: of the images, in any order; each counts once. None for all images.
      release: version or checksum file; None to be told from folder or CSV.
      skip_unknown: leave out hashes that the metadata do not have; they are in `Credits.unknown`.

    Raises:
      RecordNotFoundError: the metadata do not have a hash, and `skip_unknown` is false.
      MetadataError: the CSV cannot be read.
      FolderError, ReleaseError: the folder has no CSV, or its release cannot be told.
    """
    path = Path(metadata)
    file = metadata_in(path, release) if path.is_dir() else csv_file(path, release)
    return credits_of(file, hashes, skip_unknown=skip_unknown)


def credits_of(
    file: MetadataFile, hashes: Iterable[str] | None, *, skip_unknown: bool = False
) -> Credits:
    """As `read_credits`, of a CSV that was found already."""
    if isinstance(hashes, str):
        raise TypeError("hashes: expected several, found one text; put it into a list")
    table = _read(file.path)
    source = source_of(file.release, file.path.name)
    if hashes is None:
        return Credits(_without_removed(table, file), source, file.release)
    wanted = hashes if isinstance(hashes, pa.Array) else pa.array(hashes, pa.string())
    rows, unknown = _found(resolve(wanted, table["hash"]), table["hash"])
    if unknown and not skip_unknown:
        named = ", ".join(unknown[:_NAMED]) + (", …" if len(unknown) > _NAMED else "")
        raise RecordNotFoundError(
            f"{file.path}: {len(unknown):,} of the {len(unknown) + len(rows):,} hashes are not in "
            f"the metadata of {file.label}: {named}. They may be of another release; "
            "--skip-unknown / skip_unknown=True leaves them out"
        )
    return Credits(_without_removed(table.take(rows), file), source, file.release, unknown)


def _read(path: Path) -> pa.Table:
    names = {
        "hash": "hash",
        "creator": "unickname",
        "license": "licensename",
        "yfcc_row": ROW_COLUMN,
    }
    there = columns_in(path)
    text = read_text(path, [column for column in names.values() if column in there])
    missing = pa.nulls(text.num_rows, pa.string())
    return pa.table(
        {name: text[column] if column in there else missing for name, column in names.items()}
    )


def _without_removed(table: pa.Table, file: MetadataFile) -> pa.Table:
    """The images that no removal list of the CSV's folder, or of the process, has."""
    removals = removals_for(file.path.parent)
    if not removals:
        return table
    listed = pa.array(sorted(removals.hashes), pa.string())
    kept = table.filter(pc.invert(pc.is_in(table["hash"], value_set=listed)))
    removals.report(file.label, table.num_rows - kept.num_rows, table.num_rows)
    return kept


def ending_right(pieces: Iterator[str], found: Credits, file: MetadataFile) -> Iterator[str]:
    """The text of credits, refused at its end if an image of it was removed while it was made.

    Raises:
      MetadataError: one was; what was written is not to be kept.
    """
    yield from pieces
    removals = removals_for(file.path.parent)
    removed = pc.is_in(
        found.table["hash"], value_set=pa.array(sorted(removals.hashes), pa.string())
    )
    count = pc.sum(removed).as_py() or 0
    if count:
        raise MetadataError(
            f"{file.path}: {count:,} of the images were put on removal lists while their credits "
            "were written, and what was written is not kept. Run the command again"
        )


def _found(wanted: pa.Array, hashes: pa.ChunkedArray) -> tuple[pa.Array, tuple[str, ...]]:
    """The rows of the hashes that are there, in the order asked for, and the others."""
    wanted = wanted.unique()
    rows = pc.index_in(wanted, value_set=hashes)
    unknown = wanted.filter(pc.is_null(rows)).to_pylist()
    return rows.drop_null(), tuple(map(str, unknown))
