"""What the builders of `pass` and `pass_mini` share: info, shards, and the way to build.

`datasets` writes examples row by row, or whole tables for builders that make some. Ours hands out
rows for streaming and tables for building, about ten times as fast.
"""

from __future__ import annotations

import abc
import contextlib
import inspect
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import datasets

from pass_dataset.archives.order import shard_bounds
from pass_dataset.archives.records import ImageRecord, PassArchive
from pass_dataset.archives.removals import RemovalList, Removals, note_removals, removals_for
from pass_dataset.archives.streaming import RemoteArchive
from pass_dataset.builds.writing.basis import Basis, refuse_purged
from pass_dataset.errors import DiskSpaceError, FolderError, MissingExtraError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.huggingface.features import FEATURES, LICENSE, example
from pass_dataset.huggingface.kept import leave_out_all
from pass_dataset.huggingface.tables import read_tables, stream_tables, tables_of
from pass_dataset.releases.citation import BIBTEX, HOMEPAGE
from pass_dataset.releases.release import Release

__all__ = ["NUM_SHARDS", "ArchiveBuilder", "RecordSource", "row_ranges", "train_split"]

#: `datasets` asks for this name in a builder's module before it puts readers of URLs in place of
#: `open`, `pandas.read_csv`, `scipy.io.loadmat` and others there, for which it imports all of them.
#: Ours open addresses themselves. Where the library knows the name no more, nothing is lost.
_patched_for_streaming = True
#: Pieces that the records are cut into, where there are as many: far more than workers, and a
#: multiple of 2, 3, 4, 6, 7, 8, 12, 16, 24, 32, 48, 64, 96 and 128. Where the number of nodes is no
#: divisor, `split_dataset_by_node` lets each node read everything and drop what is not its own.
NUM_SHARDS = 2688


class RecordSource(Protocol):
    """Where the rows of a stream come from."""

    def records(self, first: int, last: int) -> Iterator[ImageRecord]:
        """The records of one of its ranges."""


def row_ranges(length: int, shards: int = NUM_SHARDS) -> list[tuple[int, int]]:
    """First and last-plus-one position of nearly equal, non-empty pieces."""
    count = min(shards, length)
    return [shard_bounds(length, (number, count)) for number in range(count)]


def train_split(source: RecordSource, ranges: list[tuple[int, int]]) -> datasets.SplitGenerator:
    """The one split there is."""
    # Workers share out what is a list, so the ranges are one, and the source is not.
    return datasets.SplitGenerator(
        name=str(datasets.Split.TRAIN), gen_kwargs={"source": source, "ranges": ranges}
    )


class ArchiveBuilder(datasets.GeneratorBasedBuilder):
    """A builder whose records come from an archive folder.

    Images on removal lists (see `pass_dataset.archives.removals`) are left out of what it builds,
    and of what it reads that was built before.
    """

    #: Of the data that is cached, read before it is built anew.
    _stored_removals = RemovalList()
    #: What the data being built rests on; None while none is built.
    _basis: Basis | None = None
    #: What is held until it has its name.
    _until_named: contextlib.ExitStack | None = None
    #: Images that the data being built lacks; None while none is built.
    _left_out: frozenset[str] | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As the library's builder.

        Raises:
          FolderError: the cache folder cannot be written.
        """
        try:
            super().__init__(*arguments, **named)
        except OSError as error:
            cache = named.get("cache_dir") or datasets.config.HF_DATASETS_CACHE
            raise FolderError(
                f"{cache}: the cache of datasets cannot be used: {error}. Name another folder with "
                "cache_dir= or the environment variable HF_DATASETS_CACHE; streaming=True needs "
                "next to no room there."
            ) from error

    @property
    @abc.abstractmethod
    def _release(self) -> Release:
        """The release that the records are of."""

    @property
    @abc.abstractmethod
    def _description(self) -> str:
        """What the records are, in words."""

    def _info(self) -> datasets.DatasetInfo:
        info = datasets.DatasetInfo(features=FEATURES)
        self._describe(info)
        # Whoever asks which splits there are gets an answer without the data.
        name = str(datasets.Split.TRAIN)
        split = datasets.SplitInfo(name, num_examples=self._num_examples or 0)
        info.splits = datasets.SplitDict({name: split})
        return info

    @property
    def _num_examples(self) -> int | None:
        """Images as published, before any removal; None if not known without the archives."""
        return self._release.num_examples

    def _describe(self, info: datasets.DatasetInfo) -> None:
        """Says what is known; citation, home and licence of PASS are those of PASS alone."""
        is_pass = self._release.is_official
        info.description = self._description
        info.homepage = HOMEPAGE if is_pass else ""
        info.citation = BIBTEX if is_pass else ""
        info.license = LICENSE if is_pass else ""

    @property
    @abc.abstractmethod
    def _archives(self) -> ArchiveFolder:
        """The archive folder; it need not be there."""

    @property
    def _given_removals(self) -> Removals | None:
        """The user's argument."""
        return None

    def _removals(self) -> RemovalList:
        """All that is to be left out."""
        lists = removals_for(self._archives.path, self._output_dir, given=self._given_removals)
        return lists | self._stored_removals

    def download_and_prepare(
        self, output_dir: str | None = None, *arguments: Any, **named: Any
    ) -> None:
        """As the library's method; what was left out is noted beside the data."""
        self._stored_removals = removals_for(output_dir or self._cache_dir)
        self._left_out = None
        # What is expected would be compared with what comes, which lacks what was removed.
        self.info.splits = None
        with contextlib.ExitStack() as self._until_named:
            super().download_and_prepare(output_dir, *arguments, **named)
        self._until_named = self._basis = None
        if self._left_out is not None and "://" not in self._output_dir:
            # What the data lacked before, it lacks still: the archives may have been purged.
            left_out = self._left_out | self._stored_removals.hashes
            if left_out:
                note_removals(Path(self._output_dir), left_out, self._removals().sources)

    def _download_and_prepare(self, *arguments: Any, **named: Any) -> Any:
        """Called by the library, which gives the folder its name next, or removes it."""
        done = super()._download_and_prepare(*arguments, **named)
        if self._basis is not None and self._until_named is not None:
            self._until_named.enter_context(self._basis.kept())
            self._basis.require_unchanged(self._output_dir)
        return done

    def __getstate__(self) -> dict[str, Any]:
        # Given to worker processes, which have no part in that.
        return self.__dict__ | {"_basis": None, "_until_named": None}

    def _opened(self, opening: Callable[[], PassArchive]) -> PassArchive:
        """Archives to build from, by what opens them."""
        before = refuse_purged(self._archives)
        archive = opening()
        output = () if "://" in self._output_dir else (Path(self._output_dir),)
        self._basis = Basis.of(archive, before, *output, given=self._given_removals)
        return archive

    def as_dataset(self, *arguments: Any, **named: Any) -> Any:
        """As the library's method, without the images on removal lists."""
        # What is cached has the description of the version of this package that it was made by.
        self._describe(self.info)
        found = super().as_dataset(*arguments, **named)
        removals = self._removals()
        if not removals:
            return found
        # What the data lacks is not seen in its folder's name, which the fingerprint is made of.
        lacking = removals_for(self._output_dir).hashes
        return leave_out_all(found, removals, lacking)

    def _local_split(self, archive: PassArchive) -> datasets.SplitGenerator:
        self._left_out = frozenset(archive.removed)
        return train_split(archive, row_ranges(len(archive)))

    def _require_room(self, archive: PassArchive) -> None:
        """Refuses a build that cannot end well, before hours are spent on it."""
        if "://" in self._output_dir:
            return
        folder = Path(self._output_dir)
        while not os.path.isdir(folder):  # noqa: PTH112
            folder = folder.parent
        free = shutil.disk_usage(folder).free
        if archive.image_bytes > free:
            raise DiskSpaceError(
                f"{self._output_dir}: {archive.image_bytes:,} bytes of images are to be written, "
                f"but its disk has {free:,} bytes free. Choose another cache_dir=, fewer parts=, "
                "or streaming=True, which reads the archives where they lie."
            )

    def _generate_examples(
        self, source: RecordSource, ranges: list[tuple[int, int]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Rows keyed by hash."""
        for first, last in ranges:
            for record in source.records(first, last):
                yield record.hash, example(record)

    def _generate_tables(
        self, source: PassArchive | RecordSource, ranges: list[tuple[int, int]]
    ) -> Iterator[tuple[int, Any]]:
        """The same as tables."""
        if isinstance(source, PassArchive):
            yield from enumerate(read_tables(source, ranges))
        elif isinstance(source, RemoteArchive):
            yield from enumerate(stream_tables(source, ranges))
        else:
            records = (one for first, last in ranges for one in source.records(first, last))
            yield from enumerate(tables_of(records))

    @property
    def _streams_tables(self) -> bool:
        """True if a stream is to be of tables."""
        return False

    def _get_examples_iterable_for_split(self, split_generator: Any) -> Any:
        """What a stream is of, called by `datasets`.

        Raises:
          MissingExtraError: it is to be of tables, and this version of `datasets` knows none.
        """
        if not self._streams_tables:
            return super()._get_examples_iterable_for_split(split_generator)
        # Not part of the library's interface, so that one day it may be gone.
        iterable = getattr(datasets.iterable_dataset, "ArrowExamplesIterable", None)
        if iterable is None:
            raise MissingExtraError(
                f"tables=True needs a version of 'datasets' with ArrowExamplesIterable, as those "
                f"from 2.21 to 5.2 have it, and {datasets.__version__} is installed. Leave out "
                "tables=: a stream of rows has the same records.",
                name="datasets",
            )
        return iterable(self._generate_tables, split_generator.gen_kwargs)

    def _prepare_split_single(self, **arguments: Any) -> Iterable[Any]:
        """Writes one worker's share, called by `datasets`."""
        if not _takes_tables():
            return super()._prepare_split_single(**arguments)  # type: ignore[no-any-return]
        # What the library does for builders of tables. There is no key to be checked: the index
        # has no hash twice.
        taken = {name: arguments[name] for name in _TABLE_ARGUMENTS}
        return datasets.ArrowBasedBuilder._prepare_split_single(self, **taken)  # type: ignore[no-any-return]


_TABLE_ARGUMENTS = ("gen_kwargs", "fpath", "file_format", "max_shard_size", "job_id")


def _takes_tables() -> bool:
    """True if this version of `datasets` writes tables in the way that ours has been tested with.

    The way is not part of its interface, so that one day it may be another; rows are written then.
    """
    method = getattr(datasets.ArrowBasedBuilder, "_prepare_split_single", None)
    if method is None:
        return False
    return set(inspect.signature(method).parameters) == {"self", *_TABLE_ARGUMENTS}
