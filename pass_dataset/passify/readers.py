"""The filter's source of archives in the catalogue of readers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pass_dataset.builds.catalogue import Place, Reader, with_sha256
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.source import ListingReport

__all__ = ["READERS"]


def _items(place: Place) -> Iterator[tuple[str, bytes]]:
    release = place.archives.release
    settings = replace(
        SourceSettings.of(place.archives.path),
        kind="pass",
        # Settings are text; a collection of the user's own tells what it is.
        release=release.version if release.is_official else None,
    )
    source, report = open_source(settings), ListingReport()
    # As a run does: all is listed, and then read.
    items = list(source.items(report))
    reader = source.reader(report.files)
    names = (item.path.rpartition("/")[2].removesuffix(".jpg") for item in items)
    return with_sha256(zip(names, map(reader.read, items), strict=True))


READERS = (Reader("passify, kind pass", _items, in_place=True, takes_removals=False),)
