"""`passify verify`: counts that are true, lists to go on with, exit codes."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pass_dataset.commands.passify import main as cli
from pass_dataset.commands.passify.verify import _default_out
from pass_dataset.pages.intervals import two_sided
from pass_dataset.releases.release import official_release
from tests.passify.audit.conftest import WIDE
from tests.support.collection import Collection
from tests.support.markup import ParsedPage
from tests.support.passify import DETECTORS, start_passify
from tests.support.waiting import wait_until


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


Verify = Callable[..., Done]


@pytest.fixture
def verify(later: Collection, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Runs the command on the later release."""

    def run(out: Path, *options: object, folder: Path = later.folder) -> Done:
        arguments = ["verify", folder, "--release", later.tsv, "--out", out, *DETECTORS]
        code = cli.main([str(argument) for argument in (*arguments, "--workers", 1, *options)])
        told = capsys.readouterr()
        return Done(code, told.out, told.err)

    return run


def test_whole_release(verify: Verify, later: Collection, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = verify(out)
    assert done.returncode == 0, done.stderr
    assert "pass 2.0.0: 36 images examined (all); face over 0.5, person from 0.5" in done.stdout
    assert "1  would be dropped: face" in done.stdout
    assert "1  in all: 2.7778%" in done.stdout
    assert "confidence" not in done.stdout
    with (out / "flagged.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    assert [row["hash"] for row in listed] == [later.hashes[30]]
    assert float(listed[0]["face_max_score"]) == pytest.approx(0.7, abs=0.01)
    assert float(listed[0]["person_max_score"]) == pytest.approx(0.2, abs=0.01)
    assert listed[0]["reason"] == "face"
    assert listed[0]["path"] == f"PASS.3.tar/{later.hashes[30]}.jpg"
    table = pq.read_table(out / "flagged.parquet")
    assert table.column_names == list(listed[0])
    assert table["hash"].to_pylist() == [later.hashes[30]]
    page = ParsedPage((out / "report.html").read_text())
    assert "36 images" in page.text("p")


def test_other_thresholds_need_no_new_run(verify: Verify, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert verify(out).returncode == 0
    results = sorted((out / "run" / "results").iterdir())
    before = [path.stat().st_mtime_ns for path in results]
    done = verify(out, "--face", 0.15)
    assert done.returncode == 0, done.stderr
    assert "2  would be dropped: face" in done.stdout
    assert [path.stat().st_mtime_ns for path in results] == before


def test_sample(verify: Verify, tmp_path: Path) -> None:
    done = verify(tmp_path / "out", "--sample", 12, "--seed", 3, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["images"], found["examined"], found["seed"]) == (36, 12, 3)
    low, high = two_sided(found["flagged"], 12)
    assert (found["share_low_95"], found["share_high_95"]) == pytest.approx((low, high))
    assert found["missing_tars"] == []
    text = verify(tmp_path / "out", "--sample", 12, "--seed", 3).stdout
    assert "12 images examined (a sample of 36, seed 3)" in text
    assert "Of the release, with 95 % confidence: 0.0000% to" in text


def test_fail_over(verify: Verify, tmp_path: Path) -> None:
    assert verify(tmp_path / "out", "--fail-over", "0.03").returncode == 0
    assert verify(tmp_path / "out", "--fail-over", "0.02").returncode == 1
    assert verify(tmp_path / "out", "--fail-over", "0", "--face", "1").returncode == 0


def test_part_of_a_release(verify: Verify, later: Collection, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(later.folder, tmp_path / "part"))
    (folder / "PASS.1.tar").unlink()
    done = verify(tmp_path / "out", folder=folder)
    assert done.returncode == 0, done.stderr
    assert "28 images examined (all)" in done.stdout
    assert "not here, and not looked at: PASS.1.tar" in done.stderr


def test_images_that_cannot_be_examined(verify: Verify, later: Collection, tmp_path: Path) -> None:
    raising = ("--face-detector", "python:tests.support.detectors:Raising")
    done = verify(tmp_path / "out", *raising, "--detectors", "face")
    assert done.returncode == 1
    assert "1 image could not be examined" in done.stderr
    assert "1  in all: 2.8571%" in done.stdout  # of the 35 others
    assert later.hashes[WIDE] in (tmp_path / "out" / "flagged.csv").read_text()


def test_wrong_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", str(tmp_path / "none"), *DETECTORS]) == 1
    assert "expected an archive folder" in capsys.readouterr().err


def test_default_out() -> None:
    release = official_release("3.0.0")
    assert str(_default_out(release, None, 0)) == "passify-verify-pass-3.0.0"
    assert str(_default_out(release, 50, 1)) == "passify-verify-pass-3.0.0-sample-50-seed-1"


def test_failed_images_are_tried_again(verify: Verify, tmp_path: Path) -> None:
    raising = ("--face-detector", "python:tests.support.detectors:Raising", "--detectors", "face")
    assert verify(tmp_path / "out", *raising).returncode == 1
    (marker,) = [
        path
        for path in (tmp_path / "out" / "run" / "done").iterdir()
        if json.loads(path.read_text())["outcomes"].get("failed")
    ]
    before = marker.stat().st_mtime_ns
    assert verify(tmp_path / "out", *raising).returncode == 1
    assert marker.stat().st_mtime_ns == before
    assert verify(tmp_path / "out", *raising, "--retry-failed").returncode == 1
    assert marker.stat().st_mtime_ns > before


@pytest.mark.slow
def test_killed_and_run_again(verify: Verify, later: Collection, tmp_path: Path) -> None:
    slow = ("--face-detector", "python:tests.support.detectors:Slow")
    out = tmp_path / "out"
    process = start_passify(
        "verify", later.folder, "--release", later.tsv, "--out", out, *DETECTORS, *slow,
        "--workers", 1,
    )  # fmt: skip
    wait_until(lambda: list(out.glob("run/done/*.json")), process)
    process.kill()
    process.communicate()
    assert len(list(out.glob("run/done/*.json"))) < 3
    again = verify(out, *slow)
    assert again.returncode == 0, again.stderr
    assert verify(tmp_path / "whole", *slow).returncode == 0
    assert (out / "flagged.csv").read_bytes() == (tmp_path / "whole" / "flagged.csv").read_bytes()
    assert len(list(out.glob("run/done/*.json"))) == 3
