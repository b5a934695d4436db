from __future__ import annotations

import hashlib
import threading
import time

import numpy as np
import pytest

from pass_dataset.errors import SourceError
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.schema import ImageResult
from pass_dataset.passify.sources.source import SourceItem
from pass_dataset.passify.steps import decoding as module
from pass_dataset.passify.steps.decoding import Decoding
from pass_dataset.passify.steps.record import Examined
from tests.support.passify import SAMPLE, encoded, picture


class Files:
    """A reader of what it is given."""

    def __init__(self, files: dict[str, bytes | Exception]) -> None:
        self.files = files
        self.read_paths: list[str] = []

    def read(self, item: SourceItem) -> bytes:
        self.read_paths.append(item.path)
        found = self.files[item.path]
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        pass


def decoded(files: Files, *, threads: int = 2, ahead: int = 4, **options: object) -> list[Examined]:
    exclusions = options.get("exclusions", Exclusions())
    step = Decoding(files, exclusions, options.get("max_pixels"), threads, ahead)  # type: ignore[arg-type]
    records = [
        Examined(position, SourceItem(path), ImageResult("/photos", path))
        for position, path in enumerate(files.files)
    ]
    found = list(step.run(records))
    assert [record.position for record in found] == list(range(len(records)))
    return found


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_rows_say_what_was_found(threads: int) -> None:
    found = {one.item.path: one for one in decoded(Files(dict(SAMPLE)), threads=threads)}
    kept = found["a/kept.png"]
    assert kept.image is not None
    assert kept.image.pixels is not None
    assert kept.image.pixels.shape == (50, 40, 3)
    assert (kept.result.width, kept.result.height) == (40, 50)
    assert kept.result.size_bytes == len(SAMPLE["a/kept.png"])
    assert kept.result.sha256 == hashlib.sha256(SAMPLE["a/kept.png"]).hexdigest()
    for path, reason in [("c/empty.jpg", "empty"), ("c/page.jpg", "not-an-image")]:
        assert found[path].result.reason == reason
        assert found[path].image is None
    assert found["c/page.jpg"].result.message


def test_file_that_cannot_be_read() -> None:
    files = Files(
        {"a": PermissionError(13, "Permission denied"), "b": SourceError("cut"), "c": picture()}
    )
    found = [(one.result.reason, one.result.message) for one in decoded(files)]
    assert found == [("unreadable", "Permission denied"), ("unreadable", "cut"), (None, None)]


def test_excluded_by_path_is_never_read() -> None:
    files = Files({"a": picture(seed=1), "b": picture(seed=2)})
    digest = hashlib.sha256(files.files["b"]).hexdigest()  # type: ignore[arg-type]
    exclusions = Exclusions(frozenset({"a"}), frozenset({digest}))
    found = decoded(files, exclusions=exclusions)
    assert [one.result.reason for one in found] == ["excluded", "excluded"]
    assert files.read_paths == ["b"]
    assert all(one.image is None and one.result.width is None for one in found)


def test_too_many_pixels() -> None:
    (found,) = decoded(Files({"a": picture()}), max_pixels=100)
    assert found.result.reason == "too-large"


def test_decoder_that_fails_is_the_image_s_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(data: bytes) -> None:
        raise MemoryError

    monkeypatch.setattr(module, "decode", fail)
    (found,) = decoded(Files({"a": picture()}))
    assert (found.result.reason, found.result.message) == ("decoder-failed", "MemoryError: ")


def test_waiting_images_are_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AHEAD_BYTES", 100_000)
    noise = np.random.default_rng(0).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    files = Files({str(number): encoded(noise) for number in range(30)})
    step = Decoding(files, Exclusions(), None, 3, 20)
    records = (Examined(n, SourceItem(str(n)), ImageResult("/photos", str(n))) for n in range(30))
    stream = step.run(records)
    next(stream)
    time.sleep(0.3)
    # 30 kB each: four over the limit at most, and one in each thread.
    assert len(files.read_paths) <= 8
    assert len(list(stream)) == 29


def test_threads_end_when_nobody_wants_more() -> None:
    before = threading.active_count()
    files = Files({str(number): picture(seed=number) for number in range(30)})
    step = Decoding(files, Exclusions(), None, 3, 8)
    stream = step.run(
        Examined(n, SourceItem(str(n)), ImageResult("/photos", str(n))) for n in range(30)
    )
    next(stream)
    stream.close()
    assert threading.active_count() == before
