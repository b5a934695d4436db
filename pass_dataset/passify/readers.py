"""The filter's source of archives in the catalogue of readers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pass_dataset.builds.catalogue import Place, Reader
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.source import ListingReport

__all__ = ["READERS"]


def _items(place: Place) -> Iterator[str]:
    release = place.archives.release
    settings = replace(
        SourceSettings.of(place.archives.path),
        kind="pass",
        # Settings are text; a collection of the user's own tells what it is.
        release=release.version if release.is_official else None,
    )
    for item in open_source(settings).items(ListingReport()):
        yield item.path.rpartition("/")[2].removesuffix(".jpg")


READERS = (Reader("passify, kind pass", _items, in_place=True, takes_removals=False),)
