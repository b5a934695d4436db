"""Synthetic releases that stand in for the published ones: same layout, a few drawn pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pass_dataset.archives.collection import describe_collection
from pass_dataset.archives.ensure import open_mini
from pass_dataset.releases import release as releases
from pass_dataset.releases.release import OFFICIAL_VERSIONS, Release, format_release
from tests.support import collection

#: Images of each release, fewer from release to release as in PASS.
COUNTS = {"1.0.0": 12, "2.0.0": 11, "3.0.0": 9}
_TARS = 3
#: Release 1 has neither dates nor GPS.
_HEADER_1 = ",unickname,licensename,hash"


@dataclass(frozen=True)
class OfficialReleases:
    """Archive folders ``<root>/1.0.0`` to ``<root>/3.0.0`` and their checksum files.

    Attributes:
      root: parent of the archive folders.
      checksums: folder of the checksum files.
      jpegs: bytes of every image by hash; a later release has the first few of them.
    """

    root: Path
    checksums: Path
    jpegs: dict[str, bytes]

    def hashes(self, version: str) -> list[str]:
        return list(self.jpegs)[: COUNTS[version]]

    def publish(self, patch: pytest.MonkeyPatch) -> None:
        """Makes the package take them for the published releases, until the patch is undone."""
        patch.setattr(releases, "_checksums_folder", lambda: self.checksums)
        releases.official_release.cache_clear()


def make_official(root: Path) -> OfficialReleases:
    """Writes all three releases, with pictures of the mini release under its hashes."""
    records = [open_mini()[number] for number in range(max(COUNTS.values()))]
    made = OfficialReleases(
        root, root / "checksums", {record.hash: record.jpeg for record in records}
    )
    made.checksums.mkdir(parents=True)
    for version in OFFICIAL_VERSIONS:
        release = _write_archives(made, version)
        (made.checksums / f"{version}.tsv").write_text(format_release(release))
    return made


def _write_archives(made: OfficialReleases, version: str) -> Release:
    folder = made.root / version
    folder.mkdir()
    hashes = made.hashes(version)
    for tar in range(_TARS):
        names = {f"PASS_dataset/0/{name}.jpg": made.jpegs[name] for name in hashes[tar::_TARS]}
        collection.write_tar(folder / f"PASS.{tar}.tar", names)
    if version == "1.0.0":
        lines = [_HEADER_1]
        lines += [f"{n},user{n}%3C3,Attribution License,{name}" for n, name in enumerate(hashes)]
    else:
        lines = [collection.HEADER]
        lines += [collection.row(number, name) for number, name in enumerate(hashes)]
    (folder / "pass_metadata.csv").write_text("\n".join([*lines, ""]))
    published = releases.official_release(version)
    return replace(
        describe_collection(folder, version=version),
        released=published.released,
        changes=published.changes,
    )
