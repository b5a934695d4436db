"""The ledger: what goes in and what comes out adds up, and nothing is written twice."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.errors import CurationError


def selected(ledger: Ledger, *shards: list[str | None]) -> None:
    """A ledger begun with these causes, a list for each shard."""
    writer = begin_step(ledger, "select", {"licenses": ["by"]})
    first = 0
    for shard, causes in enumerate(shards):
        rows = range(first, first + len(causes))
        hashes = [f"{row:032x}" for row in rows]
        table = {"row": list(rows), "cause": pa.array(causes, pa.string()), "hash": hashes}
        writer.write(shard, pa.table(table))
        first += len(causes)
    writer.finish({"read": 10, "refused": {"licence": 4}})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(CurationFolder(tmp_path / "curation"))
    selected(ledger, [None, "duplicate-id", None, None], [None, None])
    return ledger


def say(ledger: Ledger, step: str, causes: dict[int, str], **settings: object) -> None:
    """A step that lets all but these rows through."""
    writer = begin_step(ledger, step, settings)
    for shard in writer.missing():
        rows = writer.given(shard)["row"].to_pylist()
        table = {
            "row": rows,
            "cause": pa.array([causes.get(row) for row in rows], pa.string()),
            f"{step}_score": [row / 10 for row in rows],
        }
        writer.write(shard, pa.table(table))
    writer.finish()


def test_counts_add_up(ledger: Ledger) -> None:
    say(ledger, "fetch", {2: "missing"})
    say(ledger, "filter", {0: "face", 3: "face", 5: "person"})
    select, fetch, filtered = ledger.steps()
    assert (select.came, select.causes, select.left) == (6, {"duplicate-id": 1}, 5)
    assert select.details == {"read": 10, "refused": {"licence": 4}}
    assert (fetch.came, fetch.causes, fetch.left) == (5, {"missing": 1}, 4)
    assert (filtered.came, filtered.causes, filtered.left) == (4, {"face": 2, "person": 1}, 1)
    assert [step.after for step in ledger.steps()] == [None, "select", "fetch"]
    assert ledger.left(0).num_rows == 0
    assert ledger.left(1, ["hash", "fetch_score"]).to_pylist() == [
        {"row": 4, "hash": f"{4:032x}", "fetch_score": 0.4}
    ]
    assert ledger.left(0, after="fetch")["row"].to_pylist() == [0, 3]


def test_everyone_is_one_row(ledger: Ledger) -> None:
    say(ledger, "fetch", {2: "missing"})
    say(ledger, "filter", {3: "face"})
    rows = ledger.everyone(0).to_pylist()
    assert [(row["row"], row["stage"], row["cause"]) for row in rows] == [
        (0, "filter", None),
        (1, "select", "duplicate-id"),
        (2, "fetch", "missing"),
        (3, "filter", "face"),
    ]
    assert [row["fetch_score"] for row in rows] == [0.0, None, 0.2, 0.3]
    assert [row["filter_score"] for row in rows] == [0.0, None, None, 0.3]
    digests = {step.name: step.settings_sha256 for step in ledger.steps()}
    assert [row["settings_sha256"] for row in rows] == [digests[row["stage"]] for row in rows]


def test_saved_as_one_table(ledger: Ledger, tmp_path: Path) -> None:
    say(ledger, "fetch", {2: "missing"})
    assert ledger.save(tmp_path / "ledger.parquet") == 6
    saved = pq.read_table(tmp_path / "ledger.parquet")
    assert saved["row"].to_pylist() == list(range(6))
    assert saved["cause"].to_pylist() == [None, "duplicate-id", "missing", None, None, None]


def test_all_stopped(tmp_path: Path) -> None:
    ledger = Ledger(CurationFolder(tmp_path))
    selected(ledger, ["duplicate-id"], [None])
    say(ledger, "fetch", {1: "missing"})
    say(ledger, "filter", {})
    assert [step.left for step in ledger.steps()] == [1, 0, 0]
    assert ledger.everyone(1)["stage"].to_pylist() == ["fetch"]


def test_found_by_hash(ledger: Ledger) -> None:
    assert ledger.find(f"{5:032x}") == (1, 5)
    assert ledger.find("0" * 31) is None


def test_settings_stay(ledger: Ledger) -> None:
    begin_step(ledger, "balance", {"per_photographer": 80, "seed": 0})
    begin_step(ledger, "balance", {"per_photographer": 80, "seed": 0})
    with pytest.raises(CurationError, match=r"per_photographer: it was begun with 80, asked .* 90"):
        begin_step(ledger, "balance", {"per_photographer": 90, "seed": 0})


def test_one_step_at_a_time(ledger: Ledger) -> None:
    begin_step(ledger, "fetch", {})
    assert ledger.begun() == "fetch"
    with pytest.raises(CurationError, match="fetch is begun and not done"):
        begin_step(ledger, "balance", {})


def test_steps_that_are_needed(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(CurationError, match="filter needs fetch to be done first"):
        begin_step(ledger, "filter", {}, needs=["select", "fetch"])
    with pytest.raises(CurationError, match="fetch needs select to be done first"):
        begin_step(Ledger(CurationFolder(tmp_path / "new")), "fetch", {})


@pytest.mark.parametrize("rows", [[0, 2], [0, 2, 3, 4], [0, 3, 2], [0, 1, 2]])
def test_speaks_of_what_it_was_given(ledger: Ledger, rows: list[int]) -> None:
    writer = begin_step(ledger, "fetch", {})
    said = pa.table({"row": rows, "cause": pa.nulls(len(rows), pa.string())})
    with pytest.raises(CurationError, match="was given 3 photographs and speaks"):
        writer.write(0, said)
    assert writer.missing() == [0, 1]


def test_columns_have_one_owner(ledger: Ledger) -> None:
    writer = begin_step(ledger, "fetch", {})
    said = pa.table({"row": [4, 5], "cause": pa.nulls(2, pa.string()), "hash": ["a", "b"]})
    with pytest.raises(CurationError, match="column 'hash' is one that select has"):
        writer.write(1, said)


def test_not_done_without_all_shards(ledger: Ledger) -> None:
    writer = begin_step(ledger, "fetch", {})
    writer.write(1, writer.given(1).append_column("cause", pa.nulls(2, pa.string())))
    with pytest.raises(CurationError, match="1 of 2 shards are not done"):
        writer.finish()
    assert ledger.record("fetch") is None
    with pytest.raises(CurationError, match="no step that is done has the column 'nothing'"):
        ledger.left(0, ["nothing"])


def test_files_are_read_back(ledger: Ledger) -> None:
    """A file that changed after it was written is not counted."""
    writer = begin_step(ledger, "fetch", {})
    for shard in writer.missing():
        given = writer.given(shard)
        path = writer.write(
            shard, given.append_column("cause", pa.nulls(given.num_rows, pa.string()))
        )
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(CurationError, match="expected the 2 photographs that this step was"):
        writer.finish()


def test_many_shards_at_a_time(tmp_path: Path) -> None:
    """Counted as they are, by threads; what cannot be written ends it, and what is there stays."""
    ledger = Ledger(CurationFolder(tmp_path))
    selected(ledger, *[[None, "duplicate-id"]] * 9)
    writer = begin_step(ledger, "fetch", {})

    def said(shard: int) -> pa.Table:
        if shard == 6:
            raise OSError("full")
        cause = "missing" if shard % 2 else None
        return pa.table({"row": writer.expected(shard), "cause": pa.array([cause], pa.string())})

    with pytest.raises(OSError, match="full"):
        writer.write_missing(said)
    assert {0, 1} & set(writer.missing()) == set() and 6 in writer.missing()
    writer.write_missing(
        lambda shard: said(8 if shard == 6 else shard).set_column(
            0, "row", pa.array(writer.expected(shard))
        )
    )
    assert writer.finish().causes == {"missing": 4}


def test_encoded_columns(ledger: Ledger) -> None:
    say(ledger, "fetch", {2: "missing"})
    left = ledger.left(0, ["hash", "fetch_score"], encoded=["hash"])
    assert pa.types.is_dictionary(left["hash"].type)
    assert left["hash"].to_pylist() == ledger.left(0, ["hash"])["hash"].to_pylist()


def test_damaged_record(ledger: Ledger) -> None:
    path = ledger.folder.step_record_path("select")
    path.write_text(path.read_text().replace('"came": 6', '"came": 7'))
    with pytest.raises(CurationError, match="is no record of a step: it is damaged"):
        ledger.steps()
