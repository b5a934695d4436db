"""What the papers of a release tell, counted from what was written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.metadata import read_rows
from pass_dataset.curate.funnel.counts import Funnel, Stage
from pass_dataset.releases.release import Release

__all__ = ["Facts", "facts_of"]

_CREATIVE_COMMONS = re.compile(r"https?://creativecommons\.org/licenses/([a-z-]+)/([\d.]+)/?")


@dataclass(frozen=True)
class Facts:
    """What is known of a release.

    Attributes:
      release: its files.
      funnel: what became of all photographs, with the stage `release` last.
      licenses: photographs by the address of their licence, or its name; most first.
      photographers: different ones, by NSID, else by name.
      without_creator: photographs whose photographer is not named.
      with_position: photographs whose place is known.
      first_year, last_year: when they were taken; None: of none it is known.
      without_date: photographs of which it is not.
    """

    release: Release
    funnel: Funnel
    licenses: Mapping[str, int]
    photographers: int
    without_creator: int
    with_position: int
    first_year: int | None
    last_year: int | None
    without_date: int

    @property
    def images(self) -> int:
        """Photographs of the release."""
        return self.funnel.stages[-1].left

    def stage(self, name: str) -> Stage | None:
        """A stage of the funnel; None: it was not done."""
        return next((stage for stage in self.funnel.stages if stage.name == name), None)

    @property
    def license_id(self) -> str:
        """The Hub's name of the licence; ``other`` if there are several, or one it has not."""
        found = {_CREATIVE_COMMONS.fullmatch(address) for address in self.licenses}
        if len(found) == 1 and (match := found.pop()) is not None:
            return f"cc-{match[1]}-{match[2]}"
        return "other"


def facts_of(release: Release, funnel: Funnel, table: Path) -> Facts:
    """Counts what the metadata CSV of a release says.

    Raises:
      MetadataError: it cannot be read.
    """
    columns = ("unickname", "uid", "datetaken", "licensename", "licenseurl", "latitude")
    rows = read_rows(table, columns)
    who = pc.coalesce(rows["uid"], rows["unickname"])
    licenses = pc.coalesce(rows["licenseurl"], rows["licensename"], pa.scalar("not named"))
    years = pc.utf8_slice_codeunits(rows["datetaken"].drop_null(), 0, 4)
    years = [int(year) for year in pc.unique(years).to_pylist() if year.isdecimal() and int(year)]
    counted = Counter({one["values"]: one["counts"] for one in licenses.value_counts().to_pylist()})
    return Facts(
        release=release,
        funnel=funnel,
        licenses=dict(counted.most_common()),
        photographers=pc.count_distinct(who).as_py(),
        without_creator=who.null_count,
        with_position=len(rows) - rows["latitude"].null_count,
        first_year=min(years, default=None),
        last_year=max(years, default=None),
        without_date=rows["datetaken"].null_count,
    )
