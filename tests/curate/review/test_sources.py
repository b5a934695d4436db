"""Reviews of all that images come from: folders, tars, lists, tables, PASS archives, runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.archives.removals import add_removals
from pass_dataset.commands.curate.main import main
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.reading import ImageReader
from pass_dataset.curate.review.record import load_record
from pass_dataset.errors import SourceError
from pass_dataset.files.checked_json import save_json
from tests.curate.review.conftest import accept_all, desk_of
from tests.support import passify
from tests.support.collection import Collection, write_tar
from tests.support.curation import small_jpeg

BYTES = {f"image-{number:02}": small_jpeg(number) for number in range(15)}


def folder(path: Path) -> tuple[Path, Mapping[str, bytes]]:
    found = {f"a/{name}.jpg": data for name, data in BYTES.items()}
    return passify.write_files(path / "photographs", found), found


def tar(path: Path) -> tuple[Path, Mapping[str, bytes]]:
    found = {f"{name}.jpg": data for name, data in BYTES.items()}
    write_tar(path / "photographs.tar", found)
    return path / "photographs.tar", found


def listed(path: Path) -> tuple[Path, Mapping[str, bytes]]:
    files, found = folder(path)
    (path / "files.txt").write_text("".join(f"{files.name}/{name}\n" for name in found))
    return path / "files.txt", {f"{files.name}/{name}": data for name, data in found.items()}


def table(path: Path) -> tuple[Path, Mapping[str, bytes]]:
    """Rows that have names."""
    columns = {"hash": list(BYTES), "image": list(BYTES.values())}
    pq.write_table(pa.table(columns), path / "train.parquet", row_group_size=4)
    return path, {f"train.parquet/{name}": data for name, data in BYTES.items()}


def table_without_names(path: Path) -> tuple[Path, Mapping[str, bytes]]:
    pq.write_table(pa.table({"jpg": list(BYTES.values())}), path / "train.parquet")
    numbered = {f"train.parquet/{row}": data for row, data in enumerate(BYTES.values())}
    return path / "train.parquet", numbered


def archives(path: Path) -> tuple[Path, Mapping[str, bytes]]:
    made = Collection(path / "archives", body=small_jpeg)
    made.describe()
    found = {
        f"PASS.{number // 5}.tar/{name}.jpg": small_jpeg(number)
        for number, name in enumerate(made.hashes)
    }
    return made.folder, found


SOURCES = (folder, tar, listed, table, table_without_names, archives)


def begin(source: Path, out: Path, *more: str) -> ReviewFolder:
    """As the command begins a review."""
    assert main(["review", str(source), "--out", str(out), *more, "--status"]) == 1
    return ReviewFolder(out)


def shown(review: ReviewFolder) -> dict[str, bytes]:
    """All images as reviewers see them, by name."""
    with ImageReader(review, load_record(review)) as reader:
        return {
            reader.images.where(row).name: reader.read(row) for row in range(len(reader.images))
        }


def flag(review: ReviewFolder, name: str) -> None:
    """Accepts everything; one image is flagged."""
    with desk_of(review) as desk:
        row = next(row for row in range(15) if desk.images.where(row).name == name)
        desk.mark("anna", "all", (0, 0), row, "person", "")
        assert accept_all(desk, "anna") == 15


@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
def test_from_listing_to_answer(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "source").mkdir()
    source, expected = make(tmp_path / "source")
    release = ("--release", f"{source}.tsv") if make is archives else ()
    review = begin(source, tmp_path / "review", *release)
    assert shown(review) == expected
    name = list(expected)[4]
    flag(review, name)
    command = ["review", str(source), "--out", str(review.path), *release]
    assert main([*command, "--finish"]) == 0
    assert review.kept_path.read_text().split() == [one for one in expected if one != name]
    assert review.flagged_path.read_text() == f"{name}\tperson\t1\n"
    last = name.rpartition("/")[2]
    assert review.removals_path.read_text() == f"{last.removesuffix('.jpg')}\n"
    # Begun with the same, or with nothing said, it is the same; else it is not.
    assert main([*command, "--status"]) == 0
    assert main(["review", str(tmp_path), "--out", str(review.path), "--status"]) == 1


def test_what_is_removed_is_shown_to_nobody(tmp_path: Path) -> None:
    """The answer's list takes images out of archives, also for a review that is open."""
    source, expected = archives(tmp_path)
    review = begin(source, tmp_path / "review", "--release", f"{source}.tsv")
    name = list(expected)[4]
    flag(review, name)
    assert main(["review", str(source), "--out", str(review.path), "--finish"]) == 0
    add_removals(source, review.removals_path.read_text().split())
    with ImageReader(review, load_record(review)) as reader:
        row = next(row for row in range(15) if reader.images.where(row).name == name)
        with pytest.raises(SourceError, match="is on a removal list, and shown to nobody"):
            reader.read(row)
    again = begin(source, tmp_path / "again", "--release", f"{source}.tsv")
    assert {*shown(again)} == {*expected} - {name}


@pytest.mark.slow
def test_run_of_passify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it kept, with its scores: the highest first."""
    files = passify.many(tmp_path / "photographs", 24, shares=(0.05, 0.3))
    results = passify.run(files, tmp_path / "run")
    kept = {path for path, reason in passify.reasons(results).items() if reason is None}
    assert len(kept) == 16
    review = begin(tmp_path / "run", tmp_path / "review")
    assert "0 images of 16 looked at" in capsys.readouterr().out
    assert shown(review) == {name: (files / name).read_bytes() for name in kept}
    with desk_of(review) as desk:
        assert desk.images.scores == ["face_score", "person_score"]
        queue = desk.queue("risk:face_score")
        scores = desk.images.column("face_score")[queue.rows].tolist()
        assert scores == sorted(scores, reverse=True)
        assert scores[0] > 0.2
        assert accept_all(desk, "anna", "risk") == 16
    assert main(["review", str(tmp_path / "run"), "--out", str(review.path), "--finish"]) == 0
    assert {*review.kept_path.read_text().splitlines()} == kept


def test_known_images_are_not_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, _ = folder(tmp_path)
    bad = passify.write_files(tmp_path / "bad", {"x.jpg": small_jpeg(99)})
    review = begin(source, tmp_path / "review")
    command = ["review", str(source), "--out", str(review.path), "--status"]
    capsys.readouterr()
    assert main([*command, "--gold-bad", str(bad)]) == 1
    told = capsys.readouterr().err
    assert f"known bad images: it was begun with none, asked for is {bad}" in told
    # Reviews of earlier versions do not say which they were begun with.
    content = json.loads(review.record_path.read_text())
    del content["gold"], content["after"], content["checksum"]
    save_json(review.record_path, content)
    assert load_record(review).gold is None
    assert main([*command, "--gold-bad", str(bad)]) == 1
    assert "0 images of 15 looked at" in capsys.readouterr().out
