"""Fetching elsewhere: the same tars and ledger, and no more connections."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.curate.fetch.run import run_fetch
from pass_dataset.curate.fetch.work import Fetching
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.settings import as_content
from pass_dataset.errors import RunError
from pass_dataset.executors.local import LocalExecutor
from tests.curate.fetch.test_fetch import PACE, bucket, digests, settings_of
from tests.curate.selections import jpeg, selected
from tests.support.passify import ROOT
from tests.support.slurm import Cluster
from tests.support.web import Reply

SHARDS = ([{}] * 10, [{}] * 10, [{}] * 10)


def test_by_an_executor(tmp_path: Path) -> None:
    """A shard that is not whole fails; the next call does it."""
    folder, expected = (selected(tmp_path / name, *SHARDS) for name in ("here", "expected"))
    is_well = False

    def answers(number: int, before: int) -> Reply | None:
        return None if is_well or number != 13 else Reply(status=500)

    with bucket(answers) as web:
        settings = settings_of(web)
        work = Fetching(settings=as_content(settings), connections=2, tries=1)
        with pytest.raises(RunError, match=r"shard 1: 1 photograph could not be had \(unreach"):
            run_fetch(folder, settings, executor=LocalExecutor(work))
        assert web.most <= 2
        is_well = True
        step = run_fetch(folder, settings, executor=LocalExecutor(work))
        assert step is not None
        assert step.left == 30
        assert sum(web.asked.values()) == 30 + 3
        run_fetch(expected, settings, pace=PACE)
    assert digests(folder) == digests(expected)


@pytest.mark.parametrize(
    "executor",
    [
        pytest.param(
            ("slurm", "--slurm-cpus", "1", "--slurm-mem-gb", "1"), marks=pytest.mark.slurm
        ),
        pytest.param(("ray", "--ray-address", "local"), marks=pytest.mark.ray),
    ],
    ids=["slurm", "ray"],
)
def test_on_a_cluster(
    executor: tuple[str, ...], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if executor[0] == "slurm":
        cluster = request.getfixturevalue("slurm")
        assert isinstance(cluster, Cluster)
    else:
        pytest.importorskip("ray")
    folder, expected = (selected(tmp_path / name, *SHARDS) for name in ("here", "expected"))
    with bucket(lambda number, before: Reply(jpeg(number), after_s=0.02)) as web:
        settings = settings_of(web)
        command = [sys.executable, "-m", "pass_dataset.curate", "fetch", str(folder.path)]
        command += ["--bucket", settings.bucket, "--connections", "3", "--executor", *executor]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stderr
        assert "fetch: 30 photographs came, 30 went on" in done.stdout
        assert web.most <= 3
        assert set(web.asked.values()) == {1}
        run_fetch(expected, settings, pace=PACE)
    assert digests(folder) == digests(expected)
    assert Ledger(folder).begun() is None
