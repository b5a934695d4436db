"""Builds of TFDS purged: the images are gone from their files, and the rest is right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.removals import RemovalList
from pass_dataset.builds.purging.purging import PurgeReport, purge
from pass_dataset.builds.reading.comparison import verify_build
from pass_dataset.builds.targets import find_targets, open_target
from pass_dataset.commands.main import main
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.releases import release as releases
from tests.support.official import make_official

tfds = pytest.importorskip("tensorflow_datasets")

FORMATS = ["tfrecord", "array_record", "parquet"]
GONE = [record.hash for record in open_mini()[[0, 7, 20, 63]]]
KEPT = sorted(record.hash for record in open_mini() if record.hash not in GONE)
JPEGS = [open_mini().by_hash(one).jpeg for one in GONE]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tfds")
    for file_format in FORMATS:
        config = tfds.download.DownloadConfig(num_shards=5)
        builder = tfds.builder("pass_mini", data_dir=root / file_format, file_format=file_format)
        builder.download_and_prepare(download_config=config)
    return root


def purged(folder: Path) -> PurgeReport:
    (target,) = find_targets(folder)
    return purge(open_target(target), RemovalList(frozenset([*GONE, "f" * 32])))


@pytest.mark.parametrize("file_format", FORMATS)
def test_purged(built: Path, file_format: str, tmp_path: Path) -> None:
    data_dir = shutil.copytree(built / file_format, tmp_path / "copy")
    folder = data_dir / "pass_mini" / "1.0.0"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("pass_mini-train*")}
    report = purged(data_dir)
    assert (report.folder, report.hashes, report.absent) == (folder, set(GONE), 1)
    changed = {file.name for file in report.files}
    assert len(changed) < 5
    for path in folder.glob("pass_mini-train*"):
        assert not any(jpeg[:400] in path.read_bytes() for jpeg in JPEGS), path
        assert (path.stat().st_mtime_ns == before[path.name]) == (path.name not in changed)
    found = verify_build(folder)
    assert found.is_right, found.findings[:3]
    assert (found.num_expected, found.num_read, found.num_still_there) == (60, 60, 0)
    builder = tfds.builder("pass_mini", data_dir=data_dir, file_format=file_format)
    split = builder.info.splits["train"]
    assert split.num_examples == 60
    if file_format == "tfrecord":
        frames = sum(path.stat().st_size for path in folder.glob("pass_mini-train*"))
        assert split.num_bytes == frames - 60 * 16
        rows = tfds.as_numpy(builder.as_dataset(split="train"))
    else:
        rows = builder.as_data_source("train")
    assert sorted(row["image/hash"].decode() for row in rows) == KEPT
    assert purged(data_dir).files == ()


def test_damaged_builds_are_not_rewritten(built: Path, tmp_path: Path) -> None:
    data_dir = shutil.copytree(built / "tfrecord", tmp_path / "copy")
    shard = next((data_dir / "pass_mini" / "1.0.0").glob("pass_mini-train*00002-of*"))
    data = bytearray(shard.read_bytes())
    data[-100] ^= 1
    shard.write_bytes(data)
    with pytest.raises(UnreadableBuildError, match="00002-of-00005: record"):
        purged(data_dir)
    assert shard.read_bytes() == data
    # Named with others, it does not keep these from being purged.
    other = shutil.copytree(built / "array_record", tmp_path / "other")
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(GONE))
    assert main(["purge", "--list", str(listed), str(data_dir), str(other)]) == 1
    assert verify_build(other).num_read == 60


def test_all_of_a_data_dir(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {target.label for target in find_targets(built)} == {"TFDS build"}
    assert len(find_targets(built)) == 3
    root = shutil.copytree(built, tmp_path / "copy")
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(GONE))
    assert main(["purge", "--list", str(listed), "--dry-run", str(root)]) == 0
    assert capsys.readouterr().out.count("4 images would be deleted from") == 3
    assert not list(root.rglob("pass_*.txt"))


def test_built_from_purged_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the usual name, and right; what was built before is right as well."""
    made = make_official(tmp_path / "archives")
    made.publish(monkeypatch)
    try:
        folder = made.root / "3.0.0"
        config = tfds.download.DownloadConfig(manual_dir=folder)
        before = tfds.builder("pass", data_dir=tmp_path / "before")
        before.download_and_prepare(download_config=config)
        gone = made.hashes("3.0.0")[:2]
        (target,) = find_targets(folder)
        purge(open_target(target), RemovalList(frozenset(gone)))
        after = tfds.builder("pass", data_dir=tmp_path / "after")
        after.download_and_prepare(download_config=config)
        assert after.info.full_name == "pass/3.0.0"
        assert after.info.splits["train"].num_examples == 7
        for build, count in ((before, 9), (after, 7)):
            found = verify_build(build.data_dir, archives=folder)
            assert found.is_right, found.findings
            assert (found.num_read, found.num_still_there) == (count, count - 7)
        # The archives' list counts for the build of before, as long as it knows of them.
        again = tfds.builder("pass", data_dir=tmp_path / "before")
        again.download_and_prepare(download_config=config)
        assert len(list(again.as_dataset(split="train"))) == 7
    finally:
        monkeypatch.undo()
        releases.official_release.cache_clear()
