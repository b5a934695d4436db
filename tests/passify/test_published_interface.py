"""scripts/examples/passify.py: the published steps and files, without the published faults."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.executors.tasks import split_shards
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.run_folder import RunFolder
from tests.support.passify import PEOPLE, ROOT, many, passify, picture, write_files
from tests.support.slurm import Cluster
from tests.support.waiting import wait_until

SCRIPT = ROOT / "scripts" / "examples" / "passify.py"
FACES = "python:tests.support.detectors:Telling"
OPTIONS = (
    "--cpu-partition cpu --gpu-partition gpu --shard-size 10 --images-per-task 20 "
    f"--face-detector {FACES} --person-detector {PEOPLE}"
).split()


def step(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run the steps in."""
    # The package and the tests' detectors, for processes that start elsewhere.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two folders; one image is empty, one makes the detector fail."""
    folder = tmp_path / "my photos"
    for number, part in enumerate(("first", "second")):
        many(folder / part, 17 + number)
    bad = {"first/0/bad.jpg": b"", "second/1/wide.png": picture(wide=True)}
    return write_files(folder, bad)


def script_tasks(script: Path) -> int:
    """Number of tasks of a batch script."""
    found = re.search(r"^#SBATCH --array=0-(\d+)%50$", script.read_text(), re.M)
    assert found is not None
    return int(found[1]) + 1


def run_array(slurm: Cluster, script: Path, elsewhere: Path) -> None:
    """Submits a script from another folder, and waits for its tasks."""
    job = slurm.ask("sbatch", "--parsable", f"--chdir={elsewhere}", str(script)).strip()
    wait_until(lambda: not slurm.ask("squeue", "--noheader", f"--jobs={job}"))


def test_three_steps_on_slurm(slurm: Cluster, here: Path, photos: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = step(here, 0, photos, *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert "found 37 files" in done.stdout
    everything = (here / "0_all_files.txt").read_text().splitlines()
    assert sorted(everything) == sorted(str(path) for path in photos.rglob("*") if path.is_file())

    run_array(slurm, here / "face" / "sbatch_face.sh", elsewhere)
    done = step(here, 1)
    assert done.returncode == 0, done.stderr
    no_faces = (here / "1_no_faces.txt").read_text().splitlines()
    assert f"left with {len(no_faces)} images that do not contain faces" in done.stdout
    # Images, where the published second stage was given empty marker files.
    assert all(Path(path).stat().st_size > 0 for path in no_faces)

    run_array(slurm, here / "person" / "sbatch_person.sh", elsewhere)
    done = step(here, 2)
    assert done.returncode == 0, done.stderr
    assert "check by eye" in done.stdout.lower()
    kept = (here / "2_no_faces__no_person.txt").read_text().splitlines()
    assert set(kept) < set(no_faces) < set(everything)
    listed = passify("keep", here / "passify_run")
    assert kept == [f"{photos}/{line}" for line in listed.stdout.splitlines()]
    people = passify("dropped", here / "passify_run", "--reason", "person").stdout
    with_people = {f"{photos}/{line.split(chr(9))[0]}" for line in people.splitlines()}
    assert set(no_faces) == set(kept) | with_people
    # Nothing was written to where the jobs were submitted.
    assert list(elsewhere.iterdir()) == []

    # An image that cannot be read or examined ends no task.
    dropped = passify("dropped", here / "passify_run").stdout
    assert re.search(r"first/0/bad\.jpg\s+dropped\s+empty", dropped)
    assert re.search(r"second/1/wide\.png\s+failed\s+detector-failed", dropped)
    # The detector is given many images at once.
    logs = "".join(path.read_text() for path in (here / "passify_run/logs").glob("task-face-*"))
    assert max(int(number) for number in re.findall(r"given (\d+) images", logs)) >= 5


def test_scripts(here: Path, photos: Path) -> None:
    assert step(here, 0, photos, *OPTIONS).returncode == 0
    face, person = (here / stage / f"sbatch_{stage}.sh" for stage in ("face", "person"))
    header = face.read_text()
    for option in ("--partition=cpu", "--cpus-per-task=2", "--mem=5G", "--time=8:00:00"):
        assert f"#SBATCH {option}\n" in header
    assert "gres" not in header
    header = person.read_text()
    for option in ("--partition=gpu", "--gres=gpu:1", "--cpus-per-task=5", "--mem=10G"):
        assert f"#SBATCH {option}\n" in header
    for script in (face, person):
        text = script.read_text()
        subprocess.run(["bash", "-n", str(script)], check=True)
        words = shlex.split(text, comments=True)
        # The Python that made it, options that it takes, and no path of anyone's own.
        assert words[:4] == ["exec", sys.executable, "-m", "pass_dataset.passify"]
        assert "-W" not in words
        assert "/scratch" not in text
        assert words[words.index("work") + 1] == str(here / "passify_run")
        assert " cd " not in text


def test_every_image_is_in_one_task(here: Path, photos: Path) -> None:
    assert step(here, 0, photos, *OPTIONS).returncode == 0
    num_tasks = script_tasks(here / "face" / "sbatch_face.sh")
    assert num_tasks == script_tasks(here / "person" / "sbatch_person.sh") == 2
    folder = RunFolder(here / "passify_run")
    plan = Plan.load(folder)
    assert plan is not None
    parts = split_shards(range(plan.num_shards), num_tasks)
    assert all(parts)
    assert len(parts) == num_tasks
    in_tasks = [
        str(photos / item.path)
        for part in parts
        for shard in part
        for item in plan.items(folder, shard)
    ]
    assert in_tasks == (here / "0_all_files.txt").read_text().splitlines()


@pytest.mark.slow
def test_steps_again_and_too_early(here: Path, photos: Path, tmp_path: Path) -> None:
    early = step(here, 1)
    assert early.returncode == 1
    assert "no images are listed here" in early.stderr
    for _ in range(2):
        assert step(here, 0, photos, *OPTIONS).returncode == 0
        assert len((here / "0_all_files.txt").read_text().splitlines()) == 37
    early = step(here, 1)
    assert early.returncode == 1
    assert "4 of 4 shards are not through face detection" in early.stderr
    assert "sbatch --array=0,1 face/sbatch_face.sh" in early.stderr
    run = here / "passify_run"
    assert passify("work", run, "--stage", "face", "--task", 1, "--tasks", 2).returncode == 0
    early = step(here, 1)
    assert "2 of 4 shards are not through face detection" in early.stderr
    assert "sbatch --array=0 face/sbatch_face.sh" in early.stderr
    assert not (here / "1_no_faces.txt").exists()
    too_soon = passify("work", run, "--stage", "person", "--task", 0, "--tasks", 2)
    assert too_soon.returncode == 1
    assert "run it with --stage face first" in too_soon.stderr
    early = step(here, 2)
    assert early.returncode == 1
    assert "not through person detection" in early.stderr
    other = many(tmp_path / "other photos", 3)
    assert "this is a run with other settings" in step(here, 0, other, *OPTIONS).stderr


@pytest.mark.slow
def test_wrong_usage(here: Path) -> None:
    for arguments, message in (
        ((0,), "step 0 needs the folder"),
        ((1, "folder"), "takes neither a folder nor options"),
        ((2, "--shard-size", "3"), "takes neither a folder nor options"),
        ((3,), "invalid choice"),
        ((0, "x", "--images-per-task", "0"), "expected 1 or more"),
    ):
        done = step(here, *arguments)
        assert done.returncode == 2
        assert message in done.stderr


def test_help(here: Path) -> None:
    assert "usage: passify.py" in step(here, "--help").stdout
