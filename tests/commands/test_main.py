"""The command as a user runs it: output, messages, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.commands.main import main
from pass_dataset.releases.release import OFFICIAL_VERSIONS, read_release
from tests.support.bad_server import BadServer, Fault, Kind
from tests.support.collection import Collection, random_release
from tests.support.processes import start_interruptible
from tests.support.waiting import held_by_another, wait_until

COMMAND = [sys.executable, "-m", "pass_dataset"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_releases(run) -> None:
    code, out, _ = run("releases")
    assert code == 0
    assert "3.0.0  2022-04-07  1,439,588 images  179,640,190,811 bytes" in out
    assert out.count("(default)") == 1
    code, out, _ = run("releases", "--json")
    listed = json.loads(out)
    assert [release["version"] for release in listed] == list(OFFICIAL_VERSIONS)
    assert listed[2]["is_default"]
    assert listed[0]["files"][0]["sha256"].startswith("f49533132c69")


def test_version_and_help() -> None:
    for arguments in (["--version"], ["--help"], ["download", "--help"]):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True)
        assert done.returncode == 0
        assert "pass-dataset" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [[], ["downlod"], ["download"], ["download", "x", "--parts", "a"], ["verify", "x", "--fast"]],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: pass-dataset" in capsys.readouterr().err


def test_own_collection(run, collection: Collection, tmp_path: Path) -> None:
    """The way of a collection of one's own: describe, copy, verify, index."""
    tsv = tmp_path / "mine.tsv"
    code, out, _ = run(
        "checksums", collection.folder, "--version", "1.2.0", "--name", "mine", "--out", tsv
    )
    assert (code, "mine 1.2.0, 4 files, 15 images" in out) == (0, True)
    assert read_release(tsv).num_examples == 15
    copy = tmp_path / "copy"
    code, out, err = run("download", copy, "--release", tsv, "--from", collection.folder)
    assert code == 0
    assert "mine 1.2.0 into" in out
    assert "4 files, 0 whole, 0 to be hashed, 4 to be fetched" in out
    assert "to fetch, " in out and " free" in out
    assert "whole. 4 files fetched" in out
    assert "PASS.0.tar: whole, 10,240 bytes" in err
    code, out, _ = run("verify", copy)
    assert (code, "mine 1.2.0, whole" in out) == (0, True)
    code, out, _ = run("verify", copy, "--quick", "--json")
    assert (code, json.loads(out)["whole"]) == (0, True)
    code, out, _ = run("index", copy)
    assert (code, "15 images in 3 of 3 tars, 6,000 bytes (5.9 KiB)" in out) == (0, True)
    code, out, _ = run("index", copy, "--json", "--rebuild")
    assert (code, json.loads(out)["images"]) == (0, 15)


def test_checksums_of_a_published_collection(run, collection: Collection) -> None:
    code, _, _ = run(
        "checksums", collection.folder, "--version", "1.0.0", "--url", "https://host/x/"
    )
    assert code == 0
    release = read_release(collection.folder / "pass-1.0.0.tsv")
    assert release.files[0].url == "https://host/x/PASS.0.tar"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--version", "new"], "found version 'new'"),
        (["--version", "1.0.0", "--name", "My Data"], "expected a name of a-z"),
    ],
)
def test_bad_checksums(run, collection: Collection, arguments: list[str], message: str) -> None:
    code, _, err = run("checksums", collection.folder, *arguments)
    assert code == 1
    assert message in err


def test_checksums_of_something_else(run, tmp_path: Path) -> None:
    code, _, err = run("checksums", tmp_path, "--version", "1.0.0")
    assert code == 1
    assert "expected one or more .tar files and one .csv, found 0 .tar and 0 .csv" in err


def test_tars_beyond_nine_are_in_order(run, tmp_path: Path) -> None:
    many = Collection(tmp_path / "many", tars=12, per_tar=1)
    names = [file.filename for file in many.describe().tars]
    assert names == [f"PASS.{number}.tar" for number in range(12)]


def test_verify_finds_what_is_wrong(run, collection: Collection) -> None:
    collection.tar(1).unlink()
    (collection.folder / "stray.txt").write_text("x")
    code, out, _ = run("verify", collection.folder, "--release", collection.tsv)
    assert code == 1
    assert "PASS.1.tar: missing\n" in out
    assert "stray.txt: unknown" in out
    assert "NOT whole" in out
    code, out, _ = run("verify", collection.folder, "--json")
    content = json.loads(out)
    assert (code, content["whole"], content["unknown"]) == (1, False, ["stray.txt"])
    assert content["files"][1] == {
        "filename": "PASS.1.tar",
        "state": "missing",
        "expected_bytes": 10240,
        "found_bytes": None,
        "expected_sha256": read_release(collection.tsv).tars[1].sha256,
        "found_sha256": None,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "/nowhere"], "/nowhere: expected an archive folder, found nothing"),
        (["index", "/nowhere"], "/nowhere: expected an archive folder, found nothing"),
        (["download", "/tmp", "--release", "9.9.9"], "unknown release '9.9.9': expected one of"),
        (["download", "/tmp", "--release", "/no.tsv"], "/no.tsv: cannot be read as a checksum"),
        (["download", "/tmp", "--from", "/nowhere"], "/nowhere: expected a folder with files"),
        (["download", "/dev/null/x"], "/dev/null/x: cannot be used: "),
    ],
)
def test_errors_are_one_line_and_exit_1(run, arguments: list[str], message: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert f"pass-dataset: {message}" in err
    assert "Traceback" not in err


def test_too_little_disk(run, tmp_path: Path) -> None:
    tsv = tmp_path / "huge.tsv"
    lines = [f"-\t{10**18}\t{'0' * 64}\tPASS.0.tar", f"-\t1\t{'0' * 64}\tpass_metadata.csv"]
    tsv.write_text("\n".join(["# version\t1.0.0", *lines]))
    code, out, err = run("download", tmp_path / "out", "--release", tsv)
    assert code == 1
    assert "1,000,000,000,000,000,001 bytes (909,494.7 TiB) to fetch" in out
    assert "too few" in err
    code, out, err = run("download", tmp_path / "out", "--release", tsv, "--dry-run")
    assert (code, "too few" in err) == (1, True)


def test_dry_run_fetches_nothing(run, tmp_path: Path) -> None:
    code, out, _ = run("download", tmp_path / "out", "--parts", "9", "--dry-run")
    if code:
        pytest.skip("needs 11 GB of free disk")
    assert "PASS 3.0.0 into" in out
    assert "2 files, 0 whole, 0 to be hashed, 2 to be fetched\n" in out
    assert "11,304,892,251 bytes (10.5 GiB) to fetch" in out
    assert not (tmp_path / "out").exists()


def test_gives_up_with_the_line_that_continues(tmp_path: Path, run) -> None:
    release = random_release(tmp_path / "source", [50_000, 100])
    tsv = write_tsv(tmp_path, release)
    with BadServer(tmp_path / "source", lambda path, start: Fault(Kind.GONE)) as server:
        arguments = ["download", tmp_path / "my out", "--release", tsv, "--mirror", server.url]
        code, _, err = run(*arguments)
        assert code == 1
        assert "2 of 2 files could not be fetched" in err
        assert "PASS.0.tar: no source is left" in err
        assert f"To continue: pass-dataset download '{tmp_path}/my out' --release" in err
        server.faults = lambda path, start: None
        assert run(*arguments)[0] == 0


def write_tsv(folder: Path, release) -> Path:
    from pass_dataset.releases.release import format_release

    path = folder / "random.tsv"
    path.write_text(format_release(release))
    return path


def test_folder_in_use(run, tmp_path: Path) -> None:
    tsv = write_tsv(tmp_path, random_release(tmp_path / "source", [50_000, 100]))
    (tmp_path / "out").mkdir()
    with held_by_another(tmp_path / "out"):
        code, _, err = run("download", tmp_path / "out", "--release", tsv, "--no-wait")
    assert code == 1
    assert f"in use by process {os.getpid()} on" in err


@pytest.mark.parametrize("stalled", [False, True])
def test_ctrl_c_is_clean_and_continues(tmp_path: Path, run, stalled: bool) -> None:
    release = random_release(tmp_path / "source", [4_000_000, 100])
    tsv = write_tsv(tmp_path, release)
    with BadServer(tmp_path / "source") as server:
        server.bytes_per_s = 1e6
        if stalled:
            server.faults = lambda path, start: Fault(Kind.STALL, 500_000, seconds=30)
        arguments = ["download", tmp_path / "out", "--release", tsv, "--mirror", server.url]
        process = start_interruptible(arguments)
        part = tmp_path / "out" / "PASS.0.tar.part"
        wait_until(lambda: part.exists() and part.stat().st_size >= 400_000, process)
        process.send_signal(signal.SIGINT)
        err = process.communicate()[1]
        assert process.returncode == 130
        assert "interrupted; what was done is kept" in err
        assert "To continue: pass-dataset download" in err
        assert "Traceback" not in err
        kept = part.stat().st_size
        server.bytes_per_s, server.faults = None, lambda path, start: None
        assert run(*arguments)[0] == 0
        assert server.answers[-1].path or kept
        starts = [answer.start for answer in server.answers if answer.path == "PASS.0.tar"]
        assert starts[-1] == kept
