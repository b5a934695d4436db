"""`pass-curate filter`: as a command, killed, and on clusters with the real detector of faces."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.executors.slurm.submissions import load_submissions
from pass_dataset.passify.runs.run_folder import RunFolder
from tests.conftest import SHARED
from tests.support.fetched import fetched_curation
from tests.support.passify import FACES, PEOPLE, ROOT, SAMPLE, picture, processes_with
from tests.support.slurm import Cluster
from tests.support.waiting import wait_until

REAL_FACES = (
    *("--detectors", "face", "--face-weights"),
    SHARED / "weights" / "mobilenet0.25_Final.pth",
)
DETECTORS = ("--face-detector", FACES, "--person-detector", PEOPLE)


def command(curation: CurationFolder, *options: object) -> list[str]:
    return [
        *(sys.executable, "-m", "pass_dataset.curate", "filter"),
        *map(str, (curation.path, *options)),
    ]


def run(curation: CurationFolder, *options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(curation, *options), capture_output=True, text=True, cwd=ROOT)


def ledger_bytes(curation: CurationFolder) -> list[bytes]:
    """What the steps wrote into the ledger."""
    paths = [
        path
        for step in ("sound", "filter")
        for path in sorted(curation.step_path(step).glob("*.parquet"))
    ]
    assert paths
    return [path.read_bytes() for path in paths]


def test_what_is_said(tmp_path: Path) -> None:
    photographs = [SAMPLE[name] for name in ("a/kept.png", "b/half.png", "c/grey.png")]
    curation = fetched_curation(tmp_path / "curation", photographs)
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[filter]\ndetectors = ["face"]\nface = 0.9\nface_detector = "{FACES}"\n')
    # Options go before the file.
    done = run(curation, "--settings", settings, "--face", 0.4, "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "sound: 3 photographs came, 2 went on",
        "  single-colour 1",
        "filter: 2 photographs came, 1 went on",
        "  face 1",
    ]
    again = run(curation, "--settings", settings, "--workers", 1)
    assert again.returncode == 1
    assert "face: it was begun with 0.4, asked for is 0.9" in again.stderr
    assert "Traceback" not in again.stderr


def test_nonsense_is_refused(tmp_path: Path) -> None:
    curation = fetched_curation(tmp_path / "curation", [SAMPLE["a/kept.png"]])
    done = run(curation, "--detectors", "cats")
    assert done.returncode == 1
    assert "detectors: expected" in done.stderr
    assert run(curation, "--face", "2").returncode == 2
    assert run(CurationFolder(tmp_path / "nothing")).returncode == 1


# --- kill -9 --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    shards = [
        [
            picture((row % 2) * 0.7, (row % 3 == 2) * 0.6, seed=row)
            for row in range(start, start + 40)
        ]
        for start in (0, 40, 80)
    ]
    slow = ("--face-detector", FACES.replace("Faces", "Slow"), "--person-detector", PEOPLE)
    options = (*slow, "--workers", 2)
    expected = fetched_curation(tmp_path / "expected", *shards)
    assert run(expected, *options).returncode == 0
    curation = fetched_curation(tmp_path / "curation", *shards)
    rng = random.Random(0)
    run_done = RunFolder(curation.work_path("filter")).done
    for wanted in (0, 1, 3, 5, 7):
        process = subprocess.Popen(command(curation, *options), cwd=ROOT, stderr=subprocess.DEVNULL)
        if wanted:
            wait_until(lambda wanted=wanted: len(run_done()) >= wanted, process)
        time.sleep(rng.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not processes_with(str(curation.path)))
    # Between the two steps of the ledger, and before the last record.
    for step in ("sound", "filter"):
        process = subprocess.Popen(command(curation, *options), cwd=ROOT, stdout=subprocess.DEVNULL)
        wait_until(lambda step=step: list(curation.step_path(step).glob("*.parquet")), process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not processes_with(str(curation.path)))
    done = run(curation, *options)
    assert done.returncode == 0, done.stderr
    assert ledger_bytes(curation) == ledger_bytes(expected)
    assert [step.name for step in Ledger(curation).steps()] == [
        *("select", "fetch"),
        *("sound", "filter"),
    ]


# --- clusters -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def photographs() -> list[list[bytes | str]]:
    """Two shards of real photographs, some with faces, some that cannot be decoded."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared with weights and test images")
    found: list[bytes | str] = [
        path.read_bytes() for path in sorted((SHARED / "images").iterdir()) if path.is_file()
    ]
    middle = len(found) // 2
    return [[*found[:middle], "missing"], found[middle:]]


@pytest.fixture(scope="module")
def here(
    photographs: list[list[bytes | str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> CurationFolder:
    """What this machine says."""
    curation = fetched_curation(tmp_path_factory.mktemp("here") / "curation", *photographs)
    done = run(curation, *REAL_FACES, "--workers", 1)
    assert done.returncode == 0, done.stderr
    return curation


@pytest.mark.slow
def test_real_faces(here: CurationFolder, photographs: list[list[bytes | str]]) -> None:
    sound, faces = Ledger(here).steps()[-2:]
    assert sound.came == sum(map(len, photographs)) - 1
    assert {"empty", "not-an-image", "single-colour", "truncated"} <= set(sound.causes)
    assert 0 < faces.causes["face"] < faces.came
    assert set(faces.causes) == {"face"}


def test_same_ledger_on_slurm(
    slurm: Cluster,
    here: CurationFolder,
    photographs: list[list[bytes | str]],
    tmp_path: Path,
) -> None:
    curation = fetched_curation(tmp_path / "curation", *photographs)
    where = ("--executor", "slurm", "--slurm-partition", "cpu", "--slurm-cpus", 1)
    done = run(curation, *REAL_FACES, *where, "--slurm-mem-gb", 2, "--slurm-tasks", 2)
    assert done.returncode == 0, done.stderr
    assert ledger_bytes(curation) == ledger_bytes(here)


@pytest.mark.ray
def test_same_ledger_on_ray(
    here: CurationFolder,
    photographs: list[list[bytes | str]],
    tmp_path: Path,
) -> None:
    pytest.importorskip("ray")
    curation = fetched_curation(tmp_path / "curation", *photographs)
    where = ("--executor", "ray", "--ray-address", "local", "--ray-workers", 2)
    done = run(curation, *REAL_FACES, *where)
    assert done.returncode == 0, done.stderr
    assert ledger_bytes(curation) == ledger_bytes(here)


def test_submitted_and_ended_later(slurm: Cluster, tmp_path: Path) -> None:
    """Faces in one partition and people in another, as passify has them."""
    curation = fetched_curation(tmp_path / "curation", [SAMPLE["a/kept.png"], SAMPLE["a/face.png"]])
    where: tuple[Any, ...] = ("--executor", "slurm", "--slurm-cpus", 1, "--slurm-mem-gb", 2)
    where += ("--slurm-gpu-partition", "gpu", "--slurm-gpu-cpus", 1, "--slurm-gpu-mem-gb", 2)
    first = run(curation, *DETECTORS, *where, "--no-wait")
    assert first.returncode == 0, first.stderr
    assert "the same command, when they are done, ends the step" in first.stdout
    assert Ledger(curation).begun() == "sound"
    wait_until(RunFolder(curation.work_path("filter")).done)
    stages = [job.stage for job in load_submissions(curation.work_path("filter"))]
    assert stages == ["face", "person"]
    last = run(curation, *DETECTORS, *where, "--no-wait")
    assert last.returncode == 0, last.stderr
    assert "filter: 2 photographs came, 1 went on" in last.stdout
