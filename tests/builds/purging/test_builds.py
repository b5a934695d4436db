"""Builds and exports purged: the images are gone from their files, and the rest is right."""

from __future__ import annotations

import os
import shutil
import signal
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pass_dataset import PassArchive
from pass_dataset.archives import mini
from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.removals import RemovalList, add_removals
from pass_dataset.builds.purging.purging import PurgeReport, purge
from pass_dataset.builds.purging.receipt import PurgeReceipt
from pass_dataset.builds.reading.comparison import verify_build
from pass_dataset.builds.targets import find_targets, open_target
from pass_dataset.commands.main import main
from pass_dataset.errors import BuildError, FolderError, UploadError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.parquet.build import ParquetBuild
from pass_dataset.parquet.hub import HubUpload
from pass_dataset.parquet.manifest import Export
from pass_dataset.releases.release import read_release
from pass_dataset.webdataset.build import WebDatasetBuild
from pass_dataset.webdataset.manifest import WebDatasetExport
from tests.support.collection import Collection

GONE = [record.hash for record in open_mini()[[0, 7, 20, 63]]]
KEPT = sorted(record.hash for record in open_mini() if record.hash not in GONE)
JPEGS = [open_mini().by_hash(one).jpeg for one in GONE]
RELEASE = read_release(mini.CHECKSUMS)


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(mini.ARCHIVES, tmp_path_factory.mktemp("mini") / "archives"))


def purged(folder: Path) -> PurgeReport:
    (target,) = find_targets(folder)
    return purge(open_target(target), RemovalList(frozenset([*GONE, "f" * 32])))


def assert_gone(folder: Path) -> None:
    """No byte of the images is left in any file; nor are those that were being written."""
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(jpeg[:400] in content for jpeg in JPEGS), path
            assert not path.name.endswith(".purge.part")


def verified(folder: Path, archives: Path | None = None) -> None:
    found = verify_build(folder, archives=archives)
    assert found.is_right, found.findings[:3]
    assert (found.num_expected, found.num_read, found.num_still_there) == (60, 60, 0)


# --- exports --------------------------------------------------------------------------------------


def opened(archives: Path) -> ArchiveFolder:
    return ArchiveFolder.at(archives, RELEASE)


@pytest.fixture(scope="session")
def parquet(archives: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("parquet") / "export"
    ParquetBuild(out, opened(archives), shard_bytes=700_000, workers=1).run()
    return out


@pytest.fixture(scope="session")
def webdataset(archives: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("webdataset") / "export"
    WebDatasetBuild(out, opened(archives), shard_bytes=700_000, workers=1).run()
    return out


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Path], Path]:
    return lambda folder: Path(shutil.copytree(folder, tmp_path / "copy"))


def test_parquet(parquet: Path, archives: Path, copied: Callable[[Path], Path]) -> None:
    import pyarrow.parquet as pq

    out = copied(parquet)
    before = {path.name: path.read_bytes() for path in (out / "data").iterdir()}
    card = (out / "README.md").read_text()
    (out / "README.md").write_text(card + "\nMine.\n")
    report = purged(out)
    assert (report.hashes, report.absent) == (set(GONE), 1)
    assert_gone(out)
    verified(out, archives)
    changed = {Path(file.name).name for file in report.files}
    assert 0 < len(changed) <= len(before)
    for path in (out / "data").iterdir():
        assert (path.read_bytes() == before[path.name]) == (path.name not in changed)
    export = Export.load(out)
    assert (export.num_examples, export.removed) == (60, 4)
    assert list(export.faults(out)) == []
    text = (out / "README.md").read_text()
    assert text.endswith("\nMine.\n")
    assert "60 images; 4 more were removed" in text
    assert f"num_bytes: {export.num_bytes}" in text
    # As many bytes as are counted when it is built without them.
    under = out.parent / "under"
    add_removals(archives, GONE)
    try:
        ParquetBuild(under, opened(archives), shard_bytes=700_000, workers=1).run()
    finally:
        (archives / "pass_removals.txt").unlink()
    assert Export.load(under).num_bytes == export.num_bytes
    stored = pq.ParquetDataset(out / "data").read()["hash"].to_pylist()
    assert sorted(stored) == KEPT


def test_push_refuses_what_is_removed(
    parquet: Path, archives: Path, copied: Callable[[Path], Path]
) -> None:
    out = copied(parquet)
    upload = HubUpload(out, "me/pass", needs_verification=False)
    assert upload.files()
    add_removals(out, GONE)
    with pytest.raises(UploadError, match="4 images on removal lists are still in it"):
        upload.files()
    purged(out)
    assert upload.files()


def test_a_finished_export_says_what_it_still_has(
    parquet: Path, archives: Path, copied: Callable[[Path], Path]
) -> None:
    out = copied(parquet)
    add_removals(out, GONE)
    build = ParquetBuild(out, opened(archives), shard_bytes=700_000, workers=1)
    with pytest.raises(BuildError, match="4 images on removal lists are in it"):
        build.run()
    purged(out)
    assert build.run()[1] is False


def test_webdataset(webdataset: Path, archives: Path, copied: Callable[[Path], Path]) -> None:
    out = copied(webdataset)
    report = purged(out)
    assert report.hashes == set(GONE)
    assert_gone(out)
    verified(out, archives)
    export = WebDatasetExport.load(out)
    assert (export.num_examples, export.removed) == (60, 4)
    assert list(export.faults(out)) == []
    names = []
    for path in sorted(out.glob("*.tar")):
        with tarfile.open(path, "r:") as tar:
            names += tar.getnames()
    assert sorted(names) == sorted(f"{one}.{kind}" for one in KEPT for kind in ("jpg", "json"))


# --- datasets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("num_proc", [None, 2])
def test_huggingface(tmp_path: Path, num_proc: int | None) -> None:
    import datasets

    def load() -> Any:
        return datasets.load_dataset(
            "pass_mini", split="train", cache_dir=str(tmp_path), num_proc=num_proc
        )

    before = load()
    computed = before.map(lambda row: {"length": len(row["hash"])})
    assert len(computed) == 64
    del before, computed
    report = purged(tmp_path)
    assert report.hashes == set(GONE)
    assert len(report.deleted) == 1
    assert report.deleted[0].startswith("cache-")
    assert_gone(report.folder)
    after = load()
    assert sorted(after["hash"][:]) == KEPT
    assert after.info.splits["train"].num_examples == 60
    assert (
        len(datasets.load_dataset("pass_mini", split="train[:50%]", cache_dir=str(tmp_path))) == 30
    )
    assert len(after.map(lambda row: {"length": len(row["hash"])})) == 60


# --- all ------------------------------------------------------------------------------------------


def test_targets(parquet: Path, webdataset: Path, archives: Path, tmp_path: Path) -> None:
    assert find_targets(parquet)[0].label == "Parquet export"
    assert find_targets(webdataset.parent)[0].label == "WebDataset export"
    assert find_targets(archives.parent)[0].label == "archive folder"
    with pytest.raises(FolderError, match="found nothing"):
        find_targets(tmp_path / "absent")


def test_several_at_once(
    parquet: Path,
    webdataset: Path,
    archives: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for folder in (parquet, webdataset, archives):
        shutil.copytree(folder, tmp_path / folder.parent.name / folder.name)
    shutil.copy(mini.CHECKSUMS, tmp_path / "mini.tsv")
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(GONE))
    folders = [str(path) for path in sorted(tmp_path.iterdir()) if path.is_dir()]
    command = ["purge", "--list", str(listed), "--release", str(tmp_path / "mini.tsv")]
    assert main([*command, *folders]) == 0
    assert capsys.readouterr().out.count("4 images deleted from") == 3
    assert_gone(tmp_path)
    # The archives have the images no more, nor have the exports.
    own = next(tmp_path.glob("mini*/archives"))
    assert len(PassArchive(own)) == 60
    verified(next(tmp_path.glob("parquet*/export")), own)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.parametrize("kind", ["parquet", "webdataset"])
def test_killed_at_every_step(
    kind: str, archives: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = request.getfixturevalue(kind)
    signalled = steps = 0
    for step in range(1, 200):
        out = Path(shutil.copytree(source, tmp_path / str(step)))
        pid = os.fork()
        if pid == 0:
            _killed_at(step)
            purged(out)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        purged(out)
        assert_gone(out)
        (entry,) = PurgeReceipt.load(out).purges
        assert entry.hashes == tuple(sorted(GONE)), step
        if step % 5 == 1:
            verified(out, archives)
        shutil.rmtree(out)
        if not os.WIFSIGNALED(status):
            break
        signalled += os.WTERMSIG(status) == signal.SIGKILL
        steps += 1
    assert signalled == steps > 10


def _killed_at(step: int) -> None:
    """From now on this process dies at its so many-th change of a name."""
    calls = 0

    def killing(function: Callable[..., Any]) -> Callable[..., Any]:
        def killed(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **named)

        return killed

    os.replace, os.fsync, os.unlink = map(killing, (os.replace, os.fsync, os.unlink))


def test_releases_side_by_side_are_found(tmp_path: Path) -> None:
    """Below a folder of archives, those of other releases, as they are read by their number."""
    first = Collection(tmp_path / "pass")
    second = Collection(tmp_path / "pass" / "2.0.0")
    Collection(tmp_path / "pass" / "elsewhere")
    found = [target.folder for target in find_targets(tmp_path / "pass")]
    assert found == [first.folder, second.folder]
