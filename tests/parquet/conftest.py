"""Exports of small collections."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pass_dataset.archives import mini
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.parquet.build import ParquetBuild
from pass_dataset.releases.release import read_release
from tests.support.collection import Collection

#: Of a shard of the collection `many`, 240 images of 400 bytes: makes a few dozen.
SHARD_BYTES = 5_000


def exported(made: Collection, out: Path, **settings: object) -> Path:
    """A collection exported into a folder."""
    given = {"shard_bytes": SHARD_BYTES, "workers": 2, **settings}
    archives = made.archives(parts=given.pop("parts", None))  # type: ignore[arg-type]
    ParquetBuild(out, archives, **given).run()  # type: ignore[arg-type]
    return out


@pytest.fixture(scope="session")
def mini_archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mini release's archives; building leaves a receipt and an index beside these."""
    return Path(shutil.copytree(mini.ARCHIVES, tmp_path_factory.mktemp("mini") / "archives"))


@pytest.fixture(scope="session")
def mini_export(mini_archives: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mini release as Parquet, in four files."""
    out = tmp_path_factory.mktemp("mini") / "export"
    archives = ArchiveFolder.at(mini_archives, read_release(mini.CHECKSUMS))
    ParquetBuild(out, archives, shard_bytes=400_000, workers=2).run()
    return out
