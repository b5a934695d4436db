"""Builds: the same bytes however they come about, continued when cut, never half a data set."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.builds.writing.plan import BuildPlan, work_folder
from pass_dataset.errors import ArchiveError, BuildError, PassDatasetError
from pass_dataset.tfds.frames import FORMATS
from tests.support.collection import Collection
from tests.support.digests import digests
from tests.support.processes import heed_interrupts, kill_group
from tests.support.waiting import wait_until

pytest.importorskip("tensorflow_datasets")

SHARDS = 24

#: No `__main__` guard, as in many a user's script.
SCRIPT = """
import sys
import pass_dataset
import tensorflow_datasets as tfds
archives, data_dir, workers, shards, slow = sys.argv[1:]
if float(slow):
    import time
    from pass_dataset.builds.writing.workers import Writers
    take_in = Writers.take_in
    Writers.take_in = lambda *given: (time.sleep(float(slow)), take_in(*given))[1]
tfds.disable_progress_bar()
builder = tfds.builder("pass", release=archives + ".tsv", data_dir=data_dir, workers=int(workers))
config = tfds.download.DownloadConfig(manual_dir=archives, num_shards=int(shards))
builder.download_and_prepare(download_config=config)
assert "tensorflow" not in sys.modules
"""


def command(many: Collection, data_dir: Path, workers: int = 2, slow_s: float = 0.0) -> list[str]:
    arguments = [str(many.folder), str(data_dir), str(workers), str(SHARDS), str(slow_s)]
    return [sys.executable, "-c", SCRIPT, *arguments]


def builder(many: Collection, data_dir: Path, **arguments: Any) -> Any:
    from pass_dataset.tfds.pass_dataset_builder import Builder

    return Builder(release=many.tsv, data_dir=data_dir, **arguments)


def built(many: Collection, data_dir: Path, **arguments: Any) -> Path:
    made = builder(many, data_dir, **arguments)
    made.download_and_prepare(download_config=config(many))
    return Path(made.data_dir)


def config(many: Collection, num_shards: int = SHARDS, **others: Any) -> Any:
    import tensorflow_datasets as tfds

    return tfds.download.DownloadConfig(manual_dir=many.folder, num_shards=num_shards, **others)


@pytest.fixture(scope="module")
def whole(many: Collection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed build by one worker."""
    return built(many, tmp_path_factory.mktemp("whole"), workers=1)


def records(made: Any) -> list[tuple[object, ...]]:
    """All records in order, from any format."""
    source = made.as_data_source(split="train", decoders=_undecoded())
    return [tuple(repr(row[name]) for name in sorted(row)) for row in source]


def _undecoded() -> Any:
    import tensorflow_datasets as tfds

    return {"image": tfds.decode.SkipDecoding()}


@pytest.mark.slow
@pytest.mark.parametrize("file_format", FORMATS)
def test_any_number_of_workers_gives_the_same_bytes(
    many: Collection, tmp_path: Path, file_format: str
) -> None:
    one, *others = (
        built(many, tmp_path / str(workers), workers=workers, file_format=file_format)
        for workers in (1, 2, 5)
    )
    expected = digests(one)
    assert len([name for name in expected if file_format in name]) == SHARDS
    assert [digests(other) for other in others] == [expected] * 2


@pytest.mark.parametrize("shards", [1, SHARDS])
@pytest.mark.parametrize("file_format", ["array_record", "parquet"])
def test_generator_path_has_the_same_records(
    quiet_tfds: Any, many: Collection, tmp_path: Path, file_format: str, shards: int
) -> None:
    ours = builder(many, tmp_path / "ours", file_format=file_format)
    ours.download_and_prepare(download_config=config(many, num_shards=shards))
    theirs = builder(many, tmp_path / "theirs", file_format=file_format)
    quiet_tfds.core.GeneratorBasedBuilder.download_and_prepare(
        theirs, download_config=config(many, num_shards=shards)
    )
    assert len(records(ours)) == len(many.hashes)
    assert records(ours) == records(theirs)
    assert ours.info.splits["train"].shard_lengths == theirs.info.splits["train"].shard_lengths
    assert ours.info.splits["train"].num_bytes == theirs.info.splits["train"].num_bytes
    assert ours.info.download_size == theirs.info.download_size


def test_what_tfds_reads(quiet_tfds: Any, many: Collection, whole: Path) -> None:
    from pass_dataset.archives.records import PassArchive

    made = quiet_tfds.builder_from_directory(whole)
    assert made.info.splits["train"].num_examples == len(many.hashes)
    assert made.info.download_size == sum(
        path.stat().st_size for path in many.folder.glob("PASS*")
    ) + (many.csv.stat().st_size)
    dataset = made.as_dataset(split="train", decoders=_undecoded())
    rows = {bytes(row["image/hash"]).decode(): row for row in quiet_tfds.as_numpy(dataset)}
    archive = PassArchive(many.folder, many.tsv)
    assert rows.keys() == set(many.hashes)
    for record in archive:
        row = rows[record.hash]
        assert row["image"] == record.jpeg
        assert row["image/creator_uname"].decode() == record.creator
        assert row["image/date_taken"].decode() == (record.date_taken_text or "")


@pytest.mark.slow
def test_script_without_main_guard_and_without_tensorflow(
    many: Collection, tmp_path: Path, whole: Path
) -> None:
    subprocess.run(command(many, tmp_path), check=True, cwd=tmp_path)
    (found,) = tmp_path.glob("pass/*/1.0.0")
    assert digests(found) == digests(whole)


@pytest.mark.slow
def test_killed_at_ten_moments(many: Collection, tmp_path: Path, whole: Path) -> None:
    rng = random.Random(3)
    target = tmp_path / whole.relative_to(whole.parents[2])
    data = work_folder(target) / "data"
    kept: dict[str, tuple[int, int]] = {}
    for _ in range(10):
        process = subprocess.Popen(command(many, tmp_path, slow_s=0.05))
        wanted = min(len(kept) + rng.randrange(3), SHARDS - 1)
        while process.poll() is None and len(shards_in(data)) < wanted:
            time.sleep(0.005)
        time.sleep(rng.random() * 0.1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not target.exists()
        # Whole shards are neither written again nor lost.
        found = shards_in(data)
        assert kept.items() <= found.items()
        kept = found
    assert kept
    assert len(kept) < SHARDS
    subprocess.run(command(many, tmp_path), check=True)
    assert digests(target) == digests(whole)
    assert kept.items() <= shards_in(target).items()
    assert not work_folder(target).exists()


def shards_in(folder: Path) -> dict[str, tuple[int, int]]:
    """File number and time of each whole shard."""
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return {}
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in entries
        if path.name.startswith("pass-train")
    }


def test_interrupted_it_says_how_to_continue(many: Collection, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(many, tmp_path, slow_s=0.2),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    while process.poll() is None and not list(tmp_path.glob("pass/*/incomplete.1.0.0/data/pass*")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in said
    assert not list(tmp_path.glob("pass/*/1.0.0"))


@pytest.mark.slow
def test_leftovers_of_other_archives_are_not_used(
    many: Collection, tmp_path: Path, whole: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = Path(builder(many, tmp_path).data_dir)
    half_built(many, tmp_path)
    left = shards_in(work_folder(target) / "data")
    assert left
    os.utime(many.tar(0))
    assert digests(built(many, tmp_path)) == digests(whole)
    assert "begins anew" in caplog.text
    assert not left.items() & shards_in(target).items()


def half_built(many: Collection, data_dir: Path) -> None:
    process = subprocess.Popen(command(many, data_dir, slow_s=0.1), start_new_session=True)
    shards = "pass/*/incomplete.1.0.0/data/pass-train*"
    wait_until(lambda: len(list(data_dir.glob(shards))) >= 4, process)
    kill_group(process)


def test_a_cut_shard_is_written_again(many: Collection, tmp_path: Path, whole: Path) -> None:
    half_built(many, tmp_path)
    target = Path(builder(many, tmp_path).data_dir)
    shard = min((work_folder(target) / "data").glob("pass-train*"))
    os.truncate(shard, 100)
    assert digests(built(many, tmp_path)) == digests(whole)


@pytest.mark.slow
def test_two_at_once_take_turns(many: Collection, tmp_path: Path, whole: Path) -> None:
    both = [subprocess.Popen(command(many, tmp_path, slow_s=0.02)) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    (found,) = tmp_path.glob("pass/*/1.0.0")
    assert digests(found) == digests(whole)


def test_built_is_not_built_again(many: Collection, tmp_path: Path) -> None:
    before = shards_in(built(many, tmp_path))
    assert shards_in(built(many, tmp_path)) == before


def test_built_meanwhile(many: Collection, tmp_path: Path) -> None:
    same, other = builder(many, tmp_path), builder(many, tmp_path, file_format="array_record")
    target = built(many, tmp_path)
    same.download_and_prepare(download_config=config(many))
    assert same.info.splits["train"].num_examples == len(many.hashes)
    with pytest.raises(BuildError, match="meanwhile as tfrecord; for array_record give another"):
        other.download_and_prepare(download_config=config(many))
    assert len(shards_in(target)) == SHARDS


def test_cut_after_the_name_was_given(many: Collection, tmp_path: Path) -> None:
    target = built(many, tmp_path)
    work_folder(target).mkdir()
    (work_folder(target) / "plan.json").touch()
    built(many, tmp_path)
    assert not work_folder(target).exists()


@pytest.mark.slow
def test_forced_it_is_built_again(quiet_tfds: Any, many: Collection, tmp_path: Path) -> None:
    first = built(many, tmp_path)
    before, content = shards_in(first), digests(first)
    made = builder(many, tmp_path)
    mode = quiet_tfds.GenerateMode.REUSE_CACHE_IF_EXISTS
    made.download_and_prepare(download_config=config(many, download_mode=mode))
    assert not before.items() & shards_in(first).items()
    # TFDS adds an empty metadata.json where it has read a data set before.
    assert content.items() <= digests(first).items()


def test_a_worker_that_dies_is_replaced(
    many: Collection,
    tmp_path: Path,
    whole: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from pass_dataset.workers.pool import Worker

    give = Worker.give
    killed = []

    def give_and_kill(worker: Any, shard: int) -> None:
        dies = shard == 7 and len(killed) < 2
        if dies:  # with the work before it, of which it must not do any
            worker._process.send_signal(signal.SIGSTOP)
        give(worker, shard)
        if dies:
            killed.append(shard)
            worker._process.kill()

    monkeypatch.setattr(Worker, "give", give_and_kill)
    assert digests(built(many, tmp_path)) == digests(whole)
    assert killed == [7, 7]
    assert "killed by signal 9" in caplog.text


def test_workers_that_keep_dying_are_an_error(
    many: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pass_dataset.workers import process as worker_process

    monkeypatch.setattr(worker_process, "_START", "import sys; sys.exit('no such thing')")
    with pytest.raises(BuildError, match=r"no such thing.*fewer workers"):
        built(many, tmp_path)
    assert not Path(builder(many, tmp_path).data_dir).exists()


def test_a_tar_cut_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Collection(tmp_path / "archives")
    mine.describe()
    save = BuildPlan.save

    def save_and_cut(plan: BuildPlan, fingerprint: Any) -> None:
        save(plan, fingerprint)
        os.truncate(mine.tar(2), 2000)

    monkeypatch.setattr(BuildPlan, "save", save_and_cut)
    made = builder(mine, tmp_path / "data")
    with pytest.raises(
        ArchiveError, match=r"PASS\.2\.tar: .* expected 10,240 bytes .* found 2,000"
    ):
        made.download_and_prepare(download_config=config(mine).replace(num_shards=2))
    assert not Path(made.data_dir).exists()


def test_a_full_disk(many: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pass_dataset.builds.writing import build

    usage = build.shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(build.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(BuildError, match=r"need [\d,]+ bytes more, the disk has 1,000 free"):
        built(many, tmp_path)


@pytest.mark.slow
def test_a_disk_that_fills_up(many: Collection, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a small file system here")
    try:
        done = subprocess.run(
            command(many, disk / "data"), capture_output=True, text=True, check=False
        )
        filler = disk / "filler"
        assert done.returncode == 0, done.stderr
        built_here = next((disk / "data").glob("pass/*/1.0.0"))
        subprocess.run(["rm", "-r", str(built_here)], check=True)
        # Room for what the check beforehand counts, but not for all.
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        filler.write_bytes(b"x" * (free - 150_000))
        done = subprocess.run(
            command(many, disk / "data"), capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "BuildError" in done.stderr
        assert not list((disk / "data").glob("pass/*/1.0.0"))
        filler.unlink()
        subprocess.run(command(many, disk / "data"), check=True)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_that_cannot_be_made(many: Collection, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BuildError, match="cannot be used for building"):
        built(many, tmp_path / "file")


def test_missing_tar(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    mine = Collection(tmp_path / "archives")
    mine.describe()
    mine.tar(1).unlink()
    with pytest.raises(PassDatasetError, match=r"PASS\.1\.tar"):
        built(mine, tmp_path / "data")
    assert not list((tmp_path / "data").glob("pass/*/*1.0.0"))
