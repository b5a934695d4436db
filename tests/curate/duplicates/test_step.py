"""Duplicates as a step of a curation: causes in the ledger, counts that add up."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.duplicates.finding import DuplicatesSettings
from pass_dataset.curate.duplicates.hashing import IMAGES
from pass_dataset.curate.duplicates.index_file import HashIndex, save_index
from pass_dataset.curate.duplicates.step import run_duplicates
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.photographs import PHOTOGRAPHS
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.errors import CurationError
from tests.curate.duplicates.here import Here

NAMES = ("0.jpg", "0-same.jpg", "1.jpg", "2.jpg", "2-near.jpg", "5.jpg", "6.jpg")


def hash_of(number: int) -> str:
    return f"abcdef{number:026x}"


def select(folder: CurationFolder, files: list[Path | None]) -> None:
    """Photographs in two shards; of the last one it is said that it goes no further."""
    writer = begin_step(Ledger(folder), "select", {})
    half = len(files) // 2
    for shard, rows in enumerate((range(half), range(half, len(files)))):
        columns: dict[str, object] = {
            "row": pa.array(rows, pa.int64()),
            "cause": pa.array(["other" if row == len(files) - 1 else None for row in rows]),
        }
        for field in PHOTOGRAPHS:
            columns[field.name] = pa.nulls(len(rows), field.type)
        columns["hash"] = pa.array([hash_of(row) for row in rows])
        columns["path"] = pa.array(
            [None if files[row] is None else str(files[row]) for row in rows], pa.string()
        )
        writer.write(shard, pa.table(columns))
    writer.finish()


def fetch(folder: CurationFolder, files: list[Path]) -> None:
    """The same photographs in a tar for each shard."""
    ledger = Ledger(folder)
    writer = begin_step(ledger, "fetch", {})
    tars = folder.work_path("fetch") / "tars"
    tars.mkdir(parents=True)
    for shard in range(ledger.shards()):
        rows = writer.given(shard)["row"].to_pylist()
        offsets, sizes = [], []
        with tarfile.open(tars / f"{shard:06d}.tar", "w") as tar:
            for row in rows:
                data = files[row].read_bytes()
                info = tarfile.TarInfo(f"PASS_dataset/0/{hash_of(row)}.jpg")
                info.size = len(data)
                offsets.append(tar.offset + 512)
                sizes.append(len(data))
                tar.addfile(info, io.BytesIO(data))
        writer.write(
            shard,
            pa.table(
                {
                    "row": rows,
                    "cause": pa.nulls(len(rows), pa.string()),
                    "size_bytes": sizes,
                    "sha256": [f"{row:064x}" for row in rows],
                    "tar_offset": offsets,
                }
            ),
        )
    writer.finish()


@pytest.fixture
def files(collection: Path) -> list[Path]:
    return [*(collection / "a" / name for name in NAMES), collection / "a" / "7.jpg"]


@pytest.fixture(params=["files", "tars"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, files: list[Path]) -> CurationFolder:
    folder = CurationFolder(tmp_path / "curation")
    if request.param == "files":
        select(folder, list(files))
    else:
        select(folder, [None] * len(files))
        fetch(folder, files)
    return folder


def test_causes_are_in_the_ledger(
    folder: CurationFolder, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    images = pa.table(
        {"path": ["coco/5"], "photo_id": pa.nulls(1, pa.string()), "address": [hash_of(5)]}
    )
    for field in IMAGES:
        if field.name not in images.column_names:
            images = images.append_column(field, pa.nulls(1, field.type))
    path = folder.path.parent / "coco.hashes"
    save_index(HashIndex("coco", images.cast(IMAGES)), path)
    settings = DuplicatesSettings(against=(str(path),))
    record = run_duplicates(folder, settings, executor=Here())
    assert record is not None
    assert record.causes == {"duplicate-within": 2, "duplicate-of:coco": 1}
    assert (record.came, record.left) == (7, 4)
    assert record.details["pairs-near"] == 1
    rows = [
        row for shard in range(2) for row in Ledger(folder).said("duplicates", shard).to_pylist()
    ]
    said = {row["row"]: row for row in rows}
    assert {row: one["cause"] for row, one in said.items() if one["cause"]} == {
        1: "duplicate-within",
        4: "duplicate-within",
        5: "duplicate-of:coco",
    }
    assert said[1]["duplicate_of"] == hash_of(0)
    assert (said[1]["duplicate_tier"], said[1]["duplicate_distance"]) == ("bytes", None)
    assert said[4]["duplicate_of"] == hash_of(3)
    assert said[4]["duplicate_tier"] == "near"
    assert 0 <= said[4]["duplicate_distance"] <= 31
    assert (said[5]["duplicate_of"], said[5]["duplicate_tier"]) == ("coco/5", "photograph")
    assert said[0]["duplicate_of"] is said[0]["duplicate_tier"] is None
    assert (folder.work_path("duplicates") / "report.html").is_file()
    # Done is done; with other settings it is refused.
    moved = path.rename(path.with_name("moved.hashes"))
    assert run_duplicates(folder, DuplicatesSettings(against=(str(moved),))) == record
    with pytest.raises(CurationError, match="against: it was begun with"):
        run_duplicates(folder, DuplicatesSettings())
    assert main(["status", str(folder.path)]) == 0
    assert "duplicate-of:coco 1" in capsys.readouterr().out


def test_a_cut_step_is_ended_the_same(
    folder: CurationFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = run_duplicates(folder, DuplicatesSettings(), executor=Here())
    assert record is not None
    assert record.causes == {"duplicate-within": 2}
    (folder.step_record_path("duplicates")).unlink()
    folder.shard_path("duplicates", 0).unlink()
    again = run_duplicates(folder, DuplicatesSettings(), workers=2)
    assert again is not None
    assert again.sha256 == record.sha256


def test_photographs_that_are_not_there(tmp_path: Path) -> None:
    folder = CurationFolder(tmp_path / "curation")
    select(folder, [None, None, None])
    with pytest.raises(CurationError, match="have not been fetched"):
        run_duplicates(folder, DuplicatesSettings())
