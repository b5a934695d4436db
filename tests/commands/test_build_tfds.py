"""`pass-dataset build tfds`: what it builds, what it says, its exit codes."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pass_dataset.commands.main import main
from tests.support.collection import Collection
from tests.support.digests import digests
from tests.support.processes import start_interruptible

pytest.importorskip("tensorflow_datasets")


def arguments(collection: Collection, out: Path, *more: str) -> list[str]:
    given = ["build", "tfds", "--archives", str(collection.folder), "--data-dir", str(out)]
    return [*given, "--release", str(collection.tsv), *more]


def data_sets(out: Path) -> list[Path]:
    return sorted(path.parent for path in out.glob("**/dataset_info.json"))


def test_builds(collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(collection, tmp_path / "out")) == 0
    (built,) = data_sets(tmp_path / "out")
    said = capsys.readouterr().out
    assert said.startswith(f"{built}: pass 1.0.0, 15 images in 1 shard (tfrecord), ")
    assert said.endswith(" s\n")

    before = digests(built)
    assert main(arguments(collection, tmp_path / "out", "--workers", "1")) == 0
    assert "is built already (tfrecord); nothing to do" in capsys.readouterr().out
    assert digests(built) == before


def test_release_is_told_from_the_folder(collection: Collection, tmp_path: Path) -> None:
    collection.tsv.rename(collection.folder / "mine.tsv")
    given = arguments(collection, tmp_path / "out")[:-2]
    assert main(given) == 0
    assert len(data_sets(tmp_path / "out")) == 1


def test_parts_and_format(collection: Collection, tmp_path: Path) -> None:
    more = ("--parts", "1", "--format", "array_record")
    assert main(arguments(collection, tmp_path / "out", *more)) == 0
    (built,) = data_sets(tmp_path / "out")
    assert built.parent.name.endswith("-parts_1")
    assert (built / "pass-train.array_record-00000-of-00001").is_file()


def test_another_format_in_the_same_place(
    collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(collection, tmp_path / "out")) == 0
    assert main(arguments(collection, tmp_path / "out", "--format", "parquet")) == 1
    assert "is built already, as tfrecord; for parquet give another" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        (lambda made: made.tar(1).unlink(), "PASS.1.tar of pass 1.0.0 missing"),
        (lambda made: made.tsv.unlink(), "cannot be read as a checksum file"),
        (lambda made: made.csv.unlink(), "pass_metadata.csv of pass 1.0.0 missing"),
    ],
)
def test_bad_input(
    collection: Collection,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    break_it: object,
    expected: str,
) -> None:
    assert callable(break_it)
    break_it(collection)
    assert main(arguments(collection, tmp_path / "out")) == 1
    assert expected in capsys.readouterr().err
    assert not list(tmp_path.glob("out/**/1.0.0"))


def test_member_with_a_wrong_length(
    collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The first image's size field says more than there is; all checksums are right.
    before = collection.tar(0).read_bytes()
    data = bytearray(before)
    start = next(at for at in range(0, len(data), 512) if data[at : at + 99].find(b".jpg") > 0)
    data[start + 124 : start + 136] = b"00000007777\0"
    data[start + 148 : start + 156] = b" " * 8
    data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])
    collection.tar(0).write_bytes(data)
    old, new = (hashlib.sha256(content).hexdigest() for content in (before, data))
    collection.tsv.write_text(collection.tsv.read_text().replace(old, new))
    assert main(arguments(collection, tmp_path / "out")) == 1
    assert "PASS.0.tar" in capsys.readouterr().err
    assert not list(tmp_path.glob("out/**/1.0.0"))


def test_unknown_release(
    collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [*arguments(collection, tmp_path / "out")[:-1], "9.9.9"]
    assert main(given) == 1
    assert "unknown release '9.9.9'" in capsys.readouterr().err


def test_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["build", "tfds", "--archives", str(tmp_path / "no"), "--data-dir", str(tmp_path)]
    assert main(given) == 1
    assert "expected an archive folder, found nothing" in capsys.readouterr().err


def test_wrong_usage() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["build", "tfds"])
    assert ended.value.code == 2


@pytest.mark.slow
def test_the_command_of_tfds(tmp_path: Path) -> None:
    for needed in ("apache_beam", "mlcroissant"):
        pytest.importorskip(needed, reason="`tfds` itself needs pass-dataset[beam]")
    tfds = [sys.executable, "-m", "tensorflow_datasets.scripts.cli.main"]
    given = ["build", "pass_mini", "-i", "pass_dataset", "--data_dir", str(tmp_path)]
    subprocess.run([*tfds, *given, "--file_format", "array_record"], check=True)
    (built,) = data_sets(tmp_path)
    assert (built / "pass_mini-train.array_record-00000-of-00001").is_file()


@pytest.mark.slow
def test_interrupted(tmp_path: Path) -> None:
    large = Collection(tmp_path / "archives", tars=2, per_tar=20_000)
    large.describe()
    process = start_interruptible(arguments(large, tmp_path / "out"))
    while process.poll() is None and not list(tmp_path.glob("out/pass/*/incomplete.*/plan.json")):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "To continue: pass-dataset build tfds --archives" in said
    assert not data_sets(tmp_path / "out")
    assert main(arguments(large, tmp_path / "out")) == 0
    assert len(data_sets(tmp_path / "out")) == 1
