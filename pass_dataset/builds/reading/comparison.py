"""Does a build hold what the archives hold? Every record, by hash, SHA-256 and metadata.

Both sides are read once, front to back, and never decoded: first the tars, of whose images a
SHA-256 each is kept, then the shards. What is kept is 32 bytes of digest, 32 of hash and 9 of
bookkeeping an image: about 110 MB for PASS.

Images on removal lists may be in the build or not; if they are, they are counted.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import RemovalList, removals_for
from pass_dataset.builds.catalogue import open_stored
from pass_dataset.builds.reading.expected_images import ExpectedImages, expect_images
from pass_dataset.builds.stored_build import (
    Damage,
    StoredBuild,
    StoredRecord,
    StoredShard,
)
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.folders.archive_folder import ARCHIVES_VARIABLE, ArchiveFolder, named_folder
from pass_dataset.progress import Progress, Silent
from pass_dataset.releases.release import Release, part_numbers
from pass_dataset.workers.threads import in_threads

__all__ = ["BuildVerification", "Finding", "FindingKind", "verify_build"]

_T = TypeVar("_T")

#: Findings of each kind that are kept in full; the rest are counted. The wrong archives would
#: otherwise give millions.
_KEPT = 1000

#: Records compared at a time, without their images.
_BLOCK = 1024


class FindingKind(str, Enum):
    """What is wrong."""

    DAMAGED = "damaged"  # a record's bytes cannot be read or trusted
    UNREADABLE = "unreadable"  # a file, from that record on
    IMAGE = "image differs"
    METADATA = "metadata differ"
    DUPLICATE = "duplicate"  # a hash that stood in the build before
    EXTRA = "extra"  # a hash that the archives do not have
    MISSING = "missing"  # a hash that the build does not have
    COUNT = "count"  # another number of records than the build's description says
    NO_SHARD = "missing shard"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
      kind: what.
      detail: what differs: field, found and expected value.
      shard: file name of the shard, None where no single shard is to blame.
      record: position in the shard, from 0, or None.
      hash: hash of the image, or None where it cannot be told.
    """

    kind: FindingKind
    detail: str
    shard: str | None = None
    record: int | None = None
    hash: str | None = None

    def __str__(self) -> str:
        where = [self.shard or "the build"]
        if self.record is not None:
            where.append(f"record {self.record}")
        if self.hash is not None:
            where.append(self.hash)
        return f"{', '.join(where)}: {self.kind.value}: {self.detail}"


@dataclass(frozen=True)
class BuildVerification:
    """What was found of a build.

    Attributes:
      build: what was read.
      archives: folder it was compared with.
      release: release in that folder.
      num_expected: number of images of the archives that it should have; those on removal lists
        do not count.
      num_still_there: number of records whose images are on removal lists.
      num_read: number of records in the build.
      counts: number of findings of each kind that has any.
      findings: the findings, up to 1000 of each kind.
    """

    build: StoredBuild
    archives: Path
    release: Release
    num_expected: int
    num_still_there: int
    num_read: int
    counts: dict[FindingKind, int]
    findings: tuple[Finding, ...]

    @property
    def is_right(self) -> bool:
        """True if the build has every image once, with the right bytes and metadata.

        Those on removal lists it may have or not.
        """
        return not self.counts


def verify_build(
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    archives: str | os.PathLike[str] | None = None,
    release: str | os.PathLike[str] | Release | None = None,
    parts: str | Sequence[int] | None = None,
    progress: Progress | None = None,
) -> BuildVerification:
    """Compares every record of a build with the archives it was made from.

    Args:
      path: a Parquet folder, the folder of a TFDS build (``…/pass/3.0.0``), or TFDS's ``data_dir``.
      name: dataset to look for in a ``data_dir``; None for the only one there.
      archives: archive folder; None for ``PASS_ARCHIVES``, or for the installed mini release if
        the build is one of `pass_mini`.
      release: what the archive folder holds; None for what the build says it was made from, or
        else to tell it from the folder.
      parts: numbers of the tars that the build was made from; None for those that it tells (TFDS:
        by its folder, ``pass/parts_0_3-5/3.0.0``), or else all.
      progress: where progress is shown.

    Raises:
      UnreadableBuildError: no such build, or it is of another version than the archives.
      FolderError, ArchiveError, MetadataError, ReleaseError: the archives cannot be read.
      MissingExtraError: a package to read the build with is not installed.
    """
    build = open_stored(path, name)
    shown = progress or Silent()
    archive = _open_archive(build, archives, release, shown)
    numbers = build.parts if parts is None else part_numbers(parts)
    removals = removals_for(archive.folder, build.folder)
    expected = expect_images(archive.with_removed(), numbers, build.limit, removals, shown)
    report = _Report(removals)
    num_read = _compare_shards(build, expected, report, shown)
    _find_missing(expected, report)
    found = BuildVerification(
        build=build,
        archives=archive.folder,
        release=archive.release,
        num_expected=expected.num_expected,
        num_still_there=expected.num_still_there + report.num_purged,
        num_read=num_read,
        counts=dict(report.counts),
        findings=tuple(report.findings),
    )
    if found.is_right:
        build.put_on_record()
    return found


def _open_archive(
    build: StoredBuild,
    archives: str | os.PathLike[str] | None,
    release: str | os.PathLike[str] | Release | None,
    progress: Progress,
) -> PassArchive:
    if build.name == "pass_mini" and archives is None and release is None:
        return open_mini()
    if named_folder(archives) is None:
        raise UnreadableBuildError(
            f"{build.folder}: name the archives it was built from, with --archives / archives= "
            f"or the environment variable {ARCHIVES_VARIABLE}"
        )
    found = ArchiveFolder.open(archives, release or build.release, version=build.version)
    if found.release.version != build.version:
        raise UnreadableBuildError(
            f"{build.folder} is version {build.version}, but {found.path} holds "
            f"{found.release.label}; expected archives of version {build.version}"
        )
    return PassArchive(found, progress=progress)


# --- what is found --------------------------------------------------------------------------------


class _Report:
    """Findings, of all threads together.

    Attributes:
      removals: images that may be in the build though the archives have them no more.
      num_purged: number of such records.
    """

    def __init__(self, removals: RemovalList) -> None:
        self.removals = removals
        self.num_purged = 0
        self.findings: list[Finding] = []
        self.counts: Counter[FindingKind] = Counter()
        self._lock = threading.Lock()

    def add(self, finding: Finding) -> None:
        with self._lock:
            if finding.kind is FindingKind.EXTRA and finding.hash in self.removals.hashes:
                self.num_purged += 1
                return
            self.counts[finding.kind] += 1
            if self.counts[finding.kind] <= _KEPT:
                self.findings.append(finding)

    def count(self, kind: FindingKind, number: int) -> None:
        """Counts findings beyond those that are kept."""
        if number:
            self.counts[kind] += number


def _compare_shards(
    build: StoredBuild, expected: ExpectedImages, report: _Report, progress: Progress
) -> int:
    """Compares all shards; returns the number of records read."""
    task = progress.task("Reading the build", build.num_examples, "images")
    names = [shard.path.name for shard in build.shards]

    def compare_shard(number: int) -> int:
        shard = build.shards[number]
        if not shard.path.is_file():
            text = f"is not there; it should have {shard.num_examples:,} records"
            report.add(Finding(FindingKind.NO_SHARD, text, shard.path.name))
            return 0
        records = 0
        for block in _blocks(_records(build, shard), _BLOCK):
            records += sum(item.records if isinstance(item, _Lost) else 1 for item in block)
            for finding in _compare_block(block, number, names, expected):
                report.add(finding)
            task.advance(len(block))
        if records != shard.num_examples:
            text = f"expected {shard.num_examples:,} records as described, found {records:,}"
            report.add(Finding(FindingKind.COUNT, text, shard.path.name))
        return records

    total = sum(in_threads(compare_shard, range(len(build.shards))))
    task.finish()
    return total


@dataclass(frozen=True)
class _Lost:
    """A finding in the place of records.

    Attributes:
      finding: what is wrong.
      records: in the place of so many.
    """

    finding: Finding
    records: int


def _records(build: StoredBuild, shard: StoredShard) -> Iterator[StoredRecord | _Lost]:
    """A shard's records without their images, and a finding where there is none."""
    number = 0
    for item in build.records(shard):
        if isinstance(item, Damage):
            kind = FindingKind.UNREADABLE if item.ends_file else FindingKind.DAMAGED
            finding = Finding(kind, item.detail, shard.path.name, number)
            yield _Lost(finding, 0 if item.ends_file else item.records)
            number += item.records
        else:
            yield item
            number = item.number + 1


def _compare_block(
    block: Sequence[StoredRecord | _Lost],
    shard: int,
    shard_names: Sequence[str],
    expected: ExpectedImages,
) -> Iterator[Finding]:
    """What is wrong with some records of a shard."""
    yield from (item.finding for item in block if isinstance(item, _Lost))
    records = [item for item in block if not isinstance(item, _Lost)]
    if not records:
        return
    positions = expected.positions([record.hash for record in records])
    known = positions[positions >= 0]
    rows = iter(expected.table.take(pa.array(known)).to_pylist())
    name = shard_names[shard]
    for record, position in zip(records, positions.tolist(), strict=True):
        text = record.hash_text

        def finding(kind: FindingKind, detail: str, record: StoredRecord = record) -> Finding:
            return Finding(kind, detail, name, record.number, record.hash_text)

        if position < 0:
            if record.damage is not None:
                yield finding(FindingKind.DAMAGED, record.damage)
            else:
                yield finding(FindingKind.EXTRA, f"the archives have no image {text}")
            continue
        before = expected.mark(position, shard)
        differences = list(record.differences(next(rows), expected.digests[position].tobytes()))
        if record.damage is not None:
            changes = "; ".join(str(difference) for difference in differences) or "content is right"
            yield finding(FindingKind.DAMAGED, f"{record.damage}; {changes}")
        else:
            for difference in differences:
                kind = FindingKind.IMAGE if difference.is_image else FindingKind.METADATA
                yield finding(kind, str(difference))
        if before is not None:
            yield finding(FindingKind.DUPLICATE, f"stands in {shard_names[before]} too")


def _find_missing(expected: ExpectedImages, report: _Report) -> None:
    table, summary = expected.table, expected.archive.summary
    positions = expected.missing()
    for position in positions[:_KEPT].tolist():
        row = table.slice(position, 1).to_pylist()[0]
        place = f"{summary.tars[row['tar']]} has it at byte {row['offset']:,}"
        report.add(Finding(FindingKind.MISSING, place, hash=row["hash"]))
    report.count(FindingKind.MISSING, len(positions[_KEPT:]))


def _blocks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    block: list[_T] = []
    for item in items:
        block.append(item)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block
