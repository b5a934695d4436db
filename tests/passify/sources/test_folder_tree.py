from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pass_dataset.errors import SourceError
from pass_dataset.passify.sources import folder_tree
from pass_dataset.passify.sources.folder_tree import FolderTree, Suffixes, read_file
from pass_dataset.passify.sources.source import IMAGE_SUFFIXES, ListingReport, SourceItem


def tree(folder: Path, suffixes: tuple[str, ...] | None = IMAGE_SUFFIXES) -> FolderTree:
    return FolderTree(os.fsencode(folder), Suffixes.of(suffixes))


def listed(folder: Path, suffixes: tuple[str, ...] | None = IMAGE_SUFFIXES) -> tuple:
    report = ListingReport()
    return [item.path for item in tree(folder, suffixes).items(report)], report


def touch(folder: Path, *names: str | bytes) -> None:
    for name in names:
        path = Path(os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name))))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))


def test_order_is_that_of_whole_paths(tmp_path: Path) -> None:
    names = ["b/1.jpg", "b.jpg", "b-1/x.jpg", "a/z/deep.jpg", "a.JPG", "B.png", "b/0/0.webp"]
    touch(tmp_path, *names)
    assert listed(tmp_path)[0] == sorted(names)


def test_odd_names_come_back(tmp_path: Path) -> None:
    names = [b"sp ace.jpg", b"quo'te\".jpg", b"new\nline/caf\xe9.jpg", b"\\back.jpg", b"-rf.jpg"]
    touch(tmp_path, *names)
    source = tree(tmp_path)
    items = list(source.items(ListingReport()))
    with_reader = source.reader({})
    assert sorted(with_reader.read(item) for item in items) == sorted(names)
    assert all("\n" not in item.path for item in items)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.txt", "c.TXT", "README", "d/e.json")
    paths, report = listed(tmp_path)
    assert paths == ["a.jpg"]
    assert report.left_out == {".txt": 2, "files without ending": 1, ".json": 1}
    assert len(listed(tmp_path, None)[0]) == 5


@pytest.mark.parametrize("suffixes", [IMAGE_SUFFIXES, None])
def test_sidecars_of_macos_are_left_out(tmp_path: Path, suffixes: tuple[str, ...] | None) -> None:
    touch(tmp_path, "a.jpg", "._a.jpg", "b/._c.png", "b/c.png")
    names, report = listed(tmp_path, suffixes)
    assert sorted(names) == ["a.jpg", "b/c.png"]
    assert report.left_out["what macOS keeps beside files (._*)"] == 2


def test_links(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    touch(inside, "a/real.jpg")
    touch(outside, "secret.jpg")
    (inside / "link.jpg").symlink_to("a/real.jpg")
    (inside / "out.jpg").symlink_to(outside / "secret.jpg")
    (inside / "folder").symlink_to(outside)
    (inside / "loop").symlink_to(inside)
    (inside / "gone.jpg").symlink_to("nowhere.jpg")
    # A name that only begins like the folder's is not in it.
    (tmp_path / "in.jpg").write_bytes(b"")
    (inside / "near.jpg").symlink_to(tmp_path / "in.jpg")
    paths, report = listed(inside)
    assert paths == ["a/real.jpg", "link.jpg"]
    assert report.left_out["links that lead out of the folder"] == 2
    assert report.left_out["links to no file"] == 1


def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.jpg"))
    paths, report = listed(tmp_path)
    assert paths == []
    assert report.left_out == {"pipes, sockets and devices": 2}
    with pytest.raises(SourceError, match="no regular file"):
        read_file(os.fsencode(tmp_path / "pipe.jpg"))


def test_large_folder_is_sorted_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_tree, "_SORTED_NAMES", 7)
    names = [f"{number * 37 % 100:03}.jpg" for number in range(100)] + ["050/1.jpg", "050/0.jpg"]
    touch(tmp_path, *names)
    assert listed(tmp_path)[0] == sorted(names)


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Path]:
    """A folder for what is so deep that pytest could not clear it away, in this run or a later."""
    folder = tmp_path / "pit"
    folder.mkdir()
    yield folder
    subprocess.run(["rm", "-rf", folder], check=True)


def test_deep_tree(pit: Path) -> None:
    depth = 1200  # deeper than Python's own stack
    handle = os.open(pit, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=handle)
        below = os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(os.open("x.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
    os.close(handle)
    paths, _ = listed(pit)
    assert paths == ["d/" * depth + "x.jpg"]


def test_folder_that_goes_while_it_is_listed(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "b/1.jpg", "c/1.jpg")
    report = ListingReport()
    items = tree(tmp_path).items(report)
    assert next(items).path == "a/1.jpg"
    (tmp_path / "b" / "1.jpg").unlink()
    (tmp_path / "b").rmdir()
    assert [item.path for item in items] == ["c/1.jpg"]
    assert report.unreadable == ["b/: No such file or directory"]


def test_file_larger_than_any_image(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(SourceError, match="no image has over"):
        tree(tmp_path).reader({}).read(SourceItem("large.jpg"))
