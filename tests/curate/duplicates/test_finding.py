"""Duplicates of all tiers, from several sources, and which of them stay."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pass_dataset.commands.curate.main import main
from pass_dataset.curate.duplicates.fingerprints import fingerprint
from pass_dataset.curate.duplicates.hash_work import DECODER_DIED
from pass_dataset.curate.duplicates.identity import Identity, of_address, of_name
from pass_dataset.curate.duplicates.index_file import load_index
from pass_dataset.errors import CurationError
from pass_dataset.images.decoding import decode

ADDRESS = "http://farm8.staticflickr.com/7205/6985418911_df7747990d.jpg"
HASH = "4e2f7a26a1dfbf165a7e30bdabf7e72a"


def found(out: Path) -> dict[frozenset[str], tuple[str, int | None]]:
    rows = pq.read_table(out / "pairs.parquet").to_pylist()
    return {
        frozenset(Path(row[name]).name for name in ("path", "other_path")): (
            row["tier"],
            row["distance"],
        )
        for row in rows
    }


def run(*arguments: object) -> int:
    return main(["duplicates", *map(str, arguments), "--workers", "1"])


def lines(path: Path) -> set[str]:
    return set(path.read_text().splitlines())


@pytest.fixture(scope="module")
def out(collection: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("found") / "out"
    assert run(collection / "a", collection / "b.tar", "--out", out, "--no-report") == 0
    return out


def test_pairs_of_all_tiers(out: Path) -> None:
    pairs = found(out)
    assert {pair: tier for pair, (tier, _) in pairs.items()} == {
        frozenset({"0.jpg", "0-same.jpg"}): "bytes",
        frozenset({"1.jpg", "1-pixels.png"}): "pixels",
        frozenset({"2.jpg", "2-near.jpg"}): "near",
        frozenset({"3.jpg", "3-large.jpg"}): "near",
        frozenset({"4.jpg", "4-near.jpg"}): "near",
    }
    assert all((away is None) == (tier != "near") for tier, away in pairs.values())


def test_which_stay(out: Path) -> None:
    """Most pixels, then most bytes, then the first; broken images are told, and not matched."""
    dropped = lines(out / "dropped.txt")
    # A PNG of the same pixels has more bytes than the JPEG.
    assert {"a/3.jpg", "a/1.jpg", "a/2-near.jpg"} <= dropped
    assert len(dropped) == 5
    assert lines(out / "broken.txt") == {
        *("a/broken-1.jpg", "a/broken-2.jpg", "a/one-colour-1.jpg", "a/one-colour-2.jpg")
    }
    kept = lines(out / "kept.txt")
    assert len(kept) == 10
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["images"], summary["kept"], summary["broken"]) == (19, 14, 4)
    assert summary["causes"] == {"duplicate-within": 5}
    groups = pq.read_table(out / "groups.parquet").to_pylist()
    assert sum(row["cause"] is None for row in groups) == 5
    assert {row["other_path"] for row in groups if row["cause"]} <= {
        row["path"] for row in groups if row["cause"] is None
    }


def test_the_first_stays(collection: Path, out: Path) -> None:
    assert run(collection / "a", collection / "b.tar", "--out", out, "--no-report",
               "--keep", "first") == 0  # fmt: skip
    # In order of their paths: 0-same comes before 0.
    assert lines(out / "dropped.txt") == {
        *("a/0.jpg", "a/1.jpg", "a/2.jpg", "a/3.jpg", "b.tar/x/4-near.jpg")
    }


def test_only_what_is_new_is_hashed(
    collection: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grown = tmp_path / "grown"
    shutil.copytree(collection / "a", grown)
    results = tmp_path / "results"
    assert run(grown, "--out", results, "--no-report") == 0
    before = {path: path.read_bytes() for path in (results / "hashes").glob("*.parquet")}
    shutil.copy(grown / "5.jpg", grown / "new.jpg")
    # Another content under the same name is new as well.
    shutil.copy(grown / "6.jpg", grown / "7.jpg")
    assert run(grown, "--out", results, "--no-report") == 0
    parts = [path for path in (results / "hashes").glob("*.parquet") if path not in before]
    assert [pq.read_metadata(part).num_rows for part in parts] == [2]
    assert all(path.read_bytes() == data for path, data in before.items())
    assert found(results)[frozenset({"5.jpg", "new.jpg"})] == ("bytes", None)
    assert found(results)[frozenset({"6.jpg", "7.jpg"})] == ("bytes", None)


def test_as_published(collection: Path, out: Path) -> None:
    """What was hashed serves all rules."""
    sources = (collection / "a", collection / "b.tar")
    assert run(*sources, "--out", out, "--no-report", "--as-published") == 0
    assert found(out) == {
        frozenset({"0.jpg", "0-same.jpg"}): ("grid", None),
        frozenset({"1.jpg", "1-pixels.png"}): ("grid", None),
    }
    assert run(*sources, "--out", out, "--no-report") == 0
    assert len(found(out)) == 5


def test_all_pairs_of_the_papers_tool_are_found(collection: Path, out: Path) -> None:
    """With ``--check-all-pixels`` it takes for identical what has the same size and pixels."""
    files = sorted((collection / "a").iterdir())
    pixels = {file.name: decode(file.read_bytes()) for file in files}
    sound = {name: one.pixels for name, one in pixels.items() if one.is_ok}
    identical = {
        frozenset({left, right})
        for left in sound
        for right in sound
        if left < right
        and sound[left].shape == sound[right].shape
        and (sound[left] == sound[right]).all()
    }
    assert len(identical) == 2
    assert identical <= set(found(out))


def test_an_index_stands_for_the_images(collection: Path, tmp_path: Path) -> None:
    index = tmp_path / "b.hashes"
    assert main(["hash", str(collection / "b.tar"), "--out", str(index), "--workers", "1"]) == 0
    assert load_index(index).name == "b"
    assert load_index(index).images.num_rows == 3
    out = tmp_path / "out"
    assert run(collection / "a", "--out", out, "--against", index) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert summary["causes"] == {"duplicate-within": 4, "duplicate-of:b": 1}
    groups = pq.read_table(out / "groups.parquet").to_pylist()
    (row,) = [row for row in groups if row["cause"] == "duplicate-of:b"]
    assert (row["path"], row["other_source"], row["other_path"]) == ("4.jpg", "b", "x/4-near.jpg")
    # Without names, rows tell.
    arguments = ["hash", str(collection / "b.tar"), "--out", str(index)]
    assert main([*arguments, "--without-names", "--name", "c"]) == 0
    assert load_index(index).name == "c"
    assert load_index(index).images["path"].to_pylist() == ["0", "1", "2"]


def test_no_index(tmp_path: Path, collection: Path) -> None:
    with pytest.raises(CurationError, match="is not there; pass-curate hash"):
        load_index(tmp_path / "none.hashes")
    other = tmp_path / "other.hashes"
    other.write_text("not Parquet")
    with pytest.raises(CurationError, match="expected an index of hashes, found something else"):
        load_index(other)
    with pytest.raises(CurationError, match="expected an index of hashes"):
        load_index(collection / "a" / "0.jpg")


def test_coco_by_its_annotations(
    tmp_path: Path, collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = tmp_path / "images"
    images.mkdir()
    shutil.copy(collection / "a" / "5.jpg", images / f"{HASH}.jpg")
    shutil.copy(collection / "a" / "6.jpg", images / "8119368305_4e622c8349_b.jpg")
    shutil.copy(collection / "a" / "7.jpg", images / "another.jpg")
    content = {
        "info": {"description": '"images": []'},
        "images": [
            {"file_name": "1.jpg", "flickr_url": ADDRESS.replace(".jpg", "_z.jpg")},
            {"file_name": "2.jpg",
             "flickr_url": "http://farm9.staticflickr.com/8186/8119368305_4e622c8349_z.jpg"},
            {"file_name": "3.jpg", "flickr_url": "http://farm1.staticflickr.com/1/1_0123456789.jpg"},
        ],
        "annotations": [{"id": 1}],
    }  # fmt: skip
    coco = tmp_path / "instances.json"
    coco.write_text(json.dumps(content))
    out = tmp_path / "out"
    assert run(images, "--out", out, "--coco", coco) == 0
    assert "duplicate-of:coco 2" in capsys.readouterr().out
    assert lines(out / "kept.txt") == {"another.jpg"}
    assert "of this set no image is here" in (out / "report.html").read_text()
    coco.write_text("{}")
    assert run(images, "--out", out, "--coco", coco) == 1
    assert "expected COCO's annotations" in capsys.readouterr().err


def test_identities() -> None:
    assert of_address(ADDRESS) == Identity("6985418911", HASH)
    assert of_address(ADDRESS.replace("http:", "https:").replace(".jpg", "_z.jpg"))[1] == HASH
    assert of_address("http://example.org/a.jpg").photo_id is None
    assert of_name(f"PASS_dataset/3/{HASH}.jpg") == Identity(None, HASH)
    assert of_name("x/6985418911_df7747990d_z.jpg") == Identity("6985418911", None)
    for name in ("0.jpg", "000000000139.jpg", "0" * 28 + ".jpg", "chelsea.png", ""):
        assert of_name(name) == Identity(None, None)


@pytest.mark.slow
def test_an_image_that_ends_the_process_is_told(
    collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was at is left out, and the others of its part are hashed."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, pass_dataset.images.decoding as decoding\n"
        "decode = decoding.decode\n"
        "def dying(data, **settings):\n"
        "    os.abort() if len(data) == SIZE else None\n"
        "    return decode(data, **settings)\n"
        "decoding.decode = dying\n".replace(
            "SIZE", str((collection / "a" / "5.jpg").stat().st_size)
        )
    )
    paths = [str(tmp_path), str(Path(__file__).resolve().parents[3])]
    monkeypatch.setenv("PYTHONPATH", ":".join(paths))
    out = tmp_path / "out"
    assert run(collection / "a", "--out", out, "--no-report") == 0
    assert "5.jpg" in lines(out / "broken.txt")
    rows = pq.read_table(out / "images.parquet").to_pylist()
    assert [row["path"] for row in rows if row["broken"] == DECODER_DIED] == ["5.jpg"]
    assert len(found(out)) == 4


def test_several_sources_need_a_folder(
    collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(collection / "a", collection / "b.tar")
    assert ended.value.code == 2
    assert run(collection / "a") == 1
    assert "expected the folder of a curation" in capsys.readouterr().err
    assert run(collection / "a", "--out", collection / "out", "--keep", "best") == 1
    assert "keep: expected" in capsys.readouterr().err


def test_fingerprints_of_broken_files() -> None:
    assert fingerprint(b"").broken == "empty"
    assert fingerprint(b"<html>").broken == "not-an-image"
