"""Archives read ahead: all of them if there is room, and nothing else depends on it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pass_dataset.archives import reading_ahead as module
from pass_dataset.archives.reading_ahead import reading_ahead

pytestmark = pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="Linux")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What the system is asked to read: positions and bytes."""
    found: list[tuple[int, int]] = []

    def advise(handle: int, position: int, size: int, advice: int) -> None:
        found.append((position, size))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    monkeypatch.setattr(module, "_CHUNK_BYTES", 4)
    return found


def memory(path: Path, monkeypatch: pytest.MonkeyPatch, kib: int) -> None:
    path.write_text(f"MemTotal: 9 kB\nMemAvailable:    {kib} kB\n")
    monkeypatch.setattr(module, "_MEMORY", path)


def test_one_after_the_other(
    tmp_path: Path, asked: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / "0.tar", tmp_path / "1.tar"]
    for path in paths:
        path.write_bytes(bytes(10))
    memory(tmp_path / "meminfo", monkeypatch, 1)
    with reading_ahead(paths):
        while len(asked) < 6:
            time.sleep(0.001)
    assert asked == [(0, 4), (0, 4), (4, 4), (4, 4), (8, 4), (8, 4)]


def test_no_room(
    tmp_path: Path, asked: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "0.tar"
    path.write_bytes(bytes(513))
    memory(tmp_path / "meminfo", monkeypatch, 1)
    with reading_ahead([path]):
        pass
    monkeypatch.setattr(module, "_MEMORY", tmp_path / "nothing")
    with reading_ahead([path]):
        pass
    assert asked == []


def test_what_is_missing_is_said_by_who_reads_it(
    tmp_path: Path, asked: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "0.tar"
    path.write_bytes(bytes(8))
    memory(tmp_path / "meminfo", monkeypatch, 1)
    with reading_ahead([path, tmp_path / "1.tar"]):
        pass
    assert asked == []
