"""Samples of a release, and runs over it that continue."""

from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.errors import RunError, SourceError
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.passify.audit.release_runs import ReleaseRun, draw_sample, run_on_release
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.settings import DetectorChoice
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.source import ListingReport
from pass_dataset.passify.steps.execution import Execution
from tests.passify.audit.conftest import REMOVED
from tests.support.collection import Collection
from tests.support.passify import FACES, PEOPLE, rows

DETECTORS = (
    DetectorChoice("face", FACES, f"{2:064x}"),
    DetectorChoice("person", PEOPLE, f"{0:064x}"),
)


@pytest.fixture
def archive(later: Collection) -> PassArchive:
    return PassArchive(later.folder, later.tsv)


def run_it(archive: PassArchive, out: Path, hashes: list[str] | None = None) -> Results:
    return run_on_release(
        archive,
        ReleaseRun(out),
        detectors=DETECTORS,
        executor=LocalExecutor(Execution(workers=1)),
        hashes=hashes,
    )


def test_sample(archive: PassArchive) -> None:
    drawn = draw_sample(archive, 10, 1)
    assert len(set(drawn)) == 10
    assert drawn == draw_sample(archive, 10, 1) != draw_sample(archive, 10, 2)
    assert set(drawn) < set(draw_sample(archive, 20, 1))
    everything = [record.hash for record in archive]
    assert sorted(drawn, key=everything.index) == drawn
    assert draw_sample(archive, 1000, 1) == everything


def test_every_image_by_both_detectors(archive: PassArchive, tmp_path: Path) -> None:
    found = rows(run_it(archive, tmp_path / "out"))
    assert len(found) == 36
    assert all(row["face_max_score"] is not None for row in found)
    assert all(row["person_max_score"] is not None for row in found)


def test_only_the_hashes_that_are_named(archive: PassArchive, tmp_path: Path) -> None:
    hashes = draw_sample(archive, 7, 0)
    found = rows(run_it(archive, tmp_path / "out", hashes))
    assert [row["path"].partition("/")[2] for row in found] == [f"{name}.jpg" for name in hashes]
    assert {row["path"].partition("/")[0] for row in found} <= {f"PASS.{n}.tar" for n in range(4)}


@pytest.mark.slow
def test_same_command_goes_on(archive: PassArchive, tmp_path: Path) -> None:
    out = ReleaseRun(tmp_path / "out")
    before = rows(run_it(archive, out.path))
    marker = next((out.folder.path / "done").iterdir())
    marker.unlink()
    (out.folder.path / "results" / f"{marker.stem}.parquet").unlink()
    assert rows(run_it(archive, out.path)) == before


def test_another_choice_in_the_same_folder(
    archive: PassArchive, earlier: Collection, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_it(archive, out, draw_sample(archive, 5, 0))
    with pytest.raises(RunError, match=r"hashes\.txt: expected what this command would write"):
        run_it(archive, out, draw_sample(archive, 5, 1))
    with pytest.raises(RunError, match="source only"):
        run_it(archive, out)
    with pytest.raises(RunError, match=r"release\.tsv: expected what this command would write"):
        run_it(PassArchive(earlier.folder, earlier.tsv), out)


def test_hashes_that_are_not_there(later: Collection, tmp_path: Path) -> None:
    gone = [later.hashes[number] for number in sorted(REMOVED)]
    (tmp_path / "only.txt").write_text("\n".join([later.hashes[0], *gone]))
    settings = SourceSettings(
        str(later.folder), "pass", release=str(later.tsv), only=str(tmp_path / "only.txt")
    )
    with pytest.raises(SourceError, match="names 4 images that the archive does not have"):
        list(open_source(settings).items(ListingReport()))
