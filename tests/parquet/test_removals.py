"""Exports made under a removal list lack its images, and say so."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pass_dataset.archives.removals import add_removals, removals_for
from pass_dataset.builds.reading.comparison import verify_build
from pass_dataset.webdataset.build import WebDatasetBuild
from tests.parquet.conftest import exported
from tests.support.collection import Collection


@pytest.fixture
def gone(collection: Collection) -> list[str]:
    return [collection.hashes[0], *collection.hashes[8:11]]


def web(made: Collection, out: Path) -> Path:
    WebDatasetBuild(out, made.archives(), workers=1).run()
    return out


@pytest.mark.parametrize("export", [exported, web])
def test_made_under_a_list(collection: Collection, gone: list[str], tmp_path: Path, export) -> None:
    add_removals(collection.folder, gone)
    out = export(collection, tmp_path / "out")
    # The archives' list is then lost; the export's own says what it lacks.
    (collection.folder / "pass_removals.txt").unlink()
    assert set(removals_for(out).listed.to_pylist()) == set(gone)
    found = verify_build(out, archives=collection.folder, release=collection.tsv)
    assert found.is_right, found.findings
    assert (found.num_expected, found.num_read, found.num_still_there) == (11, 11, 0)
    (out / "pass_removals.txt").unlink()
    found = verify_build(out, archives=collection.folder, release=collection.tsv)
    assert not found.is_right
    assert {finding.hash for finding in found.findings} == set(gone)


@pytest.mark.parametrize("export", [exported, web])
def test_made_before(collection: Collection, gone: list[str], tmp_path: Path, export) -> None:
    out = export(collection, tmp_path / "out")
    add_removals(collection.folder, gone)
    found = verify_build(out, archives=collection.folder, release=collection.tsv)
    assert found.is_right
    assert (found.num_expected, found.num_read, found.num_still_there) == (11, 15, 4)


def test_what_the_folder_says(collection: Collection, gone: list[str], tmp_path: Path) -> None:
    add_removals(collection.folder, gone)
    out = exported(collection, tmp_path / "out")
    assert json.loads((out / "export.json").read_text())["removed"] == 4
    assert "11 images; 4 more were removed" in (out / "README.md").read_text()
    stored = pq.ParquetDataset(out / "data").read()["hash"].to_pylist()
    assert sorted(stored) == sorted(set(collection.hashes) - set(gone))
