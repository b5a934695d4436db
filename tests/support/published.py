"""Small releases 1.0.0, 2.0.0 and 3.0.0 that take the place of the published ones."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pass_dataset.releases import release as releases
from pass_dataset.releases.release import Release, ReleaseFile, format_release, official_release

__all__ = ["Published", "published"]


@dataclass
class Published:
    """Where the checksum files of the small releases are, and their metadata CSVs.

    Attributes:
      checksums: folder of the checksum files.
      csvs: by version, the folder that has ``pass_metadata.csv``; all are below one folder.
    """

    checksums: Path
    csvs: dict[str, Path]

    def publish(self, version: str, lines: Sequence[str], num_examples: int | None = None) -> Path:
        """Makes a release of these lines of CSV; returns the path of the CSV."""
        folder = self.csvs[version]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "pass_metadata.csv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        data = path.read_bytes()
        release = Release(
            version,
            (
                ReleaseFile("PASS.0.tar", 1, "0" * 64),
                ReleaseFile(path.name, len(data), hashlib.sha256(data).hexdigest()),
            ),
            zenodo_record=f"55500{version[0]}",
            num_examples=len(lines) - 1 if num_examples is None else num_examples,
            released=f"202{version[0]}-10-14",
        )
        (self.checksums / f"{version}.tsv").write_text(format_release(release))
        official_release.cache_clear()
        return path


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    """Three small releases: two images are in the first only, one is gone in the third."""
    checksums = tmp_path / "checksums"
    checksums.mkdir()
    monkeypatch.setattr(releases, "_checksums_folder", lambda: checksums)
    made = Published(checksums, {v: tmp_path / "csv" / v for v in releases.OFFICIAL_VERSIONS})
    made.publish("1.0.0", [",unickname,licensename,hash", *map(_row_1, range(8))])
    header = ",unickname,datetaken,licensename,hash,latitude,longitude"
    made.publish("2.0.0", [header, *map(_row_2, range(2, 8))])
    made.publish("3.0.0", [header, *map(_row_2, range(3, 8))])
    yield made
    official_release.cache_clear()


#: Some of digits only, one that looks like a number; none in order.
HASHES = (
    "ffd3eb12a16cb83138f26e6f36dec967",
    "123456789012345678901234567890",
    "12e4503918276645091827364509182",
    "0ff379727f52bcec4dfb237ace41627a",
    "9999999999999999999999999999",
    "75f7305b1fd94044e14bdcdde469dbb2",
    "12e9999999999999999999999999999",
    "abcdefabcdefabcdefabcdefabcdefab",
)


def _row_1(number: int) -> str:
    return f"{number},user{number % 3}%3C3,Attribution License,{HASHES[number]}"


def _row_2(number: int) -> str:
    # The third release's rows say the same; one name is not that of the first.
    name = "renamed" if number == 5 else f"user{number % 3}%3C3"
    return f"{number},{name},,Attribution License,{HASHES[number]},,"
