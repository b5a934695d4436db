"""Which images of PASS are in COCO, from the two lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pass_dataset.commands.main import main
from pass_dataset.curate.select.law import address_hash

ADDRESS = "http://farm{}.staticflickr.com/7205/{}_df7747990d{}.jpg"
SHARED = (6985418911, 6985418912)


@pytest.fixture
def lists(tmp_path: Path) -> tuple[Path, Path]:
    """A CSV of PASS with five images, and annotations with three, of which two are the same."""
    known = [ADDRESS.format(8, number, "") for number in (*SHARED, 10001, 10002, 10003)]
    rows = [
        f"{row},somebody,Attribution License,{address_hash(one)}" for row, one in enumerate(known)
    ]
    csv = tmp_path / "pass_metadata.csv"
    csv.write_text("\n".join([",unickname,licensename,hash", *rows]) + "\n")
    images = [
        {"file_name": f"{number}.jpg", "flickr_url": ADDRESS.format(8, number, "_z")}
        for number in (*SHARED, 20001)
    ]
    coco = tmp_path / "instances.json"
    coco.write_text(json.dumps({"annotations": [], "images": images}))
    return csv, coco


def test_the_images_are_listed(
    lists: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    csv, coco = lists
    out = csv.parent / "overlap.txt"
    assert main(["overlap", str(csv), "--coco", str(coco), "--out", str(out)]) == 0
    assert "2 images of 5 of pass_metadata.csv are in coco (3 images)" in capsys.readouterr().out
    expected = sorted((address_hash(ADDRESS.format(8, n, "")), f"{n}.jpg") for n in SHARED)
    found = [tuple(line.split("\t")) for line in out.read_text().splitlines()]
    assert found == expected
    assert main(["overlap", str(csv), "--coco", str(coco), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert all(row["path"] == f"{row['photo_id']}.jpg" for row in said["shared"])
    assert (said["images"], said["known"]) == (5, 3)


def test_removed_images_are_not_listed(lists: tuple[Path, Path]) -> None:
    csv, coco = lists
    gone = address_hash(ADDRESS.format(8, SHARED[0], ""))
    (csv.parent / "pass_removals.txt").write_text(f"{gone}\n")
    out = csv.parent / "overlap.txt"
    assert main(["overlap", str(csv), "--coco", str(coco), "--out", str(out)]) == 0
    assert [line.split("\t")[1] for line in out.read_text().splitlines()] == [f"{SHARED[1]}.jpg"]


def test_no_lists(lists: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    csv, _ = lists
    assert main(["overlap", str(csv), "--coco", str(csv)]) == 1
    assert "expected COCO's annotations" in capsys.readouterr().err
    assert main(["overlap", str(csv.parent / "none"), "--coco", str(csv)]) == 1
