"""Verdicts by folder: counted right, ranked by what is certain, bounded."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pass_dataset.passify.report.folder_shares import GROUPS, FolderShares, group_of


def shares(rows: dict[str, str | None], **settings: int) -> FolderShares:
    made = FolderShares(**settings)
    groups = np.array([GROUPS.index(group_of(reason)) for reason in rows.values()])
    made.add(pa.array(list(rows)), groups)
    return made


def test_counts() -> None:
    made = shares(
        {
            "top.jpg": None,
            "a/1.jpg": "face",
            "a/2.jpg": None,
            "a/b/3.jpg": "person",
            "a/b/4.jpg": "truncated",
            "a/b/5.jpg": "excluded",
            "/absolute/6.jpg": None,
        }
    )
    made.add(pa.array(["a/7.jpg"]), np.array([GROUPS.index("kept")]))
    found = {row.folder: dict(row.counts) for row in made.largest(10)}
    assert found == {
        "": {"kept": 1, "face": 0, "person": 0, "other": 0},
        "a": {"kept": 2, "face": 1, "person": 0, "other": 0},
        "a/b": {"kept": 0, "face": 0, "person": 1, "other": 2},
        "/absolute": {"kept": 1, "face": 0, "person": 0, "other": 0},
    }
    assert [row.folder for row in made.largest(2)] == ["a", "a/b"]


def test_names_that_are_escaped_stay_in_their_folder() -> None:
    made = shares({"a/plain.jpg": None, "\\a/caf\\xe9.jpg": None, "\\caf\\xe9/x.jpg": "face"})
    assert {row.folder: row.images for row in made.largest(9)} == {"a": 2, "\\caf\\xe9": 1}


def test_ranked_by_what_is_certain() -> None:
    rows: dict[str, str | None] = {f"few/{n}.jpg": "face" for n in range(2)}
    rows |= {f"many/{n}.jpg": "person" if n < 70 else None for n in range(100)}
    rows |= {f"none/{n}.jpg": None for n in range(500)}
    assert [row.folder for row in shares(rows).most_flagged(5)] == ["many", "few"]


def test_bounded() -> None:
    """A folder for each image: siblings are counted together."""
    rows: dict[str, str | None] = {f"{n % 7}/{n}/x/y.jpg": "face" for n in range(1000)}
    made = shares(rows, max_folders=50)
    assert len(made) == 7
    assert made.depth == 1
    assert sum(row.images for row in made.largest(99)) == 1000
    flat = shares({f"{n}/y.jpg": None for n in range(1000)}, max_folders=50)
    assert [(row.folder, row.images) for row in flat.largest(99)] == [("", 1000)]
