"""Fingerprints made in rounds: here, on SLURM, on Ray; cut, and gone on with."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.duplicates import hashing
from pass_dataset.curate.duplicates.hash_round import HashRound
from pass_dataset.curate.duplicates.hashing import fingerprints_of
from pass_dataset.curate.duplicates.listing import Listing, list_images
from pass_dataset.executors.executor import Executor
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.progress import Silent
from tests.curate.duplicates.here import Here
from tests.support.ray_cluster import ray_cluster
from tests.support.slurm import Cluster
from tests.support.waiting import wait_until


def listed(path: Path) -> Listing:
    return list_images(path.name, SourceSettings.of(path), Silent())


def parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


class _Later(Executor):
    """Leaves all to others."""

    waits = False
    others_at_work = True

    def execute(self, folder, jobs, told):  # type: ignore[no-untyped-def]
        self.folder, self.jobs = folder, jobs
        yield from ()


def test_a_round_is_gone_on_with(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the store is not made again, and what was lost from it is."""
    monkeypatch.setattr(hashing, "automatic_shard_size", lambda images: 8)
    listings = [listed(collection / "a"), listed(collection / "b.tar")]
    later = _Later()
    assert fingerprints_of(listings, tmp_path, executor=later, progress=Silent()) is None
    assert [job.shard for job in later.jobs] == [0, 1, 2]
    assert HashRound(later.folder.path).sizes() == [8, 8, 3]
    tables = fingerprints_of(listings, tmp_path, executor=Here(), progress=Silent())
    assert tables is not None
    assert [table.num_rows for table in tables] == [16, 3]
    assert not (tmp_path / "rounds").exists()
    lost, *rest = parts(tmp_path)
    assert sum(pq.read_metadata(part).num_rows for part in (lost, *rest)) == 19
    there = pq.read_metadata(lost).num_rows
    lost.unlink()
    assert fingerprints_of(listings, tmp_path, executor=later, progress=Silent()) is None
    assert HashRound(later.folder.path).sizes() == [there]
    # Of other images another round is begun; it ends both.
    (other,) = fingerprints_of(listings[1:], tmp_path, executor=Here(), progress=Silent()) or []
    assert other == tables[1]


def test_marked_but_lost(collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A round that was cut, of which a part was removed since as it could not be read."""
    monkeypatch.setattr(hashing, "_end_rounds", lambda store: None)
    listings = [listed(collection / "b.tar")]
    first = fingerprints_of(listings, tmp_path, executor=Here(), progress=Silent())
    parts(tmp_path)[0].unlink()
    later = _Later()
    assert fingerprints_of(listings, tmp_path, executor=later, progress=Silent()) is None
    assert [job.shard for job in later.jobs] == [0]
    assert not later.folder.done()
    assert fingerprints_of(listings, tmp_path, executor=Here(), progress=Silent()) == first


@pytest.fixture(scope="module")
def index(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What this machine makes of the folder."""
    path = tmp_path_factory.mktemp("here") / "a.hashes"
    assert main(["hash", str(collection / "a"), "--out", str(path), "--workers", "1"]) == 0
    return path.read_bytes()


def test_same_index_on_slurm(
    slurm: Cluster,
    collection: Path,
    index: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "a.hashes"
    asked = ["hash", str(collection / "a"), "--out", str(path), "--executor", "slurm"]
    asked += ["--slurm-cpus", "1", "--slurm-mem-gb", "1", "--no-wait"]
    assert main(asked) == 0
    assert "submitted" in capsys.readouterr().out
    assert not path.exists()
    (round_path,) = (tmp_path / "a.hashes.parts" / "rounds").iterdir()
    assert list(round_path.glob("slurm/jobs/*.json"))
    wait_until(lambda: HashRound(round_path).done() == {0})
    # Nothing is left to do: whoever comes ends it.
    assert main(asked) == 0
    assert path.read_bytes() == index


@pytest.mark.ray
def test_same_duplicates_on_ray(collection: Path, tmp_path: Path) -> None:
    sources = [str(collection / "a"), str(collection / "b.tar")]
    asked = ["duplicates", *sources, "--no-report", "--out"]
    assert main([*asked, str(tmp_path / "here"), "--workers", "1"]) == 0
    with ray_cluster():
        where = ("--executor", "ray", "--ray-workers", "2")
        assert main([*asked, str(tmp_path / "ray"), *where]) == 0
    for name in ("pairs.parquet", "groups.parquet", "images.parquet", "summary.json"):
        there = (tmp_path / "ray" / name).read_bytes()
        assert there == (tmp_path / "here" / name).read_bytes(), name
