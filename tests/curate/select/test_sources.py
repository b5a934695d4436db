"""Each form of metadata gives the photographs that are in it, and accounts for the other rows."""

from __future__ import annotations

import bz2
import contextlib
import hashlib
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.select import SelectSettings, text, worker
from pass_dataset.errors import CurationError, DownloadError
from tests.curate.select.made import check, metadata, select
from tests.support.bad_server import BadServer, Fault, Kind
from tests.support.digests import digests

FORMS: dict[str, dict[str, Any]] = {
    "text": {},
    "parts": {"parts": 3},
    "old": {"parts": 2, "columns": 23},
    "bz2": {"form": "bz2"},
    "gz": {"form": "gz", "parts": 2},
    "zst": {"form": "zst"},
    "sqlite": {"form": "sqlite"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    pytest.importorskip("zstandard")
    root = tmp_path_factory.mktemp("metadata")
    return {form: metadata(root / form, **arguments) for form, arguments in FORMS.items()}


def ledger_of(out: Path) -> pa.Table:
    ledger = Ledger(CurationFolder(out))
    return pa.concat_tables(
        [ledger.everyone(shard) for shard in range(ledger.shards())]
    ).combine_chunks()


@pytest.mark.parametrize("form", FORMS)
def test_counts_are_those_planted(made: dict[str, Path], form: str, tmp_path: Path) -> None:
    record = select(tmp_path, made[form])
    check(record, made[form])
    assert not (tmp_path / "work" / "select").exists()


def test_all_forms_say_the_same(made: dict[str, Path], tmp_path: Path) -> None:
    """But for names of files: text in one file, in parts, packed."""
    tables = {}
    for form in ("text", "bz2", "zst", "parts"):
        select(tmp_path / form, made[form])
        tables[form] = ledger_of(tmp_path / form).drop_columns(["source"])
    assert tables["bz2"] == tables["text"]
    assert tables["zst"] == tables["text"]
    assert tables["parts"].drop_columns(["line"]) == tables["text"].drop_columns(["line"])


def test_lines_and_columns(made: dict[str, Path], tmp_path: Path) -> None:
    select(tmp_path, made["text"])
    lines = (made["text"] / "yfcc100m_dataset").read_bytes().split(b"\n")
    for row in ledger_of(tmp_path).to_pylist():
        fields = lines[row["line"] - 1].decode().split("\t")
        assert (row["photo_id"], row["nsid"], row["unickname"]) == tuple(
            fields[place] for place in (1, 3, 4)
        )
        assert (row["hash"], row["title"], row["download_url"]) == tuple(
            fields[place] for place in (2, 8, 16)
        )
        assert row["datetaken"] == (None if fields[5] == "null" else fields[5])
        assert row["latitude"] == (float(fields[13]) if fields[13] else None)
        assert (row["license_name"], row["license_url"]) == tuple(fields[17:19])
        assert row["source"] == "yfcc100m_dataset"


def test_sqlite_has_its_rows(made: dict[str, Path], tmp_path: Path) -> None:
    """The hash is computed; numbers are those of the rows."""
    select(tmp_path / "sqlite", made["sqlite"])
    rows = ledger_of(tmp_path / "sqlite").to_pylist()
    for row in rows:
        digest = hashlib.md5(row["download_url"].encode()).digest()
        assert row["hash"] == "".join(f"{byte:x}" for byte in digest)
        assert row["photo_id"] == str(2_000_000_000 + 37 * (row["line"] - 1)) or row["cause"]


def test_sqlite_by_apsw_and_by_python(
    made: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, and numbers as they were written where an old SQLite stored them a bit off."""
    pytest.importorskip("apsw")
    path = tmp_path / "yfcc100m_dataset.sql"
    shutil.copy(made["sqlite"] / path.name, path)
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "UPDATE yfcc100m_dataset SET latitude = ?, longitude = 12 WHERE marker = 0",
            [8.012682999999999],
        )
    by_apsw = select(tmp_path / "apsw", path)
    monkeypatch.setitem(sys.modules, "apsw", None)
    by_python = select(tmp_path / "python", path)
    assert (by_python.sha256, by_python.details) == (by_apsw.sha256, by_apsw.details)
    assert set(ledger_of(tmp_path / "apsw")["latitude"].to_pylist()) == {8.012683}


@pytest.mark.parametrize("reader", ["apsw", "python"])
def test_sqlite_of_another_encoding(
    reader: str, made: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, and what it says to do makes one that is read to the same end."""
    if reader == "apsw":
        pytest.importorskip("apsw")
    else:
        monkeypatch.setitem(sys.modules, "apsw", None)
    source, wide, again = made["sqlite"] / "yfcc100m_dataset.sql", tmp_path / "w", tmp_path / "a"
    for start, path, encoding in ((source, wide, "UTF-16be"), (wide, again, None)):
        with (
            contextlib.closing(sqlite3.connect(start)) as old,
            contextlib.closing(sqlite3.connect(path)) as new,
        ):
            if encoding:
                new.execute(f"PRAGMA encoding = '{encoding}'")
            new.executescript("\n".join(old.iterdump()))
    with pytest.raises(CurationError, match=r"expected text in UTF-8, .* found UTF-16be.* \.dump"):
        select(tmp_path / "out", wide)
    right = select(tmp_path / "right", source)
    found = select(tmp_path / "out", again)  # nothing was read of the other
    for what in ("read", "refused", "noted", "licenses"):
        assert found.details[what] == right.details[what]


@pytest.mark.parametrize("line_bytes", [0, 100, 1 << 14])
@pytest.mark.parametrize("block_bytes", [1000, 30_000])
def test_blocks_change_nothing(
    made: dict[str, Path],
    line_bytes: int,
    block_bytes: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Blocks that are cut in a line, some of them, or all at its end."""
    whole = select(tmp_path / "whole", made["text"])
    monkeypatch.setattr(worker, "_LINE_BYTES", line_bytes)
    monkeypatch.setattr(worker, "_BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(text, "_BLOCK_BYTES", block_bytes)
    cut = select(tmp_path / "cut", made["text"])
    assert (cut.sha256, cut.details) == (whole.sha256, whole.details)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "bz2", "gz", "sqlite"])
def test_workers_change_nothing(made: dict[str, Path], form: str, tmp_path: Path) -> None:
    results = []
    for workers in (None, 1, 3):
        record = select(tmp_path / str(workers), made[form], workers=workers)
        results.append((record.sha256, record.details))
    assert results[0] == results[1] == results[2]


@pytest.fixture(scope="module")
def server(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[BadServer]:
    folder = tmp_path_factory.mktemp("served")
    for form, made_in in made.items():
        shutil.copy(sorted(made_in.glob("yfcc*"))[0], folder / form)
    with BadServer(folder) as server:
        yield server


@pytest.mark.parametrize("form", ["text", "bz2", "gz", "sqlite"])
def test_over_http(server: BadServer, form: str, tmp_path: Path) -> None:
    """Cut once in the middle, and the same as from the disk."""
    if form == "sqlite":
        pytest.importorskip("apsw")
    asked: list[int | None] = []

    def fault(name: str, start: int | None) -> Fault | None:
        # Its size, how it begins, how many columns it has; then it is read.
        asked.append(start)
        return Fault(Kind.RESET, after_bytes=3000) if len(asked) == 4 else None

    here = select(tmp_path / "here", server.folder / form)
    server.faults = fault
    there = select(tmp_path / "there", f"{server.url}/{form}")
    assert len(asked) > 4
    assert there.sha256 == here.sha256
    assert there.details == here.details


def test_server_without_the_file(server: BadServer, tmp_path: Path) -> None:
    server.faults = lambda name, start: None
    with pytest.raises(DownloadError, match="404"):
        select(tmp_path, f"{server.url}/other")


def test_several_streams(made: dict[str, Path], tmp_path: Path) -> None:
    """bzip2 files one after the other are one file, as parallel compressors write it."""
    text = (made["text"] / "yfcc100m_dataset").read_bytes()
    half = len(text) // 2
    path = tmp_path / "yfcc100m_dataset.bz2"
    path.write_bytes(bz2.compress(text[:half], 1) + bz2.compress(text[half:], 9))
    record = select(tmp_path / "out", path)
    check(record, made["text"])
    select(tmp_path / "plain", made["text"])
    tables = [ledger_of(tmp_path / name).drop_columns(["source"]) for name in ("out", "plain")]
    assert tables[0] == tables[1]


@pytest.mark.parametrize("form", ["bz2", "gz"])
def test_cut(made: dict[str, Path], form: str, tmp_path: Path) -> None:
    whole = sorted(made[form].glob("yfcc*"))[0]
    cut = tmp_path / whole.name
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 9 // 10])
    record = select(tmp_path / "out", cut)
    assert record.details["noted"]["cut"] == 1
    assert record.details["first"]["cut"].startswith(whole.name)
    assert record.details["read"] == sum(record.details["refused"].values()) + record.came
    with pytest.raises(CurationError, match=f"cut: 1, the first: {whole.name}"):
        select(tmp_path / "strict", cut, strict=True)


def test_cut_sqlite(made: dict[str, Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.sql"
    cut.write_bytes((made["sqlite"] / "yfcc100m_dataset.sql").read_bytes()[:-1024])
    with pytest.raises(CurationError, match=r"is cut: expected .* bytes"):
        select(tmp_path / "out", cut)


def test_damaged_block(made: dict[str, Path], tmp_path: Path) -> None:
    """One block of bzip2 is lost, and what is behind it is read."""
    text = (made["text"] / "yfcc100m_dataset").read_bytes()
    packed = bytearray(bz2.compress(text, 1))
    packed[len(packed) // 2] ^= 0xFF
    (tmp_path / "x.bz2").write_bytes(packed)
    record = select(tmp_path / "out", tmp_path / "x.bz2")
    assert record.details["noted"]["damaged"] == 1
    assert record.details["read"] > 1500
    assert ledger_of(tmp_path / "out")["photo_id"].to_pylist()[-1] is not None


def test_strict(made: dict[str, Path], tmp_path: Path) -> None:
    """Refuses, names where, and leaves everything to a run without it."""
    with pytest.raises(CurationError, match=r"bad-date: 1, the first: yfcc100m_dataset, line \d+"):
        select(tmp_path, made["text"], strict=True)
    assert Ledger(CurationFolder(tmp_path)).record("select") is None
    check(select(tmp_path, made["text"]), made["text"])


def test_done_is_done(made: dict[str, Path], tmp_path: Path) -> None:
    record = select(tmp_path, made["text"])
    before = digests(tmp_path)
    assert select(tmp_path, made["text"]) == record
    assert digests(tmp_path) == before
    with pytest.raises(CurationError, match="was begun with other metadata"):
        select(tmp_path, made["bz2"])
    with pytest.raises(CurationError, match="licenses: it was begun with"):
        select(tmp_path, made["text"], settings=SelectSettings(licenses=("by-sa",), shard_rows=100))


def test_forms_are_not_mixed(made: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(CurationError, match=r"expected text of 25 columns .* found text of 23"):
        select(tmp_path, made["text"], made["old"])
    text = b"\n".join([b"\t" * 24, b"\t" * 22] * 10) + b"\n"
    (tmp_path / "mixed").write_bytes(text)
    with pytest.raises(CurationError, match="10 have 25 columns and 10 have 23"):
        select(tmp_path / "out", tmp_path / "mixed")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "an empty file"), (b"hello\n", "its first row has 1 columns"), (None, "cannot be read")],
)
def test_no_metadata(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "metadata"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CurationError, match=said):
        select(tmp_path / "out", path)
    assert not (tmp_path / "out").exists()
