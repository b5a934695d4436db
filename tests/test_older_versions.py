"""What older versions wrote still opens: receipts, indexes, builds, runs (see `tests/data`).

The files were made by the commands of the version, by scripts/tools/make_version_data.py.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from pass_dataset import PassArchive, verify
from pass_dataset.archives.removals import RemovalList, removals_for
from pass_dataset.builds.catalogue import format_of, open_stored, stored_images
from pass_dataset.builds.purging.purging import purge
from pass_dataset.builds.reading.comparison import verify_build
from pass_dataset.builds.targets import find_targets, open_target
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.state import RECEIPT_NAME
from pass_dataset.passify.outputs.summary import summarize
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.verdicts import Thresholds

DATA = Path(__file__).parent / "data"
VERSIONS = sorted(path.name for path in DATA.iterdir())
BUILDS = ["parquet", "webdataset", "tfds"]


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """What a version left, with the times that its files had."""
    folder: Path = tmp_path / request.param
    shutil.copytree(DATA / request.param, folder)
    archives = folder / "archives"
    receipt = json.loads((archives / RECEIPT_NAME).read_text())
    for name, entry in receipt["files"].items():
        os.utime(archives / name, ns=(entry["mtime_ns"], entry["mtime_ns"]))
    return folder


def test_receipt(old: Path) -> None:
    opened = ArchiveFolder.open(old / "archives")
    assert (opened.release.label, opened.release.num_examples) == ("small 1.0.0", 8)
    # It has no checksum: its files are hashed once more.
    assert not opened.is_on_record
    assert not verify(opened, quick=True).is_whole
    assert verify(opened).is_whole
    assert opened.is_on_record
    assert verify(opened, quick=True).is_whole


def test_removal_list_and_index(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The index has no checksum, and is made anew."""
    archive = PassArchive(old / "archives")
    assert (len(archive), len(archive.removed), len(archive.with_removed())) == (7, 1, 8)
    assert [record.creator for record in archive][:4] == [f"user{n % 3}%3C3" for n in range(4)]
    assert all(record.jpeg.startswith(b"\xff\xd8") for record in archive)
    assert "it has no checksum" in caplog.text
    caplog.clear()
    assert len(PassArchive(old / "archives")) == 7
    assert "checksum" not in caplog.text


@pytest.mark.parametrize("kind", BUILDS)
def test_builds(kind: str, old: Path) -> None:
    if kind == "tfds":
        pytest.importorskip("tensorflow_datasets", reason="needs the extra tfds")
    (target,) = find_targets(old / kind)
    assert target.format is not None
    assert target.format is format_of(target.folder)
    found = verify_build(old / kind, archives=old / "archives")
    assert found.is_right, found.findings
    assert (found.num_read, found.num_expected, found.num_still_there) == (8, 7, 1)


@pytest.mark.parametrize("kind", BUILDS)
def test_builds_are_purged(kind: str, old: Path) -> None:
    if kind == "tfds":
        pytest.importorskip("tensorflow_datasets", reason="needs the extra tfds")
    listed = removals_for(old / "archives")
    (target,) = find_targets(old / kind)
    purge(open_target(target), RemovalList(listed.hashes))
    left = {one for one, _ in stored_images(open_stored(target.folder))}
    assert len(left) == 7
    assert not left & listed.hashes


def test_read_by_tfds(old: Path) -> None:
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs the extra tfds")
    from pass_dataset.tfds.pass_dataset_builder import Builder

    builder = Builder(release=old / "archives" / "small-1.0.0.tsv", data_dir=old / "tfds")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=old / "archives")
    )
    examples = list(tfds.as_numpy(builder.as_dataset(split="train")))
    hashes = sorted(example["image/hash"].decode() for example in examples)
    assert hashes == sorted(record.hash for record in PassArchive(old / "archives"))


def test_run_of_the_filter(old: Path) -> None:
    results = Results(RunFolder(old / "run"))
    found = summarize(results, Thresholds())
    assert (found.images, found.missing, found.kept) == (8, 0, 8)
    assert summarize(results, Thresholds(face=0.0)).kept < 8
    (table,) = results.tables(["path", "face_max_score"])
    assert table["path"][0].as_py().startswith("PASS.0.tar/")
