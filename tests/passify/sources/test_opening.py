from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.errors import SourceError
from pass_dataset.passify.sources.opening import SourceSettings, kind_of, open_source
from pass_dataset.passify.sources.source import ListingReport, Source, SourceItem
from tests.support.collection import Collection
from tests.support.passify import picture, reasons, rows, run


def write_tar(path: Path, members: dict[str, bytes], tar_format: int = tarfile.GNU_FORMAT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tar_format) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def opened(path: Path, **settings: object) -> Source:
    from dataclasses import replace

    return open_source(replace(SourceSettings.of(path), **settings).resolved())


def contents(source: Source, report: ListingReport | None = None) -> dict[str, bytes]:
    report = report or ListingReport()
    items = list(source.items(report))
    reader = source.reader(report.files)
    try:
        found = {item.path: reader.read(item) for item in items}
        # Backwards and at random too.
        for item in [*reversed(items), *items[::3]]:
            assert reader.read(item) == found[item.path]
    finally:
        reader.close()
    assert len(found) == len(items)
    return found


# --- tars -----------------------------------------------------------------------------------------


def test_webdataset_shards(tmp_path: Path) -> None:
    for shard in range(3):
        members = {}
        for number in range(4):
            members[f"{shard}{number}.jpg"] = b"image %d %d" % (shard, number)
            members[f"{shard}{number}.json"] = b"{}"
        write_tar(tmp_path / "train" / f"shard-{shard}.tar", members)
    assert kind_of(os.fsencode(tmp_path)) == "tar"
    report = ListingReport()
    found = contents(opened(tmp_path), report)
    assert list(found)[:2] == ["train/shard-0.tar/00.jpg", "train/shard-0.tar/01.jpg"]
    assert found["train/shard-2.tar/23.jpg"] == b"image 2 3"
    assert report.left_out == {".json": 12}


def test_single_tar_with_odd_names(tmp_path: Path) -> None:
    long = "folder/" * 30 + "long.jpg"
    members = {
        "a b.jpg": b"1",
        "new\nline.jpg": b"2",
        os.fsdecode(b"caf\xe9.jpg"): b"3",
        long: b"4",
    }
    write_tar(tmp_path / "it's.tar", members)
    found = contents(opened(tmp_path / "it's.tar"))
    assert found == {"a b.jpg": b"1", "\\new\\nline.jpg": b"2", "\\caf\\xe9.jpg": b"3", long: b"4"}


def test_broken_tar_does_not_stop_the_others(tmp_path: Path) -> None:
    for name in "abc":
        write_tar(tmp_path / f"{name}.tar", {f"{n}.jpg": b"x" * 2000 for n in range(4)})
    data = (tmp_path / "b.tar").read_bytes()
    (tmp_path / "b.tar").write_bytes(data[:6000])
    report = ListingReport()
    found = contents(opened(tmp_path), report)
    assert [path[:5] for path in found] == ["a.tar"] * 4 + ["b.tar"] * 2 + ["c.tar"] * 4
    assert report.num_unreadable == 1
    assert "truncated or damaged" in report.unreadable[0]


def test_tar_cut_after_it_was_listed(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"1.jpg": b"x" * 20_000})
    source = opened(tmp_path / "a.tar")
    (item,) = source.items(ListingReport())
    (tmp_path / "a.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:5000])
    from pass_dataset.errors import ArchiveError

    with pytest.raises(ArchiveError, match="was cut after it was indexed"):
        source.reader({}).read(item)


def test_member_that_claims_terabytes_is_one_row(tmp_path: Path) -> None:
    """In a sparse file it is even there."""
    claim = 3 << 40
    with (tmp_path / "a.tar").open("wb") as file:
        for name, data in (("a.png", picture(seed=1)), ("b.png", picture(seed=2))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.write(info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512))
        info = tarfile.TarInfo("huge.png")
        info.size = claim
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        try:
            file.truncate(file.tell() + claim + 1024)
        except OSError:
            pytest.skip("this file system has no files of terabytes")
    results = run(tmp_path / "a.tar", tmp_path / "run")
    assert reasons(results) == {"a.png": None, "b.png": None, "huge.png": "unreadable"}
    assert rows(results)[2]["message"] == "3,298,534,883,328 bytes; no image has over 536,870,912"


def test_last_member_of_a_name_counts(tmp_path: Path) -> None:
    """As in unpacking: which one is examined is the one that whoever unpacks it gets."""
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, data in (("a.jpg", b"1"), ("b.jpg", b"2"), ("./a.jpg", b"3"), ("A.jpg", b"4")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    report = ListingReport()
    found = contents(opened(tmp_path / "a.tar"), report)
    assert found == {"b.jpg": b"2", "./a.jpg": b"3", "A.jpg": b"4"}
    assert report.left_out == {"members that later ones of the same name replace": 1}


def test_hard_links_are_images_of_their_own_names(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, data in (("a.jpg", b"1"), ("b.jpg", b"2")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for name, target in (("c.jpg", "a.jpg"), ("d.jpg", "gone.jpg"), ("b.jpg", "a.jpg")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.LNKTYPE, target
            tar.addfile(info)
    report = ListingReport()
    found = contents(opened(tmp_path / "a.tar"), report)
    assert found == {"a.jpg": b"1", "c.jpg": b"1", "b.jpg": b"1"}
    assert report.left_out == {
        "members that later ones of the same name replace": 1,
        "hard links in tars to what is no image there": 1,
    }


def test_name_that_is_there_twice_has_one_verdict(tmp_path: Path) -> None:
    members = [("a.png", picture(seed=1)), ("b.png", picture(seed=2)), ("a.png", b"no image")]
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    results = run(tmp_path / "a.tar", tmp_path / "run")
    assert reasons(results) == {"a.png": "not-an-image", "b.png": None}
    assert results.folder.kept_path.read_text() == "b.png\n"
    assert results.plan.left_out == {"members that later ones of the same name replace": 1}


# --- tables ---------------------------------------------------------------------------------------


def image_cells(count: int, start: int = 0) -> list[bytes]:
    return [b"image %d" % number * 3 for number in range(start, start + count)]


def test_parquet_of_several_row_groups(tmp_path: Path) -> None:
    cells = image_cells(500)
    struct = pa.array([{"bytes": cell, "path": None} for cell in cells])
    table = pa.table({"image": struct, "label": list(range(500))})
    pq.write_table(table, tmp_path / "train-0.parquet", row_group_size=70)
    pq.write_table(table.slice(0, 3), tmp_path / "train-1.parquet")
    found = contents(opened(tmp_path))
    assert len(found) == 503
    assert [found[f"train-0.parquet/{row}"] for row in range(500)] == cells
    assert found["train-1.parquet/2"] == cells[2]


def test_parquet_read_from_the_middle_by_several_threads(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    cells = image_cells(2000)
    pq.write_table(pa.table({"jpg": cells}), tmp_path / "a.parquet", row_group_size=300)
    source = opened(tmp_path / "a.parquet")
    reader = source.reader({})
    items = list(source.items(ListingReport()))[777:1999]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(reader.read, items)) == cells[777:1999]


def test_row_with_only_a_path_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "there.png").write_bytes(picture(seed=1))
    cells = [
        {"bytes": picture(seed=2), "path": "a.png"},
        {"bytes": None, "path": str(tmp_path / "there.png")},
        {"bytes": None, "path": None},
        {"bytes": b"", "path": "b.png"},
    ]
    pq.write_table(pa.table({"image": pa.array(cells)}), tmp_path / "a.parquet")
    results = run(tmp_path / "a.parquet", tmp_path / "run")
    assert list(reasons(results).values()) == [None, "unreadable", "empty", "empty"]
    assert "no bytes, only the path of a file" in rows(results)[1]["message"]


@pytest.mark.slow
def test_cells_that_would_take_all_memory(tmp_path: Path) -> None:
    """33 kB that become a gigabyte; the row groups beside it are read."""
    values = [picture(seed=1), bytes(1 << 29) + b"x", picture(seed=2)]
    schema = pa.schema([("image", pa.large_binary())])
    with pq.ParquetWriter(tmp_path / "a.parquet", schema, compression="zstd") as writer:
        for value in values:
            writer.write_table(pa.table({"image": pa.array([value], pa.large_binary())}))
    assert (tmp_path / "a.parquet").stat().st_size < 100_000
    results = run(tmp_path / "a.parquet", tmp_path / "run")
    assert list(reasons(results).values()) == [None, "unreadable", None]
    assert "bytes of the table that become 536,87" in rows(results)[1]["message"]


def test_cell_too_large_for_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pass_dataset.passify.sources.source.MAX_IMAGE_BYTES", 1000)
    cells = [b"a" * 1000, b"b" * 1001, b"c" * 10]
    pq.write_table(pa.table({"image": cells}), tmp_path / "a.parquet")
    source = opened(tmp_path / "a.parquet")
    first, second, third = source.items(ListingReport())
    reader = source.reader({})
    assert [reader.read(item) for item in (first, third)] == [cells[0], cells[2]]
    with pytest.raises(SourceError, match="1,001 bytes; no image has over 1,000"):
        reader.read(second)


def test_value_of_a_dictionary_that_every_row_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pass_dataset.passify.sources.parquet_files._WINDOW_BYTES", 100_000)
    cells = [os.urandom(30_000)] * 40
    pq.write_table(pa.table({"image": cells}), tmp_path / "a.parquet", use_dictionary=True)
    source = opened(tmp_path / "a.parquet")
    reader = source.reader({})
    found: list[object] = []
    for item in source.items(ListingReport()):
        try:
            found.append(reader.read(item) == cells[0])
        except SourceError as error:
            found.append(str(error))
    assert found[:3] == [True] * 3
    assert found.count(True) <= 2 * 3
    others = {what for what in found if what is not True}
    assert others == {"30,000 bytes, and over 100,000 with the images beside it"}


def test_more_rows_than_a_file_can_have(tmp_path: Path) -> None:
    table = pa.table({"image": pa.nulls(200_000, pa.binary())})
    pq.write_table(table, tmp_path / "a.parquet")
    report = ListingReport()
    assert list(opened(tmp_path / "a.parquet").items(report)) == []
    assert "a.parquet: claims 200,000 rows of images in " in report.unreadable[0]


def test_column_of_images(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"one": [b"1"], "two": [b"2"], "text": ["x"]}), path)
    report = ListingReport()
    assert list(opened(path).items(report)) == []
    assert "several columns could be the images: name one with --image-column" in str(report)
    assert contents(opened(path, column="two")) == {"a.parquet/0": b"2"}
    report = ListingReport()
    assert list(opened(path, column="text").items(report)) == []
    assert "found no such bytes; columns: one, two, text" in report.unreadable[0]


def test_missing_cell_is_empty(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": pa.array([b"1", None])}), tmp_path / "a.parquet")
    assert contents(opened(tmp_path)) == {"a.parquet/0": b"1", "a.parquet/1": b""}


def test_broken_parquet_does_not_stop_the_others(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [b"1"]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 no")
    report = ListingReport()
    assert list(contents(opened(tmp_path), report)) == ["a.parquet/0"]
    assert report.unreadable[0].startswith("b.parquet: cannot be read as Parquet")


def test_saved_dataset(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    from tests.support.passify import picture

    pictures = [picture(seed=number) for number in range(5)]
    features = datasets.Features({"img": datasets.Image(), "label": datasets.Value("int64")})
    rows = {"img": [{"bytes": data, "path": None} for data in pictures], "label": list(range(5))}
    split = datasets.Dataset.from_dict(rows, features=features)
    split.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"train": split, "test": split.select([3, 1])}).save_to_disk(
        tmp_path / "splits"
    )
    assert contents(opened(tmp_path / "one")) == {str(n): pictures[n] for n in range(5)}
    found = contents(opened(tmp_path / "splits"))
    assert list(found) == ["test/0", "test/1", *(f"train/{n}" for n in range(5))]
    assert found["test/0"] == pictures[3]


# --- lists ----------------------------------------------------------------------------------------


def test_list_of_files(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    names = [b"a.jpg", b"caf\xe9.jpg", b"new\nline.jpg", b"back\\slash.jpg"]
    for name in names:
        Path(os.fsdecode(os.fsencode(tmp_path / "images") + b"/" + name)).write_bytes(name)
    lines = [
        b"images/a.jpg",
        b"images/caf\xe9.jpg",
        b"\\images/new\\nline.jpg",
        b"",
        b"images/back\\slash.jpg",
    ]
    (tmp_path / "list.txt").write_bytes(b"\r\n".join(lines))
    found = contents(opened(tmp_path / "list.txt"))
    assert list(found.values()) == names
    assert list(found)[1:3] == ["\\images/caf\\xe9.jpg", "\\images/new\\nline.jpg"]
    (tmp_path / "list0.txt").write_bytes(b"\0".join(names) + b"\0")
    rooted = SourceSettings.of(tmp_path / "images").path
    assert list(contents(opened(tmp_path / "list0.txt", root=rooted)).values()) == names


def test_line_that_is_wrongly_escaped(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"a.jpg\n\\b\\q.jpg\n")
    with pytest.raises(
        SourceError, match=r"list\.txt: line 2: a name that begins with a backslash"
    ):
        list(opened(tmp_path / "list.txt").items(ListingReport()))


# --- PASS -----------------------------------------------------------------------------------------


def test_pass_archive(collection: Collection) -> None:
    from dataclasses import replace

    assert kind_of(os.fsencode(collection.folder)) == "pass"
    settings = replace(SourceSettings.of(collection.folder), release=str(collection.tsv))
    found = contents(open_source(settings.resolved()))
    assert len(found) == 15
    tar, name = next(iter(found)).split("/")
    assert (tar, name) == ("PASS.0.tar", f"{collection.hashes[0]}.jpg")


# --- kinds ----------------------------------------------------------------------------------------


def test_kinds_of_folders(tmp_path: Path) -> None:
    cases = {
        "deep images": ("folder", ["a/b/c/x.jpg", "a/readme.tar"]),
        "images and a tar": ("folder", ["x.png", "y.tar"]),
        "parquet below": ("parquet", ["data/train-0.parquet", "README.md"]),
        "tars below": ("tar", ["train/0.tar", "val/0.tar"]),
        "nothing": ("folder", ["a.txt"]),
    }
    for name, (kind, files) in cases.items():
        for file in files:
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        assert kind_of(os.fsencode(tmp_path / name)) == kind, name


def test_what_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere: No such file or directory"):
        SourceSettings.of(tmp_path / "nowhere").resolved()
    (tmp_path / "one.jpg").write_bytes(b"")
    with pytest.raises(
        SourceError, match=r"one\.jpg: expected a folder, a tar that is not compressed"
    ):
        SourceSettings.of(tmp_path / "one.jpg").resolved()
    with pytest.raises(SourceError, match="as folder, expected a folder, found a file"):
        opened(tmp_path / "one.jpg", kind="folder")
    with pytest.raises(ValueError, match="kind: expected one of folder, tar"):
        SourceSettings("/x", kind="zip")  # type: ignore[arg-type]


def test_items_say_where_they_are() -> None:
    assert SourceItem("a.jpg") == ("a.jpg", None, None, None)
