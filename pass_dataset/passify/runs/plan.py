"""The plan of a run: its images, listed once, and how they are cut into shards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice

import pyarrow as pa

from pass_dataset.errors import RunError, SourceError
from pass_dataset.executors.shard_folder import written_whole
from pass_dataset.files.arrow import map_file, table_writer
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import RunSettings
from pass_dataset.passify.sources.removed import RemovedImages
from pass_dataset.passify.sources.source import ListingReport, Source, SourceItem
from pass_dataset.progress import Progress

__all__ = ["Plan", "automatic_shard_size", "make_plan"]

logger = logging.getLogger(__name__)

#: Rows of a record batch of the list; each is found by itself.
_BATCH_ROWS = 1000
#: Shards are at most this large: some seconds to minutes of work, and files that read fast.
_MAX_SHARD_SIZE = 1000
#: A small collection is cut into about this many, so that many workers have something to do.
_FEW_SHARDS = 64
_MIN_SHARD_SIZE = 16


def automatic_shard_size(images: int) -> int:
    """Images in a shard, by the number of images."""
    return min(_MAX_SHARD_SIZE, max(_MIN_SHARD_SIZE, -(-images // _FEW_SHARDS)))


@dataclass(frozen=True)
class Plan:
    """How a run's images are cut into shards; the last shard may be smaller.

    Attributes:
      images: number of images.
      shard_size: images in a shard.
      containers: files that hold images, as text; the list's column ``container`` counts in them.
      unreadable: places that could not be listed, the first of them.
      num_unreadable: number of all.
      left_out: files that are no images by their name, by ending, and links, with numbers.
      files: states of the files that the images were listed from, for the source's reader; none in
        plans that earlier versions made.
    """

    images: int
    shard_size: int
    containers: tuple[str, ...]
    unreadable: tuple[str, ...]
    num_unreadable: int
    left_out: dict[str, int]
    files: dict[str, FileVersion] = field(default_factory=dict)

    @property
    def num_shards(self) -> int:
        return -(-self.images // self.shard_size)

    def bounds(self, shard: int) -> tuple[int, int]:
        """First and last-plus-one position of a shard's images in the list."""
        start = shard * self.shard_size
        return start, min(start + self.shard_size, self.images)

    def items(self, folder: RunFolder, shard: int) -> list[SourceItem]:
        """The images of a shard.

        Raises:
          RunError: the list cannot be read.
        """
        start, stop = self.bounds(shard)
        return list(self._items(folder, start, stop))

    def _items(self, folder: RunFolder, start: int, stop: int) -> Iterator[SourceItem]:
        try:
            reader = map_file(folder.items_path)
            while start < stop:
                number, within = divmod(start, _BATCH_ROWS)
                batch = reader.get_batch(number).slice(within, stop - start)
                for path, container, first, size in zip(*batch.to_pydict().values(), strict=True):
                    name = None if container is None else self.containers[container]
                    yield SourceItem(path, name, first, size)
                start += batch.num_rows
        except (OSError, ValueError, pa.ArrowException) as error:
            raise RunError(f"{folder.items_path}: cannot be read: {error}") from error

    @classmethod
    def load(cls, folder: RunFolder) -> Plan | None:
        """The plan of a run; None if it was not made yet.

        Raises:
          RunError: it cannot be read.
        """
        try:
            content = load_json(folder.plan_path)
            content["containers"] = tuple(content["containers"])
            content["unreadable"] = tuple(content["unreadable"])
            states = content.pop("files", {}).items()
            return cls(**content, files={name: FileVersion(*state) for name, state in states})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{folder.plan_path}: cannot be read: {error}") from error


def make_plan(folder: RunFolder, source: Source, settings: RunSettings, progress: Progress) -> Plan:
    """Lists the source and writes the plan, in bounded memory.

    Raises:
      SourceError: there is no image, or the source cannot be listed.
      OSError: it cannot be written.
    """
    report = ListingReport()
    task = progress.task("Listing images", None, "images")
    containers: dict[str, int] = {}
    images = 0
    schema = _list_schema()
    with (
        written_whole(folder.items_path) as file,
        table_writer(file, schema, compression="zstd") as writer,
    ):
        listed = RemovedImages(settings.source).without(source.items(report), report)
        while block := list(islice(listed, _BATCH_ROWS)):
            writer.write_batch(_batch(block, containers, schema))
            images += len(block)
            task.advance(len(block))
    task.finish()
    for what in report.unreadable:
        logger.warning("cannot be listed and is left out: %s", what)
    if not images:
        raise SourceError(_nothing_found(settings, report))
    plan = Plan(
        images,
        settings.shard_size or automatic_shard_size(images),
        tuple(containers),
        tuple(report.unreadable),
        report.num_unreadable,
        dict(report.left_out.most_common()),
        report.files,
    )
    save_json(folder.plan_path, asdict(plan))
    return plan


def _list_schema() -> pa.Schema:
    return pa.schema(
        [
            ("path", pa.string()),
            ("container", pa.int32()),
            ("start", pa.int64()),
            ("size_bytes", pa.int64()),
        ]
    )


def _batch(
    items: list[SourceItem], containers: dict[str, int], schema: pa.Schema
) -> pa.RecordBatch:
    paths, names, starts, sizes = zip(*items, strict=True)
    numbers = [
        None if name is None else containers.setdefault(name, len(containers)) for name in names
    ]
    columns = (paths, numbers, starts, sizes)
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)],
        schema=schema,
    )


def _nothing_found(settings: RunSettings, report: ListingReport) -> str:
    lines = [f"{settings.source.path}: no images found (read as {settings.source.kind})"]
    left_out = ", ".join(f"{number:,} {what}" for what, number in report.left_out.most_common(5))
    if left_out:
        lines.append(f"left out: {left_out}; --suffixes says which endings images have, or any")
    lines += [f"cannot be listed: {what}" for what in report.unreadable[:5]]
    return "; ".join(lines)
