"""The images of a collection, listed for hashing: where each is, and what tells it from others."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from pass_dataset.errors import SourceError
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.removed import RemovedImages
from pass_dataset.passify.sources.source import ListingReport, Source, SourceItem
from pass_dataset.progress import Progress

__all__ = ["ITEMS", "Listing", "item_of", "items_of", "list_images"]

logger = logging.getLogger(__name__)

#: Where an image is, as `SourceItem` has it, and the state of its file.
ITEMS = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("container", pa.string()),
        pa.field("start", pa.int64()),
        pa.field("length", pa.int64()),
        pa.field("stamp", pa.string(), nullable=False),
    ]
)
_BATCH = 10_000


@dataclass(frozen=True)
class Listing:
    """The images of a collection.

    Attributes:
      name: what the collection is called.
      settings: of its source, with the kind told.
      items: with the columns of `ITEMS`, in the source's order.
      files: states of files that images were listed from, for the reader.
      unlisted: places that could not be listed.
      identities: `photo_id` and `address` of each image, where they are known; None: names tell.
    """

    name: str
    settings: SourceSettings
    items: pa.Table
    files: dict[str, FileVersion]
    unlisted: tuple[str, ...]
    identities: pa.Table | None = None


def list_images(name: str, settings: SourceSettings, progress: Progress) -> Listing:
    """Lists a collection; images on removal lists are not in it.

    Raises:
      SourceError: there is no image, or the source cannot be listed.
    """
    settings = settings.resolved()
    source, report = open_source(settings), ListingReport()
    task = progress.task(f"Listing {name}", None, "images")
    batches = []
    listed = RemovedImages(settings).without(source.items(report), report)
    while block := list(islice(listed, _BATCH)):
        batches.append(_batch(source, report, block))
        task.advance(len(block))
    task.finish()
    for what in report.unreadable:
        logger.warning("cannot be listed and is left out: %s", what)
    if not batches:
        raise SourceError(f"{settings.path}: no images found (read as {settings.kind})")
    return Listing(
        name, settings, pa.Table.from_batches(batches), report.files, tuple(report.unreadable)
    )


def _batch(source: Source, report: ListingReport, items: list[SourceItem]) -> pa.RecordBatch:
    columns = [*zip(*items, strict=True), [_stamp(source, report, item) for item in items]]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, ITEMS, strict=True)],
        schema=ITEMS,
    )


def _stamp(source: Source, report: ListingReport, item: SourceItem) -> str:
    """Changes when the image does: its file's size and time, and its place in that."""
    if item.container is not None:
        state = report.files.get(item.container)
        return f"{state and tuple(state)} {item.start} {item.size_bytes}"
    file = source.file_of(item)
    try:
        return str(tuple(FileVersion.of(os.fsencode(item.path) if file is None else file)))
    except OSError:
        return "gone"


def item_of(row: tuple[str, str | None, int | None, int | None]) -> SourceItem:
    """The item that a row is of."""
    return SourceItem(*row)


def items_of(rows: pa.Table) -> Iterator[SourceItem]:
    """The items that rows are of."""
    columns = [rows[name].to_pylist() for name in ITEMS.names[:-1]]
    for row in zip(*columns, strict=True):
        yield item_of(row)
