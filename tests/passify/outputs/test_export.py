from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pass_dataset.errors import RunError, SourceError
from pass_dataset.files.parts import new_part
from pass_dataset.passify.outputs.export import Export, ExportKind, target_name
from pass_dataset.passify.outputs.places import TakenNames
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.sources.source import SourceItem
from tests.support.passify import SAMPLE, picture, run, write_files

KEPT = ["a/kept.png", "b/half.png", "kept too.png"]
ODD = os.fsdecode(b"new\nline caf\xe9.png")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("export")
    return run(write_files(folder / "sample", SAMPLE), folder / "run", shard_size=4)


def export(results: Results, to: Path, kind: ExportKind, **options: object) -> list[str]:
    settings = {"thresholds": Thresholds(), **options}
    Export(to, kind, **settings).run(results)  # type: ignore[arg-type]
    found = [path for path in to.rglob("*") if not path.is_dir()]
    names = sorted(str(path.relative_to(to)) for path in found)
    names.remove(".passify_export.json")
    return names


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink"])
def test_files(results: Results, tmp_path: Path, kind: ExportKind) -> None:
    to = tmp_path / "out"
    assert export(results, to, kind) == KEPT
    assert all((to / name).read_bytes() == SAMPLE[name] for name in KEPT)
    assert (to / KEPT[0]).is_symlink() == (kind == "symlink")
    same = (to / KEPT[0]).lstat().st_ino == (
        results.folder.path.parent / "sample" / KEPT[0]
    ).stat().st_ino
    assert same == (kind == "hardlink")
    # Again: what is there is left alone, what is missing is added.
    (to / KEPT[1]).unlink()
    before = (to / KEPT[0]).lstat().st_ino
    assert export(results, to, kind) == KEPT
    assert (to / KEPT[0]).lstat().st_ino == before


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def test_tars(results: Results, tmp_path: Path) -> None:
    to = tmp_path / "out"
    assert export(results, to, "tar", shard_size=2) == ["kept-000000.tar", "kept-000001.tar"]
    assert members(to / "kept-000000.tar") == {name: SAMPLE[name] for name in KEPT[:2]}
    assert members(to / "kept-000001.tar") == {KEPT[2]: SAMPLE[KEPT[2]]}
    whole = (to / "kept-000000.tar").read_bytes()
    (to / "kept-000000.tar").unlink()
    export(results, to, "tar", shard_size=2)
    assert (to / "kept-000000.tar").read_bytes() == whole


# The library leaves files open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_webdataset(results: Results, tmp_path: Path) -> None:
    export(results, tmp_path / "out", "webdataset")
    found = members(tmp_path / "out" / "kept-000000.tar")
    assert list(found)[:2] == ["000000000.png", "000000000.json"]
    assert [json.loads(found[f"00000000{n}.json"])["path"] for n in range(3)] == KEPT
    webdataset = pytest.importorskip("webdataset")
    path = str(tmp_path / "out" / "kept-000000.tar")
    samples = list(webdataset.WebDataset(path, shardshuffle=False).decode("pil"))
    assert [sample["json"]["path"] for sample in samples] == KEPT
    assert samples[0]["png"].size == (40, 50)


def test_odd_names_go_round(tmp_path: Path) -> None:
    files = {ODD: picture(seed=1), "quo'te\".png": picture(seed=2)}
    results = run(write_files(tmp_path / "odd", files), tmp_path / "run")
    assert export(results, tmp_path / "copy", "copy") == sorted(files)
    export(results, tmp_path / "tar", "tar")
    assert members(tmp_path / "tar" / "kept-000000.tar") == files
    # kept.txt is a list that a run reads.
    listed = results.folder.kept_path
    again = run(listed, tmp_path / "again", source_settings=_list(listed, tmp_path / "odd"))
    assert again.plan.images == 2
    assert again.folder.kept_path.read_bytes() == listed.read_bytes()


def _list(path: Path, root: Path):  # type: ignore[no-untyped-def]
    from pass_dataset.passify.sources.opening import SourceSettings

    return SourceSettings(str(path), "list", root=str(root))


def test_images_of_tables(tmp_path: Path) -> None:
    jpeg = io.BytesIO()
    Image.open(io.BytesIO(picture(seed=1))).save(jpeg, "JPEG")
    cells = [jpeg.getvalue(), picture(face=0.9), picture(seed=2)]
    (tmp_path / "rows").mkdir()
    pq.write_table(pa.table({"image": cells}), tmp_path / "rows" / "a.parquet")
    results = run(tmp_path / "rows", tmp_path / "run")
    assert export(results, tmp_path / "out", "copy") == ["a.parquet/0.jpg", "a.parquet/2.png"]
    with pytest.raises(SourceError, match=r"cannot be linked; use --as copy, tar or webdataset"):
        export(results, tmp_path / "links", "symlink")


def test_image_that_has_changed_is_left_out(tmp_path: Path) -> None:
    sample = write_files(tmp_path / "sample", SAMPLE)
    results = run(sample, tmp_path / "run")
    (sample / "a/kept.png").write_bytes(picture(face=1.0))
    (sample / "b/half.png").unlink()
    report = Export(tmp_path / "out", "copy", Thresholds()).run(results)
    assert (report.images, report.changed) == (1, 2)
    assert not (tmp_path / "out" / "a").exists()


def test_two_names_on_one_target(tmp_path: Path) -> None:
    """A list may name a file with and without the slash at its start."""
    inside = write_files(tmp_path / "root", {"a.png": picture(seed=1)})
    outside = str(inside).lstrip("/")
    write_files(inside / outside, {"a.png": picture(seed=2)})
    listed = tmp_path / "list.txt"
    listed.write_text(f"{inside}/a.png\n{outside}/a.png\n")
    results = run(listed, tmp_path / "run", source_settings=_list(listed, inside))
    for kind, images in (("copy", 1), ("symlink", 1), ("tar", 1), ("webdataset", 2)):
        report = Export(tmp_path / kind, kind, Thresholds()).run(results)  # type: ignore[arg-type]
        assert (report.images, report.clashing) == (images, 2 - images), kind
        assert report.is_whole == (kind == "webdataset")
    assert (tmp_path / "copy" / outside / "a.png").read_bytes() == picture(seed=1)


def test_names_that_the_file_system_takes_for_one(tmp_path: Path) -> None:
    (tmp_path / "note.json").touch()
    apart = TakenNames(tmp_path / "note.json")
    assert [apart.take(name) for name in (b"a.jpg", b"A.jpg", b"a.jpg")] == [True, True, False]
    (tmp_path / "NOTE.JSON").touch()  # as it is seen where capitals do not count
    folding = TakenNames(tmp_path / "note.json")
    composed, decomposed = "caf\u00e9.jpg".encode(), "cafe\u0301.jpg".encode()
    assert [folding.take(name) for name in (b"a.jpg", b"A.jpg", composed)] == [True, False, True]
    assert not folding.take(decomposed)
    assert folding.take(b"\xff.jpg")


@pytest.mark.parametrize("kind", ["copy", "hardlink", "symlink"])
@pytest.mark.parametrize("there", ["cut", "other", "link", "folder"])
def test_something_else_in_an_images_place_is_said(
    results: Results, tmp_path: Path, kind: ExportKind, there: str
) -> None:
    to = tmp_path / "out"
    export(results, to, kind)
    place = to / KEPT[0]
    place.unlink()
    if there == "folder":
        place.mkdir()
    elif there == "link":
        place.symlink_to(to / KEPT[1])
    else:
        place.write_bytes(SAMPLE[KEPT[0]][:-9] if there == "cut" else SAMPLE[KEPT[1]])
    report = Export(to, kind, Thresholds()).run(results)
    assert (report.images, report.differing, report.is_whole) == (2, 1, False)


def test_file_where_a_folder_has_to_be(results: Results, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export(results, to, "copy")
    (to / "a/kept.png").unlink()
    (to / "a").rmdir()
    (to / "a").touch()
    report = Export(to, "copy", Thresholds()).run(results)
    assert (report.images, report.differing) == (2, 1)


@pytest.mark.parametrize("kind", ["hardlink", "symlink"])
def test_no_link_to_a_file_that_has_changed(tmp_path: Path, kind: ExportKind) -> None:
    sample = write_files(tmp_path / "sample", SAMPLE)
    results = run(sample, tmp_path / "run")
    (sample / "a/kept.png").write_bytes(picture(face=1.0))
    report = Export(tmp_path / "out", kind, Thresholds()).run(results)
    assert (report.images, report.changed) == (2, 1)
    assert not os.path.lexists(tmp_path / "out" / "a/kept.png")
    # Behind a link that is there already, too.
    (sample / "b/half.png").write_bytes(picture(face=1.0))
    report = Export(tmp_path / "out", kind, Thresholds()).run(results)
    assert (report.images, report.changed) == (1, 2)


@pytest.mark.parametrize("kind", ["tar", "webdataset"])
def test_tars_that_are_there_are_compared(
    results: Results, tmp_path: Path, kind: ExportKind
) -> None:
    to = tmp_path / "out"
    export(results, to, kind, shard_size=2)
    assert Export(to, kind, Thresholds(), 2).run(results).is_whole
    path = to / "kept-000000.tar"
    whole = path.read_bytes()
    place = whole.index(SAMPLE[KEPT[1]])
    path.write_bytes(whole[:place] + b"\0" + whole[place + 1 :])
    report = Export(to, kind, Thresholds(), 2).run(results)
    assert (report.images, report.differing) == (2, 1)
    (to / "kept-000001.tar").replace(path)
    report = Export(to, kind, Thresholds(), 2).run(results)
    assert (report.images, report.differing) == (1, 2)
    path.write_bytes(whole[: place + 100])
    with pytest.raises(RunError, match=r"kept-000000\.tar: .*Remove the tar and export again"):
        Export(to, kind, Thresholds(), 2).run(results)


def test_images_of_tables_in_tars_that_are_there(tmp_path: Path) -> None:
    cells = [picture(seed=1), picture(seed=2)]
    pq.write_table(pa.table({"image": cells}), tmp_path / "a.parquet")
    results = run(tmp_path / "a.parquet", tmp_path / "run")
    for kind in ("tar", "webdataset"):
        for _ in range(2):
            report = Export(tmp_path / kind, kind, Thresholds()).run(results)  # type: ignore[arg-type]
            assert (report.images, report.is_whole) == (2, True)


def test_undecided_images_are_counted_and_left_out(results: Results, tmp_path: Path) -> None:
    report = Export(tmp_path / "out", "copy", Thresholds(face=1.0)).run(results)
    assert (report.images, report.undecided) == (3, 2)


def test_folder_of_another_export_is_refused(results: Results, tmp_path: Path) -> None:
    export(results, tmp_path / "out", "copy")
    with pytest.raises(RunError, match="its as is 'copy', asked for is 'tar'; take another --to"):
        export(results, tmp_path / "out", "tar")
    with pytest.raises(RunError, match="its thresholds is"):
        export(results, tmp_path / "out", "copy", thresholds=Thresholds(face=0.1))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(RunError, match="expected a new or empty folder"):
        export(results, tmp_path / "full", "copy")


def test_export_killed_before_its_note_has_its_name_is_gone_on_with(
    results: Results, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    new_part(tmp_path / "out" / ".passify_export.json").write_bytes(b"{")
    assert len(set(export(results, tmp_path / "out", "copy")) & set(KEPT)) == len(KEPT)


def test_no_image_leaves_the_folder() -> None:
    assert target_name(SourceItem("/abs/a.jpg")) == b"abs/a.jpg"
    with pytest.raises(SourceError, match="leads out of the folder"):
        target_name(SourceItem("a/../../b.jpg"))


@pytest.mark.parametrize("kind", ["tar", "webdataset"])
def test_folders_are_read_by_datasets(results: Results, tmp_path: Path, kind: ExportKind) -> None:
    """Which takes the most frequent kind of file, and would take our note for it."""
    datasets = pytest.importorskip("datasets", reason="needs the extra `hf`")
    to = tmp_path / "out"
    export(results, to, kind)
    loaded = datasets.load_dataset(str(to), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.num_rows == len(KEPT)
    assert "__key__" in loaded.column_names


def test_the_note_of_an_earlier_version_counts(results: Results, tmp_path: Path) -> None:
    to = tmp_path / "out"
    export(results, to, "copy")
    (to / ".passify_export.json").rename(to / "passify_export.json")
    assert export(results, to, "copy") == KEPT
    with pytest.raises(RunError, match="this is another export: its as is 'copy'"):
        export(results, to, "symlink")
