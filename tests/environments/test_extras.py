"""Extras by themselves: what each promises, in an environment that has nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.environments import (
    Environment,
    build_wheel,
    extra_requirements,
    prepare,
    run_without_network,
)

HERE = Path(__file__).parent
TORCH = Environment("torch", extra="torch")
#: PyTorch takes a minute and gigabytes, so it is installed once; see the first test.
PASSIFY = Environment("passify", extra="passify", base=TORCH)
EVALUATE = Environment("evaluate", extra="evaluate", base=TORCH)
RANK = Environment("rank", extra="rank")

# Whichever test is first makes the environments.
pytestmark = [pytest.mark.environments, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def prepared(wheel: Path) -> None:
    prepare([TORCH], wheel)
    prepare([PASSIFY, EVALUATE], wheel)


def test_passify_on_top_of_torch_is_passify_alone() -> None:
    assert set(extra_requirements("torch")) <= set(extra_requirements("passify"))
    assert set(extra_requirements("torch")) <= set(extra_requirements("evaluate"))


def test_torch(prepared: None, tmp_path: Path) -> None:
    done = run_without_network(TORCH, HERE / "torch_scenario.py", home=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    assert done.stdout.splitlines()[-1] == "ok 64 64"


def test_passify(prepared: None, shared: Path, cascade_weights: Path, tmp_path: Path) -> None:
    done = run_without_network(
        PASSIFY, HERE / "passify_scenario.py", shared.resolve(), cascade_weights, home=tmp_path
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    assert done.stdout.splitlines()[-1] == "ok face person None"


def test_evaluate(prepared: None, shared: Path, tmp_path: Path) -> None:
    labelled = (shared / "images" / "labelled").resolve()
    done = run_without_network(EVALUATE, HERE / "evaluate_scenario.py", labelled, home=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    assert done.stdout.splitlines()[-1] == "ok 10"


def test_rank(wheel: Path, shared: Path, tmp_path: Path) -> None:
    prepare([RANK], wheel)
    images = (shared / "images").resolve()
    done = run_without_network(RANK, HERE / "rank_scenario.py", images, home=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    assert done.stdout.splitlines()[-1] == "ok 10"
