from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.archives.metadata_files import MetadataFile, csv_file
from pass_dataset.errors import MetadataError
from pass_dataset.releases.release import official_release
from pass_dataset.reports.diff.comparison import compare_metadata
from tests.support.published import HASHES, Published, published

__all__ = ["published"]  # the fixture


def of(published: Published, version: str) -> MetadataFile:
    return csv_file(published.csvs[version] / "pass_metadata.csv")


def test_releases(published: Published) -> None:
    diff = compare_metadata(of(published, "1.0.0"), of(published, "2.0.0"))
    assert diff.removed.to_pylist() == sorted(HASHES[:2])
    assert diff.added.to_pylist() == []
    assert (diff.old_images, diff.new_images, diff.unchanged) == (8, 6, 6)
    assert diff.old_columns == ()
    assert diff.new_columns == ("datetaken", "latitude", "longitude")
    assert diff.changed == {"": 0, "unickname": 1, "licensename": 0}
    assert diff.surprises == []
    back = compare_metadata(of(published, "2.0.0"), of(published, "1.0.0"))
    assert back.added.to_pylist() == sorted(HASHES[:2])
    assert back.surprises == []
    same = compare_metadata(of(published, "3.0.0"), of(published, "3.0.0"))
    assert (len(same.removed), len(same.added), same.unchanged) == (0, 0, 5)
    assert set(same.changed.values()) == {0}


def test_published_counts() -> None:
    """What the commands compare with: as the version history of PASS says."""
    counts = [official_release(version).num_examples for version in ("1.0.0", "2.0.0", "3.0.0")]
    assert counts == [1_440_191, 1_440_191 - 472, 1_440_191 - 472 - 131]


def test_other_counts_are_told(published: Published) -> None:
    published.publish("2.0.0", [",unickname,hash", f"1,a,{HASHES[3]}", f"2,b,{'e' * 30}"], 6)
    diff = compare_metadata(of(published, "1.0.0"), of(published, "2.0.0"))
    assert diff.added.to_pylist() == ["e" * 30]
    path = published.csvs["2.0.0"] / "pass_metadata.csv"
    assert diff.surprises == [
        f"PASS 2.0.0 has 6 images; found 2 in {path}",
        "from PASS 1.0.0 to PASS 2.0.0, 2 images were removed and none added; found 7 removed "
        "and 1 added",
    ]


def test_missing_values_are_values(tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("hash,unickname,x,y\n1e5,a,,1\n2,NA,b,\n3,null,c,0\n4,d,d,\n")
    new.write_text("y,hash,unickname\n,4,d\n0.0,3,null\n,2,\n,1e5,a\n")
    diff = compare_metadata(csv_file(old), csv_file(new))
    # "NA" became empty; 1 became empty; 0 is not 0.0, as text.
    assert diff.changed == {"unickname": 1, "y": 2}
    assert diff.old_columns == ("x",)
    assert diff.unchanged == 4


def test_hashes_stay_text_and_count_once(tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("hash,unickname\n1e5,a\n100000,b\n1e5,again\n")
    new.write_text("hash,unickname\n100000,b\n")
    diff = compare_metadata(csv_file(old), csv_file(new))
    assert diff.removed.to_pylist() == ["1e5"]
    assert (diff.old_images, diff.unchanged) == (2, 1)


def test_nothing_in_common(tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("hash,unickname\n1,a\n")
    new.write_text("hash,unickname\n2,a\n")
    diff = compare_metadata(csv_file(old), csv_file(new))
    assert (diff.removed.to_pylist(), diff.added.to_pylist()) == (["1"], ["2"])
    assert diff.changed == {"unickname": 0}
    new.write_text("hash,unickname\n")
    assert compare_metadata(csv_file(old), csv_file(new)).removed.to_pylist() == ["1"]


def test_what_is_no_metadata(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(MetadataError, match=r"other\.csv.*'hash' and 'unickname' is missing"):
        compare_metadata(csv_file(path), csv_file(path))
