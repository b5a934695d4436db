"""Candidates of one's own: any CSV, TSV or Parquet, columns found by name or named."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.select import SelectSettings
from pass_dataset.curate.select.law import address_hash, text_hash
from pass_dataset.errors import CurationError
from tests.curate.select.made import select
from tests.support.bad_server import BadServer

CSV = """\
file,creator,licence,title,date,lat,lon,page
a/1.jpg,Ada & Co,CC BY 4.0,"Two
lines, one title",2020-02-29,48.2,16.4,https://example.org/p/1
a/2.png,山の音,https://creativecommons.org/licenses/by/3.0/deed.de,,2020:02:03 04:05:06,,,
http://example.org/3.jpg,NA,CC-BY-SA-4.0,x,,,,
a/4.jpg,,mine,x,,,,
a/5.jpg,x,by,x,yesterday,,,
a/6.jpg,x,by,x,,91,0,
a/7.jpg,x,by
a/8.jpg,x,by,x,,,,,,
https://example.org/9.jpg,x,by,x,,,,
,x,by,x,,,,
a/1b.jpg,x,by,x,,,,https://example.org/p/1
"""


def rows_of(out: Path) -> list[dict[str, Any]]:
    ledger = Ledger(CurationFolder(out))
    return [row for shard in range(ledger.shards()) for row in ledger.everyone(shard).to_pylist()]


def write(folder: Path, text: str = CSV, name: str = "mine.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    data = text.encode("utf-8", "surrogateescape")
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["mine.csv", "mine.csv.gz", "mine.tsv"])
def test_rows(tmp_path: Path, name: str) -> None:
    text = CSV if ".csv" in name else CSV.replace(",", "\t").replace("\tone", ",one")
    text = text.replace("lines\t one", "lines, one")
    record = select(tmp_path / "out", write(tmp_path / "in", text, name))
    assert record.details["read"] == 11
    causes = ("bad-address", "bad-date", "bad-position", "license", "too-few-columns")
    causes = (*causes, "too-many-columns", "unknown-license")
    assert record.details["refused"] == dict.fromkeys(causes, 1)
    assert record.details["first"]["bad-date"] == f"{name}, line 7"
    assert record.causes == {"duplicate-hash": 1}
    one, two, nine, again = rows_of(tmp_path / "out")
    assert one["path"] == str(tmp_path / "in" / "a" / "1.jpg")
    assert (one["download_url"], one["line"], one["source"]) == (None, 2, name)
    assert (one["unickname"], one["title"]) == ("Ada+%26+Co", "Two%0Alines%2C+one+title")
    assert (one["datetaken"], one["latitude"]) == ("2020-02-29 00:00:00.0", 48.2)
    assert (one["hash"], one["extension"]) == (text_hash("https://example.org/p/1"), "jpg")
    assert (one["license_name"], one["license_url"]) == ("CC BY 4.0", None)
    assert two["hash"] == text_hash("a/2.png")
    assert two["datetaken"] == "2020-02-03 04:05:06.0"
    assert two["license_url"].startswith("https://creativecommons.org/licenses/by/3.0")
    assert (nine["download_url"], nine["path"]) == ("https://example.org/9.jpg", None)
    assert nine["hash"] == address_hash("http://example.org/9.jpg")
    assert (again["hash"], again["cause"]) == (one["hash"], "duplicate-hash")


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": [7, 8, None],
            "url": ["https://example.org/7.jpg", "https://example.org/8.jpg", None],
            "license": ["by", None, "by"],
        }
    )
    pq.write_table(table, tmp_path / "mine.parquet")
    record = select(tmp_path / "out", tmp_path / "mine.parquet")
    assert record.details["refused"] == {"bad-address": 1, "unknown-license": 1}
    (row,) = rows_of(tmp_path / "out")
    assert (row["photo_id"], row["line"]) == ("7", 1)


def test_over_http(tmp_path: Path) -> None:
    """Relative addresses are those of the table's folder, as in a page."""
    write(tmp_path / "in", "path,license\nimages/1.jpg,by\n")
    with BadServer(tmp_path / "in") as server:
        select(tmp_path / "out", f"{server.url}/mine.csv")
        (row,) = rows_of(tmp_path / "out")
        assert row["download_url"] == f"{server.url}/images/1.jpg"


def test_named_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "in", "Bild,wer,Lizenz,unickname\n1.jpg,Ada%2BCo,MINE,no\n")
    settings = SelectSettings(
        licenses=("MINE",),
        columns={"path": "bild", "unickname": "wer", "license_name": "Lizenz"},
        is_encoded=True,
    )
    select(tmp_path / "out", path, settings=settings)
    (row,) = rows_of(tmp_path / "out")
    assert (row["unickname"], row["license_name"]) == ("Ada%2BCo", "MINE")


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("name,license\nx,by\n", {}, "expected a column of addresses or paths"),
        ("path\nx\n", {}, r"expected a column of licences; found path.*--license any"),
        ("path,license\nx,by\n", {"title": "Titel"}, "expected a column 'Titel' for title"),
        ("path,license\nx,by\n", {"colour": "x"}, "'colour' is no column of the ledger"),
        ("path,license\nx,by-nc\n", {}, r"of 1 rows of metadata none was selected \(license 1\)"),
        ('path,license\n"x,by\n', {}, "none was selected"),
    ],
)
def test_refused(tmp_path: Path, text: str, columns: dict[str, str], said: str) -> None:
    with pytest.raises(CurationError, match=said):
        select(tmp_path / "out", write(tmp_path, text), settings=SelectSettings(columns=columns))


def test_any_license(tmp_path: Path) -> None:
    path = write(tmp_path, "path\nx.jpg\ncaf\udce9.jpg\n\0.jpg\n")
    record = select(tmp_path / "out", path, settings=SelectSettings(licenses=()))
    assert record.came == 1
    assert record.details["refused"] == {"no-utf8": 1, "nul-byte": 1}
