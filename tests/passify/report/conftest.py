"""A run with one image for everything that can become of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.schema import ImageResult
from tests.support.passify import SAMPLE, write_files
from tests.support.runs import box, found, make_run

#: Folder, file and all: text that HTML, the template or a terminal would take for something else.
HOSTILE = "<script>alert(document.title='x')<&quot;\"'>${title}\x1b[31m"


def squares(row: ImageResult) -> None:
    """Scores and boxes by the names of `SAMPLE`."""
    assert row.width and row.height
    everywhere = (-10.0, -5.0, row.width + 10.0, row.height / 2)
    face = 0.8 if "face" in row.path else 0.6 if "both" in row.path else 0.45
    found(row, "face", [box(*everywhere, face), box(1, 1, 4, 4, 0.03)] if face > 0.1 else [], face)
    if face <= 0.5:
        person = 0.9 if "person" in row.path else 0.1
        found(row, "person", [box(5, 5, 30, 40, person)] if person > 0.1 else [], person)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, and a folder whose name is a page of its own."""
    folder = tmp_path_factory.mktemp("source") / "photos & <b>more<b>"
    hostile = {
        f"{HOSTILE.replace('/', '')}/{HOSTILE.replace('/', '')} face.png": SAMPLE["a/face.png"]
    }
    write_files(folder, {**SAMPLE, **hostile})
    (folder / "a" / b"caf\xe9 \xff.png".decode(errors="surrogateescape")).write_bytes(
        SAMPLE["a/kept.png"]
    )
    return folder


@pytest.fixture(scope="module")
def run(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return make_run(tmp_path_factory.mktemp("run") / "run", photos, squares, shard_size=4)


@pytest.fixture
def results(run: RunFolder) -> Results:
    return Results(run)
