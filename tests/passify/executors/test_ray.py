"""Runs on a real Ray, started here with two workers: the same rows as without it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.errors import MissingExtraError, RunError, SchedulerError
from pass_dataset.executors.ray import RayExecutor, _require_answer
from pass_dataset.executors.ray_settings import RaySettings
from pass_dataset.passify.filtering import run_filter
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.steps.execution import Execution
from tests.support.passify import (
    DETECTORS,
    many,
    passify,
    processes_with,
    rows,
    run,
    settings_for,
    start_passify,
)
from tests.support.ray_cluster import ray_cluster
from tests.support.waiting import wait_until

SLOW = "python:tests.support.detectors:Slow"


pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return many(tmp_path_factory.mktemp("photos") / "my 'own' photos", 60)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of two cores, which the executor finds connected."""
    with ray_cluster() as ray:
        yield ray


def run_on_ray(
    source: Path, out: Path, settings: RaySettings | None = None, **changes: Any
) -> Results:
    folder = RunFolder(out)
    executor = RayExecutor(settings or RaySettings(workers=2), Execution())
    run_filter(folder, settings_for(source, **{"shard_size": 10, **changes}), executor)
    return Results(folder)


def expected(source: Path, out: Path, **changes: Any) -> list[dict[str, Any]]:
    return rows(run(source, out, workers=2, **{"shard_size": 10, **changes}))


def test_command(photos: Path, tmp_path: Path) -> None:
    """With a cluster of its own, which is gone at the end."""
    pytest.importorskip("ray")
    command = ["run", photos, "--out", tmp_path / "run", *DETECTORS, "--shard-size", 10]
    done = passify(*command, "--executor", "ray", "--ray-address", "local")
    assert done.returncode == 0, done.stderr
    assert rows(Results(RunFolder(tmp_path / "run"))) == expected(photos, tmp_path / "local")
    # Ray says nothing by itself.
    assert done.stderr == ""
    assert "60 images examined" in done.stdout
    assert "ray" not in done.stdout.lower().replace(str(tmp_path), "")


def test_interrupted_and_run_again(photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    command = ["run", photos, "--out", tmp_path / "run", *DETECTORS, "--shard-size", 5]
    command += ["--face-detector", SLOW, "--executor", "ray", "--ray-address", "local"]
    process = start_passify(*command)
    done = tmp_path / "run" / "done"
    wait_until(RunFolder(tmp_path / "run").done, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "interrupted; what was done is kept" in said
    some = RunFolder(tmp_path / "run").done()
    assert 0 < len(some) < 12
    stats = {path.name: path.read_bytes() for path in done.iterdir()}
    again = passify(*command)
    assert again.returncode == 0, again.stderr
    assert {name: (done / name).read_bytes() for name in stats} == stats
    local = expected(photos, tmp_path / "local", face=SLOW, shard_size=5)
    assert rows(Results(RunFolder(tmp_path / "run"))) == local
    assert not processes_with(str(tmp_path))


def test_same_rows(cluster: Any, photos: Path, tmp_path: Path) -> None:
    found = run_on_ray(photos, tmp_path / "run")
    assert rows(found) == expected(photos, tmp_path / "local")
    assert {stats.shard for stats in found.folder.stats()} == set(range(6))


def test_image_that_kills_actors(cluster: Any, tmp_path: Path) -> None:
    """Two actors die of it, then it is found out, and only its own row says so."""
    from tests.support.passify import picture, write_files

    photos = many(tmp_path / "photos", 10)
    write_files(photos, {"2/wide.png": picture(wide=True)})
    deadly = "python:tests.support.detectors:Deadly"
    found = run_on_ray(photos, tmp_path / "run", shard_size=11, face=deadly)
    failed = [row for row in rows(found) if row["outcome"] == "failed"]
    assert [(row["path"], row["reason"]) for row in failed] == [("2/wide.png", "process-died")]
    assert "killed by signal 9" in failed[0]["message"]
    assert rows(found) == expected(photos, tmp_path / "local", shard_size=11, face=deadly)


def test_failed_shards_are_listed(cluster: Any, tmp_path: Path) -> None:
    photos = many(tmp_path / "photos", 20)
    broken = "python:tests.support.detectors:AlwaysRaising"
    with pytest.raises(RunError) as caught:
        run_on_ray(photos, tmp_path / "run", face=broken)
    message = str(caught.value)
    assert "2 of 2 shards failed, though they were tried again" in message
    assert "shard 1 (images 10 to 19): the detector" in message
    assert "the network is broken" in message
    assert set(RunFolder(tmp_path / "run").failures()) == {0, 1}


def test_more_workers_than_room(cluster: Any, photos: Path, tmp_path: Path) -> None:
    """Actors that find no room hold no shard back."""
    found = run_on_ray(photos, tmp_path / "run", RaySettings(workers=5))
    assert found.missing_shards == 0
    assert cluster.available_resources().get("CPU", 0) >= 0


def test_no_room_is_told(
    cluster: Any, photos: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who says how many actors there are to be knows that the cluster grows: it is waited for."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(3)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_on_ray(photos, tmp_path / "run", RaySettings(gpus=1, workers=1))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert "no node of the Ray cluster has room for an actor with 1 CPUs and 1 GPUs" in caplog.text


def test_more_than_any_node_has_is_an_error(cluster: Any, photos: Path, tmp_path: Path) -> None:
    """Nobody would ever do the shards."""
    message = (
        "no node of the Ray cluster has room for an actor with 5 CPUs and 1 GPUs; its nodes: 1 "
        "with 2 CPUs and 0 GPUs. Ask for less"
    )
    with pytest.raises(SchedulerError, match=message):
        run_on_ray(photos, tmp_path / "run", RaySettings(cpus=5, gpus=1))


@pytest.mark.parametrize("address", ["127.0.0.1:99999", f"{'a' * 70}.b:1", "[::zz]:80"])
def test_address_that_none_can_have(address: str) -> None:
    with pytest.raises(SchedulerError, match="cannot be reached"):
        _require_answer(address)


def test_no_cluster_at_the_address(photos: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    done = passify(
        "run", photos, "--out", tmp_path / "run", *DETECTORS,
        "--executor", "ray", "--ray-address", "127.0.0.1:1",
    )  # fmt: skip
    assert done.returncode == 1
    assert "Ray at 127.0.0.1:1 cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_ray(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pass-dataset\[ray\]'"):
        run_on_ray(photos, tmp_path / "run")


def test_other_version_on_a_node(
    cluster: Any, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pass_dataset.executors.ray.__version__", "0.0.1")
    with pytest.raises(SchedulerError, match=r"this machine 0\.0\.1; install the same version"):
        run_on_ray(photos, tmp_path / "run")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"workers": 0}, "workers: expected a number of 1 or more, found 0"),
        ({"cpus": 0}, "cpus: expected"),
        ({"gpus": -1.0}, "gpus: expected a number of 0 or more"),
        ({"gpus": float("nan")}, "gpus: expected"),
    ],
)
def test_settings_check_themselves(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RaySettings(**changes)
