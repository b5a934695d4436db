"""Headers read from the tars: as little as does, again where that is too little, kept for later."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.archives.records import PassArchive
from pass_dataset.errors import ArchiveError
from pass_dataset.images.jpeg_headers import JpegHeaderError
from pass_dataset.progress import Unit
from pass_dataset.reports.stats import headers
from pass_dataset.reports.stats.headers import read_header, read_headers
from tests.reports.stats.headers import exif, jpeg, segment
from tests.support.collection import Collection

CAMERA = exif("Canon", "Canon EOS 400D")


def test_read_header() -> None:
    found = read_header(jpeg(500, 375, tiff=CAMERA))
    assert found == (500, 375, 3, ("Canon", "Canon EOS 400D"))
    assert read_header(jpeg(65535, 1, components=1)) == (65535, 1, 1, (None, None))


def test_other_blocks_are_passed_over() -> None:
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>")
    assert read_header(jpeg(5, 4, tiff=CAMERA, before=xmp)).camera.make == "Canon"
    found = read_header(jpeg(5, 4, before=xmp + segment(0xE1, b"Exif\0\0" + CAMERA)))
    assert found.camera.make == "Canon"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "has no bytes"),
        (b"<html><body>", "begins with b'<html><b', as no JPEG does"),
        (jpeg(0, 5), "JPEG of 0×5 pixels"),
        (b"\xff\xd8\xff\xd9", "marker FFD9"),
        (b"\xff\xd8" + segment(0xDA, bytes(6)), "scan but no frame header"),
        (b"\xff\xd8" + segment(0xC0, bytes(5)), "too short"),
    ],
)
def test_no_header(data: bytes, message: str) -> None:
    with pytest.raises(JpegHeaderError, match=message) as caught:
        read_header(data)
    assert not caught.value.is_truncated


def body(number: int) -> bytes:
    """Ordinary ones, and one of each kind that is not."""
    if number == 2:
        return b"not found"
    if number == 4:
        return jpeg(40, 30)[:20]
    if number == 5:  # its frame header comes after the first bytes that are read
        return jpeg(77, 66, before=segment(0xE2, bytes(40_000)))
    return jpeg(100 + number, 50, components=1 if number == 3 else 3, end=bytes(5000))


@pytest.fixture
def archive(tmp_path: Path) -> PassArchive:
    made = Collection(tmp_path / "archives", tars=2, per_tar=4, body=body)
    return PassArchive(made.folder, made.describe())


def all_rows(archive: PassArchive) -> np.ndarray[Any, Any]:
    return np.arange(len(archive), dtype=np.int64)


def test_table(archive: PassArchive) -> None:
    found = read_headers(archive, all_rows(archive)).to_pydict()
    assert found["position"] == list(range(8))
    assert found["width"] == [100, 101, None, 103, None, 77, 106, 107]
    assert found["height"] == [50, 50, None, 50, None, 66, 50, 50]
    assert found["components"] == [3, 3, None, 1, None, 3, 3, 3]
    problems = {row: problem for row, problem in enumerate(found["problem"]) if problem}
    assert problems == {
        2: "begins with b'not foun', as no JPEG does",
        4: "JPEG that ends within its headers",
    }


def test_little_is_read(archive: PassArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    read = OpenTars.read

    def noted(self: OpenTars, tar: int, offset: int, size_bytes: int, image_hash: str) -> bytes:
        sizes.append(size_bytes)
        return read(self, tar, offset, size_bytes, image_hash)

    monkeypatch.setattr(OpenTars, "read", noted)
    read_headers(archive, np.array([0, 1, 5], np.int64))
    assert sizes == [4096, 4096, 4096, 32768, len(body(5))]


def test_no_rows(archive: PassArchive) -> None:
    assert len(read_headers(archive, np.array([], np.int64))) == 0


def test_cut_tar_is_an_error(archive: PassArchive) -> None:
    path = archive.folder / "PASS.1.tar"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ArchiveError, match=r"PASS\.1\.tar: is not the file .* cut"):
        read_headers(archive, all_rows(archive))


class Noted:
    """A progress that stops the work, as Ctrl-C does, once so much is done."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.done = 0
        self.stop_at = stop_at

    def task(self, description: str, total: int | None, unit: Unit, done: int = 0) -> Noted:
        self.total = total
        return self

    def advance(self, amount: int) -> None:
        self.done += amount
        if self.stop_at is not None and self.done >= self.stop_at:
            raise KeyboardInterrupt

    def describe(self, description: str) -> None:
        pass

    def finish(self) -> None:
        pass


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows that were read from the tars; blocks are of three."""
    rows: list[int] = []
    read_piece = headers._read_piece

    def noted(archive: PassArchive, piece: np.ndarray[Any, Any]) -> object:
        rows.extend(piece.tolist())
        return read_piece(archive, piece)

    monkeypatch.setattr(headers, "_read_piece", noted)
    monkeypatch.setattr(headers, "BLOCK_ROWS", 3)
    return rows


def test_goes_on_after_ctrl_c(archive: PassArchive, reads: list[int]) -> None:
    with pytest.raises(KeyboardInterrupt):
        read_headers(archive, all_rows(archive), progress=Noted(stop_at=6))
    assert sorted(reads) == [0, 1, 2, 3, 4, 5]
    reads.clear()
    progress = Noted()
    found = read_headers(archive, all_rows(archive), progress=progress)
    assert sorted(reads) == [3, 4, 5, 6, 7]  # the first block of three was kept
    assert (progress.done, progress.total) == (8, 8)
    assert found["width"].to_pylist() == [100, 101, None, 103, None, 77, 106, 107]
    assert found["problem"].null_count == 6


def test_other_files_are_read_anew(archive: PassArchive, reads: list[int]) -> None:
    read_headers(archive, all_rows(archive))
    reads.clear()
    path = archive.folder / "PASS.0.tar"
    path.write_bytes(path.read_bytes().replace(jpeg(101, 50)[:20], jpeg(102, 50)[:20]))
    with pytest.raises(ArchiveError, match="open them again"):
        pickle.loads(pickle.dumps(archive))
    again = PassArchive(archive.archives)
    found = read_headers(again, all_rows(again))
    assert sorted(reads) == list(range(8))
    assert found["width"].to_pylist()[:2] == [100, 102]


def test_damaged_cache_is_read_anew(
    archive: PassArchive, reads: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    read_headers(archive, all_rows(archive))
    (kept, *_) = sorted((Path.home() / ".cache").rglob("headers/*/*.arrow"))
    kept.write_bytes(b"ARROW1 and no more")
    reads.clear()
    assert len(read_headers(archive, all_rows(archive))) == 8
    assert len(reads) == 3 + 2
    assert "cannot be used" in caplog.text


def test_cache_that_cannot_be_written(
    archive: PassArchive, reads: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    (Path.home() / ".cache").write_text("a file, where a folder should be")
    assert len(read_headers(archive, all_rows(archive))) == 8
    assert "not kept" in caplog.text
