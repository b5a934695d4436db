"""Exports: the same bytes however they come about, continued when cut, never half a folder."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.archives import mini
from pass_dataset.builds.writing.plan import BuildPlan
from pass_dataset.errors import ArchiveError, BuildError, PassDatasetError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.parquet import build as module
from pass_dataset.parquet.build import WORK_NAME, ParquetBuild
from pass_dataset.parquet.manifest import EXPORT_NAME, Export
from pass_dataset.parquet.shard_format import ImageParquet
from pass_dataset.releases.release import read_release
from tests.parquet.conftest import SHARD_BYTES, exported
from tests.support import disks
from tests.support.collection import Collection
from tests.support.digests import digests
from tests.support.processes import kill_group
from tests.support.waiting import wait_until

SHARDS = 25

#: No `__main__` guard, as in many a user's script.
SCRIPT = """
import sys, time
from pathlib import Path
from pass_dataset.parquet.build import ParquetBuild
from pass_dataset.builds.writing.workers import Writers
from pass_dataset.folders.archive_folder import ArchiveFolder
archives, out, slow_s, shard_bytes = sys.argv[1:]
take_in = Writers.take_in
Writers.take_in = lambda *given: (time.sleep(float(slow_s)), take_in(*given))[1]
archives = ArchiveFolder.open(archives, archives + ".tsv")
ParquetBuild(Path(out), archives, workers=2, shard_bytes=int(shard_bytes)).run()
assert not {"tensorflow", "datasets", "torch"} & sys.modules.keys()
"""


def command(many: Collection, out: Path, slow_s: float = 0.0) -> list[str]:
    arguments = [str(many.folder), str(out), str(slow_s), str(SHARD_BYTES)]
    return [sys.executable, "-c", SCRIPT, *arguments]


@pytest.fixture(scope="module")
def whole(many: Collection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed export by one worker."""
    return exported(many, tmp_path_factory.mktemp("whole") / "out", workers=1)


def shards_in(folder: Path) -> dict[str, tuple[int, int]]:
    """File number and time of each whole shard."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.glob("train-*")
    }


def half_built(many: Collection, out: Path) -> None:
    process = subprocess.Popen(command(many, out, slow_s=0.1), start_new_session=True)
    wait_until(lambda: len(shards_in(out / WORK_NAME / "data")) >= 4, process)
    kill_group(process)


@pytest.mark.slow
def test_any_number_of_workers_gives_the_same_bytes(
    many: Collection, tmp_path: Path, whole: Path
) -> None:
    expected = digests(whole)
    assert len(expected) == SHARDS + 2
    for workers in (2, 5):
        assert digests(exported(many, tmp_path / str(workers), workers=workers)) == expected


def test_what_the_folder_says(many: Collection, whole: Path) -> None:
    export = Export.load(whole)
    assert export.what == "pass 1.0.0"
    assert (export.num_examples, len(export.shards)) == (240, SHARDS)
    assert export.shards[0].path == "data/train-00000-of-00025.parquet"
    assert export.size_bytes == sum(p.stat().st_size for p in whole.glob("data/*"))
    assert list(export.faults(whole)) == []
    assert {path.name for path in whole.iterdir()} == {
        ".pass.lock",
        "README.md",
        "data",
        EXPORT_NAME,
    }


@pytest.mark.slow
def test_script_without_main_guard(many: Collection, tmp_path: Path, whole: Path) -> None:
    subprocess.run(command(many, tmp_path / "out"), check=True, cwd=tmp_path)
    assert digests(tmp_path / "out") == digests(whole)


def test_built_is_not_built_again(many: Collection, tmp_path: Path) -> None:
    out = exported(many, tmp_path / "out")
    before = shards_in(out / "data")
    build = ParquetBuild(out, many.archives(), shard_bytes=SHARD_BYTES)
    _, is_new = build.run()
    assert not is_new
    assert shards_in(out / "data") == before


@pytest.mark.slow
def test_killed_at_eight_moments(many: Collection, tmp_path: Path, whole: Path) -> None:
    rng = random.Random(3)
    out = tmp_path / "out"
    data = out / WORK_NAME / "data"
    kept: dict[str, tuple[int, int]] = {}
    for _ in range(8):
        process = subprocess.Popen(command(many, out, slow_s=0.05))
        wanted = min(len(kept) + rng.randrange(3), SHARDS - 2)
        while process.poll() is None and len(shards_in(data)) < wanted:
            time.sleep(0.005)
        time.sleep(rng.random() * 0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (out / EXPORT_NAME).exists()
        # Whole shards are neither written again nor lost.
        found = shards_in(data)
        assert kept.items() <= found.items()
        kept = found
    assert kept
    subprocess.run(command(many, out), check=True)
    assert digests(out) == digests(whole)
    assert kept.items() <= shards_in(out / "data").items()
    assert not (out / WORK_NAME).exists()


@pytest.mark.parametrize("moved", [1, 2, 3])
def test_cut_while_it_is_published(
    many: Collection, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    """After each of the moves that end an export."""
    out, moves = tmp_path / "out", []

    def cut(*names: Any) -> None:
        if len(moves) == moved - 1:
            raise KeyboardInterrupt
        moves.append(names)
        Path(names[0]).rename(names[1])

    def cut_save(*given: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if moved < 3:
            patch.setattr(module.os, "replace", cut)
        else:
            patch.setattr(Export, "save", cut_save)
        with pytest.raises(KeyboardInterrupt):
            # Only this process's moves are cut: those of workers are elsewhere.
            exported(many, out)
    assert not (out / EXPORT_NAME).exists()
    assert digests(exported(many, out)) == digests(whole)
    assert not (out / WORK_NAME).exists()


@pytest.mark.slow
def test_two_at_once_take_turns(many: Collection, tmp_path: Path, whole: Path) -> None:
    both = [subprocess.Popen(command(many, tmp_path / "out", slow_s=0.02)) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert digests(tmp_path / "out") == digests(whole)


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parts": (0, 2)}, r"holds pass 1\.0\.0 \(.*\); for pass 1\.0\.0, parts 0, 2 \("),
        ({"shard_bytes": 9_999}, r"for pass 1\.0\.0 \(.*, shards of 9,999 bytes\) give another"),
        (
            {"shard_format": ImageParquet(777)},
            r"for pass 1\.0\.0 \(parquet, row groups of about 777 ",
        ),
    ],
)
def test_another_export_in_the_same_folder(
    many: Collection, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    out = exported(many, tmp_path / "out")
    before = digests(out)
    with pytest.raises(BuildError, match=message):
        exported(many, out, **settings)
    assert digests(out) == before


def test_another_release_in_the_same_folder(
    many: Collection, mini_archives: Path, tmp_path: Path
) -> None:
    out = exported(many, tmp_path / "out")
    archives = ArchiveFolder.at(mini_archives, read_release(mini.CHECKSUMS))
    with pytest.raises(BuildError, match=r"holds pass 1\.0\.0 .*; for pass_mini 1\.0\.0"):
        ParquetBuild(out, archives).run()


@pytest.mark.slow
def test_half_of_another_export(many: Collection, tmp_path: Path, whole: Path) -> None:
    out = tmp_path / "out"
    half_built(many, out)
    left = shards_in(out / WORK_NAME / "data")
    with pytest.raises(BuildError, match=r"half-built export of pass 1\.0\.0 .*not of .*, part"):
        exported(many, out, parts=(1,))
    stat = many.tar(0).stat()
    os.utime(many.tar(0))
    try:
        with pytest.raises(BuildError, match="from other archives, or these were changed since"):
            exported(many, out)
    finally:
        os.utime(many.tar(0), ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert shards_in(out / WORK_NAME / "data") == left
    assert digests(exported(many, out)) == digests(whole)


def test_a_cut_shard_is_written_again(many: Collection, tmp_path: Path, whole: Path) -> None:
    out = tmp_path / "out"
    half_built(many, out)
    os.truncate(min((out / WORK_NAME / "data").glob("train-*")), 1000)
    assert digests(exported(many, out)) == digests(whole)


def test_files_of_someone_else(many: Collection, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "data").mkdir(parents=True)
    (out / "thesis.tex").write_text("x")
    with pytest.raises(BuildError, match=r"expected an empty folder .*, found thesis\.tex, data;"):
        exported(many, out)
    assert (out / "thesis.tex").exists()
    assert not (out / ".pass.lock").exists()


def test_a_finished_folder_that_lost_a_file(many: Collection, tmp_path: Path) -> None:
    out = exported(many, tmp_path / "out")
    (out / "data" / "train-00003-of-00025.parquet").unlink()
    os.truncate(out / "data" / "train-00004-of-00025.parquet", 10)
    with pytest.raises(
        BuildError, match=r"00003.*: No such file.*; .*00004.*: expected [\d,]+ bytes, found 10\."
    ):
        exported(many, out)


def test_a_damaged_description(many: Collection, tmp_path: Path) -> None:
    out = exported(many, tmp_path / "out")
    (out / EXPORT_NAME).write_text("{}")
    with pytest.raises(PassDatasetError, match=r"export\.json: cannot be read .*schema"):
        exported(many, out)


def test_a_folder_that_is_a_file(many: Collection, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(BuildError, match=r"out: cannot be built: .*File exists"):
        exported(many, tmp_path / "out")


def test_a_tar_cut_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Collection(tmp_path / "archives")
    mine.describe()
    save = BuildPlan.save

    def save_and_cut(plan: BuildPlan, fingerprint: Any) -> None:
        save(plan, fingerprint)
        os.truncate(mine.tar(2), 2000)

    monkeypatch.setattr(BuildPlan, "save", save_and_cut)
    with pytest.raises(
        ArchiveError, match=r"PASS\.2\.tar: .* expected 10,240 bytes .* found 2,000"
    ):
        exported(mine, tmp_path / "out")
    assert not (tmp_path / "out" / EXPORT_NAME).exists()


def test_no_images(tmp_path: Path) -> None:
    mine = Collection(tmp_path / "archives", tars=1, per_tar=0)
    mine.describe()
    with pytest.raises(BuildError, match=r"archives: has no image of pass 1\.0\.0"):
        exported(mine, tmp_path / "out")


# --- disks ----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with disks.small_disk(tmp_path / "disk") as disk:
        yield disk


def test_a_disk_that_fills_up(many: Collection, small_disk: Path, whole: Path) -> None:
    out = small_disk / "out"
    # Room for what the check beforehand counts, but not for all.
    filler = disks.fill_up(small_disk, 220_000)
    with pytest.raises(BuildError, match=r"the disk is full .*; make room and build again"):
        exported(many, out)
    assert not (out / EXPORT_NAME).exists()
    filler.unlink()
    assert digests(exported(many, out)) == digests(whole)


def test_too_small_a_disk_is_refused_beforehand(many: Collection, small_disk: Path) -> None:
    disks.fill_up(small_disk, 100_000)
    with pytest.raises(BuildError, match=r"need [\d,]+ bytes more, the disk has [\d,]+ free"):
        exported(many, small_disk / "out")


def test_a_disk_that_is_read_only(many: Collection, small_disk: Path) -> None:
    (small_disk / "out").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(BuildError, match=r"out: cannot be built: .*Read-only file system"):
        exported(many, small_disk / "out")
