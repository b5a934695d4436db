"""Rankings of curations and of other collections, with rankers of another package."""

from __future__ import annotations

import contextlib
import io
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.ranking.catalogue import open_ranker
from pass_dataset.curate.ranking.folder import RankFolder
from pass_dataset.curate.ranking.run import rank_source
from pass_dataset.curate.ranking.settings import RankSettings
from pass_dataset.curate.ranking.step import run_rank
from pass_dataset.curate.ranking.work import RankWork
from pass_dataset.curate.sampling.classes import ClassesSettings, run_classes
from pass_dataset.errors import CurationError, DetectorError, RunError
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.sources.opening import SourceSettings
from tests.support.fetched import fetched_curation, photograph_hash
from tests.support.passify import REASONS, ROOT, SAMPLE, picture, processes_with, write_files
from tests.support.passify import run as run_passify
from tests.support.rankers import BLUE, CLASS
from tests.support.slurm import Cluster
from tests.support.waiting import wait_until


def command(name: str, *options: object) -> list[str]:
    return [sys.executable, "-m", "pass_dataset.curate", name, *map(str, options)]


def run(name: str, *options: object) -> subprocess.CompletedProcess[str]:
    """The command in this process, which costs no start of another."""
    arguments, out, err = [name, *map(str, options)], io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def ledger_bytes(curation: CurationFolder) -> list[bytes]:
    paths = sorted(curation.step_path("rank").glob("*.parquet"))
    assert paths
    return [path.read_bytes() for path in paths]


def test_a_curation(tmp_path: Path) -> None:
    photographs = [*(picture(person=share / 10, seed=share) for share in range(6)), b"<html>"]
    curation = fetched_curation(tmp_path / "curation", photographs, [picture(seed=9), "missing"])
    done = run("rank", curation.path, "--rankers", f"{BLUE},red", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "rank: 8 photographs came, all went on; 7 have scores",
        "  not-an-image 1",
    ]
    ledger = Ledger(curation)
    said = ledger.said("rank", 0)
    assert said["cause"].null_count == said.num_rows == 7
    assert said["rank_problem"].to_pylist() == [None] * 6 + ["not-an-image"]
    blue = said["blue_score"].to_pylist()
    assert blue[:6] == sorted(blue[:6])
    assert blue[6] is None
    # Nothing is done again, and nothing else in its place.
    record = run_rank(curation, RankSettings((BLUE, "red")))
    assert record is not None
    assert record.left == record.came == 8
    with pytest.raises(CurationError, match="begun with"):
        run_rank(curation, RankSettings((BLUE,)))
    top = run("top", curation.path, "--by", "blue", "-n", 2)
    assert [line.split("\t")[1] for line in top.stdout.splitlines()] == [
        photograph_hash(5),
        photograph_hash(4),
    ]


def test_other_sources_and_bad_images(tmp_path: Path) -> None:
    source, out = write_files(tmp_path / "photographs", SAMPLE), tmp_path / "ranking"
    done = run("rank", source, "--out", out, "--rankers", f"red,{BLUE}", "--workers", 1)
    assert done.returncode == 0, done.stderr
    rows = {row["path"]: row for row in pq.read_table(out / "scores.parquet").to_pylist()}
    assert list(rows) == sorted(SAMPLE, key=str.encode)
    for name, row in rows.items():
        bad = REASONS[name] if REASONS[name] not in ("face", "person") else None
        if bad is not None:
            assert row["problem"] == bad, name
            assert row["red_score"] is row["blue_score"] is None
        elif row["problem"] is None:
            assert row["red_score"] is not None
        else:
            # What the others say is there.
            assert row["problem"] == "ranker-failed"
            assert row["message"] == "red: ValueError: too red"
            assert row["red_score"] is None
            assert row["blue_score"] is not None
    assert rows["a/face.png"]["problem"] == "ranker-failed"


@pytest.mark.slow
def test_what_passify_kept_and_stored(tmp_path: Path) -> None:
    source, run_path = write_files(tmp_path / "photographs", SAMPLE), tmp_path / "run"
    run_passify(source, run_path)
    out = tmp_path / "ranking"
    done = run("rank", run_path, "--out", out, "--rankers", BLUE, "--workers", 1)
    assert done.returncode == 0, done.stderr
    kept = {name for name, reason in REASONS.items() if reason is None}
    assert set(pq.read_table(out / "scores.parquet")["path"].to_pylist()) == kept
    assert run("top", run_path).stdout.split() == ["face", "person"]
    found = json.loads(run("top", run_path, "--by", "face", "--json").stdout)
    assert {entry["image"] for entry in found} == kept
    assert found[0]["image"] == "b/half.png"


def test_a_ranker_that_always_fails(tmp_path: Path) -> None:
    source = tmp_path / "photographs"
    source.mkdir()
    for seed in range(9):
        (source / f"{seed}.png").write_bytes(picture(seed=seed))
    executor = LocalExecutor(RankWork(workers=1, rankers=("fails",)))
    settings = RankSettings(("fails",))
    with pytest.raises(RunError, match=r"failed on all 9 images .* fails: ValueError: always"):
        rank_source(RankFolder(tmp_path / "out"), SourceSettings.of(source), settings, executor)


def test_a_device_that_is_not_there(tmp_path: Path) -> None:
    """As a detector of vehicles says: no shard can be done, and none is tried again."""
    source = write_files(tmp_path / "photographs", {"a.png": picture(), "b.png": picture(seed=1)})
    executor = LocalExecutor(RankWork(workers=1, rankers=("without-device",)))
    settings = RankSettings(("without-device",))
    with pytest.raises(DetectorError, match="cuda:99 is not there"):
        rank_source(RankFolder(tmp_path / "out"), SourceSettings.of(source), settings, executor)
    done = run("rank", source, "--out", tmp_path / "out", "--device", "gpu")
    assert done.returncode == 2
    assert "argument --device: expected cpu, cuda or cuda:N, found 'gpu'" in done.stderr


def test_nonsense_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CurationError, match=r"no ranker; there are: opennsfw, .*blue"):
        open_ranker("cats")
    with pytest.raises(CurationError, match=r"expected .*:Gone to be a ranker"):
        open_ranker("gone")
    with pytest.raises(CurationError, match="no ranker"):
        open_ranker("timm:")
    with pytest.raises(ValueError, match="each once"):
        RankSettings((BLUE, BLUE))
    with pytest.raises(ValueError, match="one or more"):
        RankSettings(())
    with pytest.raises(ValueError, match="classes: expected torchvision:MODEL"):
        RankSettings((), "mobilenet")
    assert run("rank", tmp_path).returncode == 1
    assert run("top", tmp_path, "--by", "blue").returncode == 1
    assert run("top", tmp_path, "--unblurred").returncode == 2


def test_a_folder_loads_no_ranker(tmp_path: Path) -> None:
    """Which rankers there are is told by whoever begins it, not by the folder."""
    source = write_files(tmp_path / "photographs", SAMPLE)
    folder = RankFolder(tmp_path / "out")
    settings = RankSettings((BLUE,))
    with pytest.raises(CurationError, match="rankers are others here"):
        rank_source(
            folder, SourceSettings.of(source), settings,
            LocalExecutor(RankWork(workers=1, rankers=("red",))),
        )  # fmt: skip


def test_sheets(tmp_path: Path) -> None:
    curation = fetched_curation(tmp_path / "curation", [picture(seed=seed) for seed in range(4)])
    run_rank(curation, RankSettings((BLUE,)), workers=1)
    pages = []
    for options in ((), ("--unblurred",)):
        page = tmp_path / "sheet.html"
        done = run("top", curation.path, "--by", "blue", "-n", 3, "--sheet", page, *options)
        assert done.returncode == 0, done.stderr
        pages.append(page.read_text())
    blurred, clear = pages
    assert blurred.count("<figure>") == clear.count("<figure>") == 3
    assert "Nothing is blurred here" not in blurred
    assert "Nothing is blurred here" in clear
    # Noise has no place in a few averages: what is left is the page around the pictures.
    assert len(blurred) < len(clear) - 1500


# --- classes --------------------------------------------------------------------------------------


def test_frequent_classes(tmp_path: Path) -> None:
    bright = [picture(person=0.9, face=0.1, seed=seed) for seed in range(3)]
    dark = [picture(seed=seed) for seed in range(6)]
    curation = fetched_curation(tmp_path / "curation", [*bright, *dark[:2]], [*dark[2:], b"<html>"])
    with pytest.raises(CurationError, match="needs classes"):
        run_classes(curation, ClassesSettings())
    run_rank(curation, RankSettings((CLASS,)), workers=1)
    record = run_classes(curation, ClassesSettings(count=1, per_class=4))
    assert record.causes == {"rare-class": 3, "class-cap": 2, "unclassified": 1}
    assert record.left == 4
    assert record.details == {"classes": 1, "of": 2}
    left = [Ledger(curation).left(shard, ["class_name", "class_rank"]) for shard in range(2)]
    ranks = sorted(rank for table in left for rank in table["class_rank"].to_pylist())
    assert ranks == [1, 2, 3, 4]
    assert {name for table in left for name in table["class_name"].to_pylist()} == {"dark"}


# --- kill -9, clusters ----------------------------------------------------------------------------


def many(path: Path) -> CurationFolder:
    photographs = [picture(person=(seed % 10) / 10, seed=seed) for seed in range(96)]
    return fetched_curation(path, photographs[:50], photographs[50:])


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    curation = many(tmp_path_factory.mktemp("expected") / "curation")
    run_rank(curation, RankSettings((BLUE,)), workers=1)
    return ledger_bytes(curation)


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path, expected: list[bytes]) -> None:
    curation = many(tmp_path / "curation")
    asked = command("rank", curation.path, "--rankers", BLUE, "--workers", 2)
    ranked = RankFolder(curation.work_path("rank"))
    rng = random.Random(0)
    for wanted in (0, 1, 2):
        process = subprocess.Popen(asked, cwd=ROOT, stderr=subprocess.DEVNULL)
        if wanted:
            wait_until(lambda wanted=wanted: len(ranked.done()) >= wanted, process)
        time.sleep(rng.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not processes_with(str(curation.path)))
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert ledger_bytes(curation) == expected


def test_same_ledger_on_slurm(slurm: Cluster, tmp_path: Path, expected: list[bytes]) -> None:
    curation = many(tmp_path / "curation")
    where = ("--executor", "slurm", "--slurm-cpus", 1, "--slurm-mem-gb", 2, "--slurm-tasks", 2)
    done = run("rank", curation.path, "--rankers", BLUE, *where)
    assert done.returncode == 0, done.stderr
    assert ledger_bytes(curation) == expected


@pytest.mark.ray
def test_same_ledger_on_ray(tmp_path: Path, expected: list[bytes]) -> None:
    pytest.importorskip("ray")
    curation = many(tmp_path / "curation")
    where = ("--executor", "ray", "--ray-address", "local", "--ray-workers", 2)
    done = run("rank", curation.path, "--rankers", BLUE, *where)
    assert done.returncode == 0, done.stderr
    assert ledger_bytes(curation) == expected


def test_a_run_folder_is_no_ranking(tmp_path: Path) -> None:
    assert not RankFolder(RunFolder(tmp_path).path).is_there
