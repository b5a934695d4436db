"""What is on a removal list is given out by nothing, whatever the run found before."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from pass_dataset.archives import mini
from pass_dataset.archives.hash_lists import read_hash_list
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import add_removals
from pass_dataset.errors import MetadataError, RunError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.parquet.build import ParquetBuild
from pass_dataset.passify.outputs.export import Export
from pass_dataset.passify.outputs.lists import dropped_images, listed_paths
from pass_dataset.passify.outputs.summary import summarize
from pass_dataset.passify.report.document import write_report
from pass_dataset.passify.report.survey import Choices
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.schema import ImageResult
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.releases.release import read_release
from pass_dataset.webdataset.build import WebDatasetBuild
from tests.support.runs import found, make_run

KINDS = ("pass", "tar", "one tar", "parquet", "data", "webdataset", "dataset", "folder", "list")
ALL = Thresholds()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mini release in all forms."""
    world = tmp_path_factory.mktemp("forms")
    shutil.copytree(mini.ARCHIVES, world / "archives")
    archives = ArchiveFolder.at(world / "archives", read_release(mini.CHECKSUMS))
    ParquetBuild(world / "parquet", archives, workers=1).run()
    WebDatasetBuild(world / "webdataset", archives, workers=1).run()
    (world / "folder").mkdir()
    for record in PassArchive(archives):
        (world / "folder" / f"{record.hash}.jpg").write_bytes(record.jpeg)
    return world


def source_of(kind: str, world: Path) -> tuple[SourceSettings, Path]:
    """A source of that kind, and the folder that its removal list is put into."""
    if kind == "one tar":
        return SourceSettings.of(world / "archives" / "PASS.0.tar"), world / "archives"
    if kind == "data":
        return SourceSettings.of(world / "parquet" / "data"), world / "parquet"
    if kind == "list":
        listed = world / "list.txt"
        names = sorted(path.name for path in (world / "folder").iterdir())
        listed.write_text("".join(f"./{name}\n" for name in names if name.endswith(".jpg")))
        return SourceSettings(str(listed), "list", root=str(world / "folder")), world / "folder"
    if kind == "dataset":
        datasets = pytest.importorskip("datasets")
        files = [str(path) for path in sorted((world / "parquet").rglob("*.parquet"))]
        rows = datasets.load_dataset(
            "parquet", data_files=files, cache_dir=str(world / "cache"), split="train"
        )
        rows.save_to_disk(world / "saved")
        return SourceSettings.of(world / "saved"), world / "saved"
    if kind in ("pass", "tar"):
        told = SourceSettings(
            str(world / "archives"),
            kind,
            release=str(mini.CHECKSUMS),  # type: ignore[arg-type]
        )
        return told, world / "archives"
    return SourceSettings.of(world / kind), world / kind


def no_faces(row: ImageResult) -> None:
    found(row, "face", [], 0.01)
    found(row, "person", [], 0.01)


def paths_of(results: Results) -> list[str]:
    return list(listed_paths(results, ALL))


@pytest.mark.parametrize("kind", KINDS)
def test_gone(kind: str, world: Path, tmp_path: Path) -> None:
    shutil.copytree(world, tmp_path / "forms")
    settings, listed_in = source_of(kind, tmp_path / "forms")
    run = make_run(tmp_path / "run", settings, no_faces)
    results = Results(run)
    before = paths_of(results)
    archive = PassArchive(world / "archives", mini.CHECKSUMS)
    gone = archive[3]
    digest = hashlib.sha256(gone.jpeg).hexdigest()
    Export(tmp_path / "before", "copy", ALL).run(results)
    assert digest in digests(tmp_path / "before")

    add_removals(listed_in, [gone.hash])
    kept = paths_of(results)
    assert len(kept) == len(before) - 1
    if kind != "one tar":
        assert len(before) == 64
    assert gone.hash not in "".join(kept)
    (dropped,) = dropped_images(results, ALL, lambda reason: True)
    assert (dropped.reason, dropped.outcome) == ("excluded", "dropped")
    assert summarize(results, ALL).kept == len(kept)
    Export(tmp_path / "after", "copy", ALL).run(results)
    assert digest not in digests(tmp_path / "after")
    with pytest.raises(RunError, match="this is another export: its removed is None"):
        Export(tmp_path / "before", "copy", ALL).run(results)
    page = write_report(results, choices=Choices(99, 99), sample_pictures=True)
    assert gone.hash not in page.read_text()

    again = Results(make_run(tmp_path / "again", settings, no_faces))
    assert again.plan.images == len(before) - 1
    assert paths_of(again) == kept
    if kind != "pass":  # where the index leaves them out
        assert again.plan.left_out["images on removal lists"] == 1


def digests(folder: Path) -> set[str]:
    return {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_list_that_cannot_be_read_stops_all(world: Path, tmp_path: Path) -> None:
    shutil.copytree(world / "webdataset", tmp_path / "images")
    run = make_run(tmp_path / "run", tmp_path / "images", no_faces)
    (tmp_path / "images" / "pass_removals.txt").write_text("")
    with pytest.raises(MetadataError, match=r"images/pass_removals\.txt"):
        paths_of(Results(run))
    with pytest.raises(MetadataError, match=r"images/pass_removals\.txt"):
        make_run(tmp_path / "again", tmp_path / "images", no_faces)


def test_the_list_of_the_environment(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "run", world / "parquet", no_faces)
    kept = paths_of(Results(run))
    (tmp_path / "list.txt").write_text(kept[5].rpartition("/")[2] + "\n")
    monkeypatch.setenv("PASS_REMOVALS", str(tmp_path / "list.txt"))
    assert paths_of(Results(run)) == kept[:5] + kept[6:]


@pytest.mark.parametrize("kind", ["parquet", "dataset"])
def test_rows_are_known_by_their_hash(kind: str, world: Path, tmp_path: Path) -> None:
    """So that what a run keeps can be credited, and read by PyTorch."""
    shutil.copytree(world, tmp_path / "forms")
    settings, _ = source_of(kind, tmp_path / "forms")
    results = Results(make_run(tmp_path / "run", settings, no_faces))
    (tmp_path / "kept.txt").write_text("".join(f"{path}\n" for path in paths_of(results)[:7]))
    names = read_hash_list(tmp_path / "kept.txt")
    assert len(PassArchive(world / "archives", mini.CHECKSUMS).keeping(names)) == 7
