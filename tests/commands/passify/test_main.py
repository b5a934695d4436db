"""The command, as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.commands.passify.main import main
from pass_dataset.passify.runs.outcomes import FAILED_REASONS
from tests.passify.sources.test_opening import write_tar
from tests.support.passify import (
    DETECTORS,
    REASONS,
    ROOT,
    SAMPLE,
    command,
    many,
    passify,
    picture,
    write_files,
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the sample."""
    folder = tmp_path_factory.mktemp("cli")
    sample = write_files(folder / "sample", SAMPLE)
    done = passify("run", sample, "--out", folder / "run", "--workers", 1, *DETECTORS)
    assert done.returncode == 0, done.stderr
    assert "11 images; face 0.5, person 0.5" in done.stdout
    for path, reason in REASONS.items():
        if reason not in (None, "face", "person"):
            assert f"  {path}: {reason}" in done.stdout
    return folder / "run"


def test_keep(finished: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["keep", str(finished)]) == 0
    kept = [path for path, reason in REASONS.items() if reason is None]
    assert capfdbinary.readouterr().out.decode().splitlines() == kept
    assert main(["keep", str(finished), "--person", "0.05", "-0"]) == 0
    assert capfdbinary.readouterr().out == b"a/kept.png\0b/half.png\0"


def test_undecided_images_are_told_and_fail_the_command(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keep", str(finished), "--face", "0.9"]) == 1
    said = capsys.readouterr().err
    assert "2 images are undecided at these thresholds and not kept" in said
    assert f"passify fill {finished} --face 0.9 --person 0.5" in said


def test_summary_and_dropped(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", str(finished)]) == 0
    assert "             2  dropped: face" in capsys.readouterr().out
    assert main(["summary", str(finished), "--json", "--face", "0.05"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["outcomes"] == {"kept": 1, "dropped": 10, "failed": 0, "undecided": 0}
    assert main(["dropped", str(finished), "--reason", "person"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["a/person.png", "dropped", "person", "0.0000", "0.8000", ""]
    assert len(lines) == 2


def test_what_is_no_reason(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the pen is no empty list; every reason that a run has is one."""
    with pytest.raises(SystemExit) as ended:
        main(["dropped", str(finished), "--reason", "faces"])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "argument --reason: invalid choice: 'faces'" in said.err
    assert all(reason in said.err for reason in REASONS.values() if reason)
    for reason in sorted({reason for reason in REASONS.values() if reason} | FAILED_REASONS):
        assert main(["dropped", str(finished), "--reason", reason]) == 0
        named = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
        assert named == [path for path, why in REASONS.items() if why == reason]


def test_status(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(finished)]) == 0
    assert "11 of 11 images, 1 of 1 shard done" in capsys.readouterr().out
    assert main(["status", str(finished), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["whole"] is True
    (finished / "done" / "000000.json").rename(finished / "away")
    try:
        assert main(["status", str(finished)]) == 1
        assert "not running; passify run SOURCE --out" in capsys.readouterr().out
        assert main(["keep", str(finished)]) == 1
        assert "1 of 1 shards are not done" in capsys.readouterr().err
    finally:
        (finished / "away").rename(finished / "done" / "000000.json")


def test_export(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(finished), "--to", str(tmp_path / "out"), "--as", "copy"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out'}: 3 images\n"


@pytest.mark.parametrize("name", ["run", "plan"])
def test_what_is_no_device(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = write_files(tmp_path / "sample", {"a.png": SAMPLE["a/kept.png"]})
    with pytest.raises(SystemExit) as ended:
        main([name, str(sample), "--out", str(tmp_path / "run"), "--device", "gpu"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "argument --device: expected cpu, cuda or cuda:N, found 'gpu'" in said
    assert not (tmp_path / "run").exists()


def test_fill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = many(tmp_path / "images", 6, shares=(0.0, 0.6))
    assert passify("run", images, "--out", tmp_path / "run", *DETECTORS).returncode == 0
    done = passify("fill", tmp_path / "run", "--face", "0.7", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert "2 images examined" in done.stdout
    assert main(["keep", str(tmp_path / "run"), "--face", "0.7"]) == 0


def test_opt_out(tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "opt-out.txt"
    listed.write_text("a/kept.png\n")
    assert main(["keep", str(finished), "--exclude", str(listed)]) == 0
    assert capsys.readouterr().out.splitlines() == ["b/half.png", "kept too.png"]


@pytest.mark.parametrize("command", ["keep", "summary", "dropped", "report", "export"])
def test_lines_of_opt_out_lists_that_name_no_image(
    command: str, tmp_path: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "opt-out.txt"
    listed.write_text("# mine\n./a/kept.png \nnone.png\n" + "0" * 64 + "\n", "utf-16")
    out = {"report": ["--out", tmp_path / "r.html"], "export": ["--to", tmp_path / "to"]}
    more = [*out.get(command, []), *(["--as", "copy"] if command == "export" else [])]
    line = [command, str(finished), "--exclude", str(listed), *map(str, more)]
    assert main([*line, "--strict"]) == 1
    said = capsys.readouterr()
    assert f"{listed}: 2 of 3 lines of this opt-out list name no image: 'none.png', '0" in said.err
    assert said.out == ""
    assert not (tmp_path / "r.html").exists()
    assert not (tmp_path / "to").exists()
    assert main(line) == 0
    said = capsys.readouterr()
    assert "2 of 3 lines of this opt-out list name no image" in said.err
    listed.write_text("a/kept.png\n")
    if command != "export":  # which is another one now
        assert main([*line, "--strict"]) == 0
        assert "opt-out list" not in capsys.readouterr().err


def test_a_run_with_opt_outs_that_name_no_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = write_files(tmp_path / "sample", {"a.png": SAMPLE["a/kept.png"]})
    listed = tmp_path / "opt-out.txt"
    listed.write_text("none.png\n")
    line = ["run", str(sample), "--out", str(tmp_path / "run"), "--exclude", str(listed)]
    line += ["--workers", "1", *map(str, DETECTORS)]
    assert main([*line, "--strict"]) == 1
    assert "1 of 1 lines of this opt-out list name no image: 'none.png'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    listed.write_text("")
    assert main(line) == 1
    assert "opt-out.txt: expected an opt-out list" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    # Of a hash it is known when all were read.
    listed.write_text("0" * 64 + "\n")
    assert main([*line, "--strict"]) == 1
    assert "No lists were written" in capsys.readouterr().err
    assert not (tmp_path / "run" / "kept.txt").exists()
    assert main(line) == 0
    assert "1 of 1 lines of this opt-out list name no image" in capsys.readouterr().err
    assert main(["summary", str(tmp_path / "run")]) == 0
    assert "1 of 1 lines of this opt-out list name no image" in capsys.readouterr().err
    (tmp_path / "run" / "exclusions.txt").write_text("")
    assert main(["summary", str(tmp_path / "run")]) == 1
    assert "is not the opt-out list any more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["keep", "nowhere"], "expected the folder of a run, found nothing"),
        (["run", "nowhere", "--out", "run"], "nowhere: No such file or directory"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["keep", "run", "--face", "50"],
        ["run", "images", "--out", "run", "--detectors", "cats"],
        ["run", "images"],
        [],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_other_thresholds_need_no_run(finished: Path) -> None:
    sample = finished.parent / "sample"
    done = passify("run", sample, "--out", finished, *DETECTORS, "--face", "0.3")
    assert done.returncode == 1
    assert "thresholds face: the run has 0.5, asked for is 0.3" in done.stderr


def test_run_without_images_does_not_stand_in_the_way(tmp_path: Path) -> None:
    images = write_files(tmp_path / "images", {"one.picture": picture()})
    arguments = ("run", images, "--out", tmp_path / "run", "--workers", 1, *DETECTORS)
    done = passify(*arguments)
    assert done.returncode == 1
    assert "left out: 1 .picture; --suffixes says which endings images have" in done.stderr
    assert passify(*arguments, "--suffixes", "any").returncode == 0


# --- names and folders ----------------------------------------------------------------------------

ODD_NAMES = [b"sp ace.png", b"quo'te\".png", b"new\nline/\xff\xfe.png", b"\\back.png", b"-rf.png"]


def test_odd_names_go_all_the_way(tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(b"it's a\ncollection \xe9")
    write_files(source, {os.fsdecode(name): picture(seed=1) for name in ODD_NAMES})
    out = tmp_path / os.fsdecode(b"run \xe9 'x'\n")
    done = passify("run", source, "--out", out, *DETECTORS)
    assert done.returncode == 0, done.stderr
    kept = subprocess.run(
        [sys.executable, "-m", "pass_dataset.passify", "keep", out, "-0"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert kept.split(b"\0")[:-1] == sorted(ODD_NAMES)
    listed = (out / "kept.txt").read_text()
    assert len(listed.splitlines()) == len(ODD_NAMES)
    assert passify("run", source, "--out", out, *DETECTORS).returncode == 0


def without_roots_rights(command: list[str]) -> list[str]:
    """Mode bits hold for root too once it has given up the right to pass over them."""
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv where tests run as root")
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]


def test_folder_and_file_that_may_not_be_read(tmp_path: Path) -> None:
    images = many(tmp_path / "images", 20)
    folder, file = images / "1", images / "2" / "image 00002.png"
    folder.chmod(0)
    file.chmod(0)
    arguments = ["run", images, "--out", tmp_path / "run", "--workers", 1, *DETECTORS]
    try:
        done = subprocess.run(
            without_roots_rights(command(*arguments)),
            cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
    finally:
        folder.chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert "1 folder or file could not be listed, such as 1/: Permission denied" in done.stderr
    assert "cannot be listed and is left out: 1/: Permission denied" in done.stderr
    assert "could not be listed: 1 folder or file" in done.stdout
    assert "2/image 00002.png: unreadable (Permission denied)" in done.stdout
    assert "1 image failed, which trying again may help" in done.stderr
    assert "16 images; face" in done.stdout


def test_exit_code_tells_what_a_run_is_not_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tar(tmp_path / "tars/a.tar", {f"{n}.png": picture(seed=n) for n in range(3)})
    write_tar(tmp_path / "tars/b.tar", {f"{n}.png": picture(seed=n) for n in range(3)})
    cut = (tmp_path / "tars/b.tar").read_bytes()[:-15_000]
    (tmp_path / "tars/b.tar").write_bytes(cut)
    arguments = [str(tmp_path / "tars"), "--out", str(tmp_path / "run"), *DETECTORS]
    for command_ in ("plan", "run", "run"):
        assert main([command_, *arguments]) == 1
        said = capsys.readouterr().err
        assert "1 folder or file could not be listed, such as" in said
        assert "b.tar" in said
    assert main(["summary", str(tmp_path / "run")]) == 0


def test_exit_code_of_a_run_in_which_all_images_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there.png").write_bytes(picture(seed=1))
    (tmp_path / "list.txt").write_text("gone.png\nnor here.png\n")
    arguments = [str(tmp_path / "list.txt"), "--out", str(tmp_path / "run"), *DETECTORS]
    assert main(["run", *arguments]) == 1
    assert "2 images failed, which trying again may help" in capsys.readouterr().err
    (tmp_path / "list.txt").write_text("gone.png\nthere.png\n")
    arguments[2] = str(tmp_path / "other")
    assert main(["run", *arguments]) == 0
