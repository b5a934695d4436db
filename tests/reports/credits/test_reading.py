from __future__ import annotations

import itertools
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from pass_dataset.archives import mini
from pass_dataset.archives.hash_lists import read_hash_list
from pass_dataset.archives.mini.traps import TRAPS
from pass_dataset.errors import FolderError, MetadataError, RecordNotFoundError, ReleaseError
from pass_dataset.progress import Silent, Task, Unit
from pass_dataset.releases.licenses import CC_BY_2
from pass_dataset.releases.release import official_release
from pass_dataset.reports.credits import Credits, read_credits
from tests.reports.credits.hostile import ENCODED
from tests.support.collection import Collection
from tests.support.published import Published, published

__all__ = ["published"]  # the fixture

PAPERBIRD = "75f7305b1fd94044e14bdcdde469dbb2"


def test_real_lines(shared: Path) -> None:
    found = read_credits(shared / "facts" / "metadata_sample.csv", [PAPERBIRD], release="3.0.0")
    (credit,) = found
    assert (credit.hash, credit.creator) == (PAPERBIRD, "PaperBird+Photography%3C3")
    assert credit.name == "PaperBird Photography<3"
    assert credit.license == CC_BY_2
    assert credit.yfcc_row == "1284082"
    assert credit.missing == ("title", "page of the photograph")
    assert credit.file_url == (
        f"https://multimedia-commons.s3-us-west-2.amazonaws.com/data/images/75f/730/{PAPERBIRD}.jpg"
    )
    assert credit.text == (
        "Photograph by PaperBird Photography<3, CC BY 2.0 "
        f"(https://creativecommons.org/licenses/by/2.0/). Image {PAPERBIRD} of PASS 3.0.0 "
        "(https://doi.org/10.5281/zenodo.6615455)."
    )
    assert found.release == official_release("3.0.0")
    assert len(read_credits(shared / "facts" / "metadata_sample.csv").creators()) == 7


def test_nothing_is_claimed_of_other_collections(mixed: Credits) -> None:
    first, second, third, _ = mixed
    assert (first.source.label, first.source.url, first.file_url) == ("mine.csv", None, None)
    assert first.yfcc_row is None
    assert first.license == CC_BY_2
    assert (second.license, second.license_name) == (None, "CC0_1.0 & more")
    assert second.missing[-1] == "address of the licence"
    assert (third.license_name, third.missing[-1]) == (None, "licence")
    assert third.text == f"Photograph by bob, licence not known. Image {'c' * 30} of mine.csv."
    assert mixed.missing() == [
        "title (of all)",
        "page of the photograph (of all)",
        "address of the licence 'CC0_1.0 & more' (of 1)",
        "licence (of 1)",
    ]
    assert [(terms.text, terms.num_images) for terms in mixed.terms()] == [
        ("Attribution License", 2),
        ("CC0_1.0 & more", 1),
        (None, 1),
    ]


def test_release_1_may_have_two_columns_only(tmp_path: Path) -> None:
    path = tmp_path / "pass_metadata.csv"
    path.write_text(f"hash,unickname\n{'1' * 30},striatic\n{'2' * 30},\n")
    first, second = read_credits(path, release="1.0.0")
    assert (first.license, first.yfcc_row) == (CC_BY_2, None)
    assert first.missing == ("title", "page of the photograph")
    assert (second.name, second.missing[-1]) == (None, "creator")
    assert "an unknown photographer" in second.text


def test_awkward_hashes_and_names_of_the_mini_release() -> None:
    found = read_credits(mini.ARCHIVES, TRAPS.values(), release=str(mini.CHECKSUMS))
    names = dict(zip(TRAPS, found, strict=True))
    assert [names[trap].hash for trap in TRAPS] == list(TRAPS.values())
    assert names["creator_na"].name == "NA"
    assert names["creator_null"].name == "null"
    assert names["creator_none"].name == "None"
    assert names["creator_percent"].name == "山の音"
    assert found.source.label == "pass_mini 1.0.0"
    assert not found.source.is_pass


def test_order_and_repeats(hostile_csv: Path) -> None:
    everything = [credit.hash for credit in read_credits(hostile_csv)]
    some = [everything[number] for number in (9, 2, 9, 4, 2)]
    assert [credit.hash for credit in read_credits(hostile_csv, some)] == [
        everything[number] for number in (9, 2, 4)
    ]
    assert list(read_credits(hostile_csv, [])) == []
    # Again and again: nothing is used up.
    found = read_credits(hostile_csv, some)
    assert list(found) == list(found)


def test_by_creator(hostile: Credits, mixed: Credits) -> None:
    groups = list(hostile.by_creator())
    assert [group[0].creator for group in groups] == [*hostile.creators(), None]
    assert sorted(hostile.creators()) == sorted(ENCODED)
    sizes = {group[0].creator: len(group) for group in groups}
    assert sizes == {
        **{name: place % 4 + 1 for place, name in enumerate(ENCODED)},
        None: 2,
    }
    assert {credit.hash for group in groups for credit in group} == {c.hash for c in hostile}
    for group in groups:
        assert [credit.hash for credit in group] == sorted(credit.hash for credit in group)
    # One licence at a time.
    assert [
        (group[0].creator, group[0].license_text, [credit.hash[0] for credit in group])
        for group in mixed.by_creator()
    ] == [
        ("ann", "Attribution License", ["0", "a"]),
        ("ann", "CC0_1.0 & more", ["b"]),
        ("bob", None, ["c"]),
    ]


def test_progress_counts_images(hostile: Credits) -> None:
    class Counting(Silent):
        def __init__(self) -> None:
            self.totals: list[int | None] = []
            self.done = self.finished = 0

        def task(self, description: str, total: int | None, unit: Unit, done: int = 0) -> Task:
            self.totals.append(total)
            return self

        def advance(self, amount: int) -> None:
            self.done += amount

        def describe(self, description: str) -> None:
            pass

        def finish(self) -> None:
            self.finished += 1

    progress = Counting()
    counted = replace(hostile, progress=progress)
    assert counted.first() == hostile.first()
    assert progress.totals == []
    assert sum(map(len, counted.by_creator())) == 73
    assert (progress.totals, progress.done, progress.finished) == ([73], 73, 1)
    assert replace(hostile, table=hostile.table.slice(0, 0)).first() is None


def test_unknown_hashes(hostile_csv: Path) -> None:
    known = next(iter(read_credits(hostile_csv))).hash
    others = [f"{digit}" * 28 for digit in range(7)]
    with pytest.raises(RecordNotFoundError) as caught:
        read_credits(hostile_csv, [known, *others])
    message = str(caught.value)
    assert f"{hostile_csv}: 7 of the 8 hashes are not in the metadata of hostile.csv" in message
    assert f"{others[0]}, {others[1]}, " in message
    assert others[6] not in message
    assert "--skip-unknown" in message
    found = read_credits(hostile_csv, [*others, known], skip_unknown=True)
    assert [credit.hash for credit in found] == [known]
    assert found.unknown == tuple(others)


def test_one_text_is_no_list(hostile_csv: Path) -> None:
    with pytest.raises(TypeError, match="list"):
        read_credits(hostile_csv, "ffd3eb12a16cb83138f26e6f36dec967")


def test_lists_of_passify(collection: Collection, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("".join(f"PASS.1.tar/{collection.hashes[n]}.jpg\n" for n in (7, 5)))
    found = read_credits(collection.folder, read_hash_list(kept), release=str(collection.tsv))
    assert [credit.hash for credit in found] == [collection.hashes[7], collection.hashes[5]]
    assert found.source.label == "pass 1.0.0"


def test_places(collection: Collection, published: Published, tmp_path: Path) -> None:
    # A CSV of a published release is told by its bytes; a changed one is not.
    path = published.csvs["2.0.0"] / "pass_metadata.csv"
    assert read_credits(path).source.label == "PASS 2.0.0"
    assert read_credits(path).source.url == "https://doi.org/10.5281/zenodo.555002"
    changed = tmp_path / "changed.csv"
    changed.write_bytes(path.read_bytes().replace(b"renamed", b"renamad"))
    assert read_credits(changed).source.label == "changed.csv"
    # Sub-folders named like the version, as one keeps several releases.
    found = read_credits(tmp_path / "csv", release="3.0.0")
    assert (found.source.label, len(found)) == ("PASS 3.0.0", 5)
    # A folder without a CSV, without a release, none at all.
    collection.csv.unlink()
    with pytest.raises(FolderError, match="is missing; pass-dataset download"):
        read_credits(collection.folder, release=str(collection.tsv))
    with pytest.raises(FolderError, match="cannot tell which release"):
        read_credits(tmp_path / "csv" / "1.0.0")
    with pytest.raises(MetadataError, match=r"nothing\.csv.*No such file"):
        read_credits(tmp_path / "nothing.csv")
    with pytest.raises(ReleaseError, match=r"4\.0\.0"):
        read_credits(path, release="4.0.0")


def test_is_lazy(tmp_path: Path) -> None:
    """A hundred thousand credits are not all there at once."""
    path = tmp_path / "many.csv"
    with path.open("w") as file:
        file.write(",unickname,licensename,hash\n")
        for number in range(100_000):
            file.write(f"{number},user{number % 999},Attribution License,{number:030d}\n")
    found = read_credits(path)
    tracemalloc.start()
    count = sum(1 for _ in found)
    first = next(found.by_creator())
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 100_000
    assert len(first) in (100, 101)
    assert peak_bytes < 20e6  # a list of them takes more than twice that
    assert len(list(itertools.islice(found, 3))) == 3


def test_removed_images_are_credited_no_more(
    hostile_csv: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = [credit.hash for credit in read_credits(hostile_csv)]
    gone, left = before[0], before[1]
    (hostile_csv.parent / "pass_removals.txt").write_text(f"{gone}\n")
    assert [credit.hash for credit in read_credits(hostile_csv)] == before[1:]
    assert "leaving out 1 of" in caplog.text
    asked = read_credits(hostile_csv, [left, gone])
    assert [credit.hash for credit in asked] == [left]
    assert asked.unknown == ()
