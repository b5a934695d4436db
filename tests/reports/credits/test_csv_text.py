from __future__ import annotations

import csv
import io

from pass_dataset.reports.credits import Credits
from pass_dataset.reports.credits.csv_text import COLUMNS, csv_pieces
from tests.reports.credits.hostile import ENCODED, NAMES, NO_NAMES


def rows_of(credits_: Credits) -> list[dict[str, str]]:
    text = "".join(csv_pieces(credits_))
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_names_are_as_people_read_them(hostile: Credits) -> None:
    rows = rows_of(hostile)
    assert len(rows) == len(hostile)
    assert {row["creator"] for row in rows} == {*NAMES, *NO_NAMES, ""}
    assert {row["unickname"] for row in rows} == {*ENCODED, ""}
    for row, credit in zip(rows, hostile, strict=True):
        assert tuple(row) == COLUMNS
        assert (row["hash"], row["creator"]) == (credit.hash, credit.name or "")


def test_each_row_is_complete(hostile: Credits, mixed: Credits) -> None:
    rows = {row["hash"]: row for row in rows_of(hostile)}
    known, unknown = (
        rows[next(credit.hash for credit in hostile if (credit.creator is None) is nameless)]
        for nameless in (False, True)
    )
    assert known["license"] == "CC BY 2.0"
    assert known["license_url"] == "https://creativecommons.org/licenses/by/2.0/"
    assert known["collection"] == "PASS 3.0.0"
    assert known["collection_url"] == "https://doi.org/10.5281/zenodo.6615455"
    assert known["file_url"].endswith(
        f"/{known['hash'][:3]}/{known['hash'][3:6]}/{known['hash']}.jpg"
    )
    assert known["yfcc100m_row"].isdecimal()
    assert known["missing"] == "title; page of the photograph"
    assert unknown["missing"] == "title; page of the photograph; creator"
    own = rows_of(mixed)[1]
    assert (own["license"], own["license_url"]) == ("CC0_1.0 & more", "")
    assert (own["file_url"], own["yfcc100m_row"], own["collection_url"]) == ("", "", "")


def test_in_pieces(hostile: Credits) -> None:
    whole = "".join(csv_pieces(hostile))
    assert whole.startswith("hash,creator,")
    assert whole.endswith("\n")
    assert "\r" not in whole
    empty = Credits(hostile.table.slice(0, 0), hostile.source, hostile.release)
    assert "".join(csv_pieces(empty)) == ",".join(COLUMNS) + "\n"
