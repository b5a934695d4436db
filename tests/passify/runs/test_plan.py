from __future__ import annotations

import os
from pathlib import Path

import pytest

from pass_dataset.errors import SourceError
from pass_dataset.passify.runs.plan import Plan, automatic_shard_size, make_plan
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.source import ListingReport
from pass_dataset.progress import Silent
from tests.passify.sources.test_opening import write_tar
from tests.support.passify import settings_for


def planned(source: Path, out: Path, **changes: object) -> tuple[RunFolder, Plan]:
    settings = settings_for(source, **changes)
    folder = RunFolder(out)
    plan = make_plan(folder, open_source(settings.source), settings, Silent())
    assert Plan.load(folder) == plan
    return folder, plan


def test_list_comes_back_by_shards(tmp_path: Path) -> None:
    """Batches of the list and shards need not fit."""
    source = tmp_path / "images"
    source.mkdir()
    for number in range(2345):
        (source / f"{number:05}.jpg").touch()
    folder, plan = planned(source, tmp_path / "run", shard_size=700)
    items = [item for shard in range(plan.num_shards) for item in plan.items(folder, shard)]
    settings = settings_for(source)
    assert items == list(open_source(settings.source).items(ListingReport()))
    assert [len(plan.items(folder, shard)) for shard in range(4)] == [700, 700, 700, 245]


def test_places_in_tars_come_back(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_tar(tmp_path / "tars" / f"{name}.tar", {f"{n}.jpg": b"x" * n for n in range(9)})
    (tmp_path / "tars" / os.fsdecode(b"\xff.tar")).write_bytes(
        (tmp_path / "tars" / "a.tar").read_bytes()
    )
    folder, plan = planned(tmp_path / "tars", tmp_path / "run", shard_size=5)
    assert plan.containers == ("a.tar", "b.tar", "\\\\xff.tar")
    items = [item for shard in range(plan.num_shards) for item in plan.items(folder, shard)]
    source = open_source(settings_for(tmp_path / "tars").source)
    assert items == list(source.items(ListingReport()))


def test_nothing_found_says_what_was_there(tmp_path: Path) -> None:
    source = tmp_path / "images"
    source.mkdir()
    (source / "a.txt").touch()
    with pytest.raises(SourceError) as caught:
        planned(source, tmp_path / "run")
    assert "no images found (read as folder); left out: 1 .txt; --suffixes says" in str(
        caught.value
    )
    assert Plan.load(RunFolder(tmp_path / "run")) is None


def test_automatic_shard_size() -> None:
    assert [automatic_shard_size(n) for n in (1, 24, 5000, 50_000, 10**7)] == [
        16, 16, 79, 782, 1000,
    ]  # fmt: skip
