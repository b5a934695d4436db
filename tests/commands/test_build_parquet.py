"""`pass-dataset build parquet`, `verify-build` and `push`: what they say, their exit codes."""

from __future__ import annotations

import hashlib
import signal
import time
from pathlib import Path

import pytest

from pass_dataset.commands.main import main
from pass_dataset.parquet.manifest import EXPORT_NAME
from tests.support.collection import Collection
from tests.support.processes import start_interruptible


def arguments(collection: Collection, out: Path, *more: str) -> list[str]:
    given = ["build", "parquet", "--archives", str(collection.folder), "--out", str(out)]
    return [*given, "--release", str(collection.tsv), *more]


def test_builds(collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(arguments(collection, out)) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{out}: pass 1.0.0, 15 images in 1 file, ")
    assert said.endswith(" s\n")
    assert (out / "data" / "train-00000-of-00001.parquet").is_file()
    assert main(arguments(collection, out, "--workers", "1")) == 0
    assert "is built already (pass 1.0.0); nothing to do" in capsys.readouterr().out
    assert main(["verify-build", str(out), "--archives", str(collection.folder)]) == 0
    assert "15 records, 15 expected" in capsys.readouterr().out


def test_parts(collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(arguments(collection, out, "--parts", "2,0", "--shard-mb", "1")) == 0
    assert "pass 1.0.0, parts 0, 2, 10 images" in capsys.readouterr().out
    assert "**This folder holds part 0, 2 of pass 1.0.0** (of parts 0 to 2): 10 of its 15" in (
        (out / "README.md").read_text()
    )
    assert main(["verify-build", str(out), "--archives", str(collection.folder)]) == 0
    assert main(arguments(collection, out)) == 1
    assert "holds pass 1.0.0, parts 0, 2 (" in capsys.readouterr().err


def test_a_missing_tar_that_is_not_wanted(collection: Collection, tmp_path: Path) -> None:
    collection.tar(1).unlink()
    assert main(arguments(collection, tmp_path / "out", "--parts", "0")) == 0


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
    assert not (tmp_path / "out").exists()


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
    assert not (tmp_path / "out" / EXPORT_NAME).exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--release", "9.9.9"], "unknown release '9.9.9'"),
        (["--parts", "7"], "has parts 0 to 2; asked for: 7"),
    ],
)
def test_unknown_release_or_part(
    collection: Collection,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    message: str,
) -> None:
    assert main(arguments(collection, tmp_path / "out", *more)) == 1
    assert message in capsys.readouterr().err


def test_archives_that_were_not_verified_are(
    collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = bytearray(collection.tar(0).read_bytes())
    data[-1] ^= 1
    collection.tar(0).write_bytes(data)
    assert main(arguments(collection, tmp_path / "out")) == 1
    assert "PASS.0.tar" in capsys.readouterr().err
    assert not (tmp_path / "out" / EXPORT_NAME).exists()


def test_wrong_usage() -> None:
    for given in (["build", "parquet"], ["push", "x"], ["build", "parquet", "--shard-mb", "0"]):
        with pytest.raises(SystemExit) as ended:
            main(given)
        assert ended.value.code == 2


@pytest.mark.slow
def test_interrupted(tmp_path: Path) -> None:
    large = Collection(tmp_path / "archives", tars=2, per_tar=20_000)
    large.describe()
    out = tmp_path / "out"
    process = start_interruptible(arguments(large, out, "--shard-mb", "1"))
    while process.poll() is None and not (out / ".building" / "plan.json").exists():
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "To continue: pass-dataset build parquet --archives" in said
    assert not (out / EXPORT_NAME).exists()
    assert main(arguments(large, out, "--shard-mb", "1")) == 0


def test_verify_build_of_an_unfinished_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train-00000-of-00002.parquet").touch()
    assert main(["verify-build", str(tmp_path), "--archives", str(tmp_path)]) == 1
    assert "no export.json in it, so it is no finished Parquet export" in capsys.readouterr().err
