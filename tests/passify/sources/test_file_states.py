from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.errors import PassDatasetError, SourceChangedError
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.outputs.export import Export
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.source import ListingReport, Source
from tests.passify.sources.test_opening import write_tar
from tests.support.collection import Collection
from tests.support.passify import SAMPLE, picture, reasons, run, write_files


def tar(folder: Path, first: int = 0) -> Path:
    """A tar of three images; those from another number on are others of the same size."""
    write_tar(folder / "a.tar", {f"{n}.jpg": b"image %d" % (first + n) for n in range(3)})
    return folder / "a.tar"


def table(folder: Path, first: int = 0) -> Path:
    cells = [b"image %d" % (first + n) for n in range(3)]
    pq.write_table(pa.table({"image": cells}), folder / "a.parquet")
    return folder / "a.parquet"


def listed(folder: Path, first: int = 0) -> Path:
    """A list of three files, which it makes."""
    for number in range(first, first + 3):
        (folder / f"{number}.jpg").write_bytes(b"image %d" % number)
    names = [f"{number}.jpg\n" for number in range(first, first + 3)]
    (folder / "list.txt").write_text("".join(names))
    return folder / "list.txt"


def dataset(folder: Path, first: int = 0) -> Path:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"image": datasets.Image()})
    cells = [{"bytes": b"image %d" % (first + n), "path": None} for n in range(3)]
    datasets.Dataset.from_dict({"image": cells}, features=features).save_to_disk(folder / "saved")
    return folder / "saved"


def opened(path: Path) -> Source:
    return open_source(SourceSettings.of(path).resolved())


MAKERS = [tar, table, listed, dataset]


def later(path: Path) -> None:
    """Has what was written just now be of a second later: clocks of file systems are coarse."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    for file in files:
        time_ns = file.stat().st_mtime_ns + 10**9
        os.utime(file, ns=(time_ns, time_ns))


@pytest.mark.parametrize("make", MAKERS)
def test_another_file_in_its_place_is_refused(make: Callable[..., Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    source, report = opened(path), ListingReport()
    items = list(source.items(report))
    reader = source.reader(report.files)
    assert [reader.read(item) for item in items] == [b"image 0", b"image 1", b"image 2"]
    reader.close()
    make(tmp_path, first=3)
    later(path)
    with pytest.raises(SourceChangedError, match="has changed since its images were listed"):
        source.reader(report.files).read(items[0])


@pytest.mark.parametrize("make", [tar, table])
def test_file_replaced_while_it_is_open_is_refused(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    path = make(tmp_path)
    source, report = opened(path), ListingReport()
    items = list(source.items(report))
    reader = source.reader(report.files)
    reader.read(items[0])
    (tmp_path / "new").mkdir()
    other = make(tmp_path / "new", first=3)
    later(other)
    other.replace(path)
    reader.close()  # or what was read ahead of a table would be given
    with pytest.raises(SourceChangedError, match=path.name):
        reader.read(items[1])


@pytest.mark.parametrize("make", [tar, table, listed])
def test_file_that_is_gone_is_refused_by_its_name(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    path = make(tmp_path)
    source, report = opened(path), ListingReport()
    items = list(source.items(report))
    path.unlink()
    with pytest.raises(PassDatasetError, match=f"{path.name}.*found no file"):
        source.reader(report.files).read(items[0])


@pytest.mark.parametrize("make", MAKERS)
def test_copied_collection_is_the_same_one(make: Callable[..., Path], tmp_path: Path) -> None:
    """Inodes are others there, sizes and times are not."""
    import shutil

    path = make(tmp_path)
    source, report = opened(path), ListingReport()
    items = list(source.items(report))
    copy = tmp_path / "copy"
    (shutil.copytree if path.is_dir() else shutil.copy2)(path, copy)
    (shutil.rmtree if path.is_dir() else os.unlink)(path)
    copy.rename(path)
    assert source.reader(report.files).read(items[2]) == b"image 2"


def test_tars_of_an_archive_folder(collection: Collection) -> None:
    settings = SourceSettings(str(collection.folder), "pass", release=str(collection.tsv))
    source, report = open_source(settings), ListingReport()
    items = list(source.items(report))
    assert set(report.files) == {item.container for item in items}
    reader = source.reader(report.files)
    reader.read(items[0])
    os.utime(collection.folder / str(items[0].container), ns=(1, 1))
    with pytest.raises(SourceChangedError, match="written 1970-01-01 00:00:00 UTC"):
        reader.read(items[0])


def test_run_of_a_changed_tar_ends_and_says_which(tmp_path: Path) -> None:
    members = {f"{number}.png": picture(seed=number) for number in range(8)}
    write_tar(tmp_path / "a.tar", members)
    results = run(tmp_path / "a.tar", tmp_path / "run", shard_size=4)
    assert Plan.load(results.folder) == results.plan
    assert results.plan.files == {"a.tar": FileVersion.of(tmp_path / "a.tar")}
    for shard in (0, 1):
        (results.folder.path / "done" / f"{shard:06}.json").unlink()
        results.folder.results_path(shard).unlink()
    del members["0.png"]
    write_tar(tmp_path / "a.tar", members)
    later(tmp_path / "a.tar")
    with pytest.raises(SourceChangedError, match=r"a\.tar: has changed since"):
        run(tmp_path / "a.tar", tmp_path / "run", shard_size=4)
    assert not results.folder.done()


def test_export_of_a_changed_tar_ends_and_says_which(tmp_path: Path) -> None:
    members = {f"{number}.png": picture(seed=number) for number in range(3)}
    write_tar(tmp_path / "a.tar", members)
    results = run(tmp_path / "a.tar", tmp_path / "run")
    later(tmp_path / "a.tar")
    with pytest.raises(SourceChangedError, match=r"a\.tar: has changed since"):
        Export(tmp_path / "out", "copy", Thresholds()).run(results)


def test_plan_of_an_earlier_version_is_not_checked(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"a.png": picture(seed=1)})
    results = run(tmp_path / "a.tar", tmp_path / "run")
    content = json.loads(results.folder.plan_path.read_text())
    del content["files"], content["checksum"]
    results.folder.plan_path.write_text(json.dumps(content))
    later(tmp_path / "a.tar")
    plan = Plan.load(results.folder)
    assert plan is not None
    assert plan.files == {}
    (results.folder.path / "done" / "000000.json").unlink()
    assert reasons(run(tmp_path / "a.tar", tmp_path / "run")) == {"a.png": None}


@pytest.mark.slow
def test_scores_of_one_image_are_of_the_same_bytes(tmp_path: Path) -> None:
    """A file of a folder replaced between the search for faces and that for people."""
    from pass_dataset.executors.tasks import do_task
    from pass_dataset.passify.steps.execution import Execution
    from pass_dataset.passify.steps.job import FilterJob

    sample = write_files(tmp_path / "sample", {"a.png": SAMPLE["a/kept.png"]})
    results = run(sample, tmp_path / "run")
    folder = results.folder
    (folder.path / "done" / "000000.json").unlink()
    folder.results_path(0).unlink()
    do_task(folder, [FilterJob(0, targets=("face",))], Execution(workers=1), name="face")
    (sample / "a.png").write_bytes(picture(face=1.0))
    assert reasons(run(sample, tmp_path / "run")) == {"a.png": "unreadable"}
    assert reasons(run(sample, tmp_path / "run", retry_failed=True)) == {"a.png": "face"}


def test_a_time_that_no_calendar_has_is_shown() -> None:
    assert str(FileVersion(12, 10**30)) == f"12 bytes written {10**30} ns after 1970"
