"""Small collections with painted squares, and runs on them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pass_dataset.executors.local import LocalExecutor
from pass_dataset.passify.detectors.settings import DetectorSettings
from pass_dataset.passify.filtering import run_filter
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.passify.steps.execution import Execution
from pass_dataset.passify.steps.loading import open_named
from tests.support.processes import heed_interrupts

ROOT = Path(__file__).parent.parent.parent
FACES = "python:tests.support.detectors:Faces"
PEOPLE = "python:tests.support.detectors:People"


def picture(face: float = 0.0, person: float = 0.0, *, seed: int = 0, wide: bool = False) -> bytes:
    """A PNG of noise in which these shares are red (a face) and blue (a person)."""
    rng = np.random.default_rng(seed)
    height, width = (40, 100) if wide else (50, 40)
    pixels = rng.integers(0, 60, (height, width, 3)).astype(np.uint8)
    pixels[: round(height * face), :, 0] = 250
    if person:
        pixels[-round(height * person) :, :, 2] = 250
    return encoded(pixels)


def encoded(pixels: np.ndarray, file_format: str = "PNG") -> bytes:
    """An image file of H×W×3 RGB pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format)
    return file.getvalue()


#: A collection with one image for each thing that can become of one.
SAMPLE: dict[str, bytes] = {
    "a/kept.png": picture(seed=1),
    "a/face.png": picture(face=0.8, seed=2),
    "a/person.png": picture(person=0.8, seed=3),
    "b/both.png": picture(face=0.6, person=0.4, seed=4),
    "b/half.png": picture(face=0.5, seed=5),
    "b/half a person.png": picture(person=0.5, seed=6),
    "c/empty.jpg": b"",
    "c/page.jpg": b"<html>not found</html>",
    "c/cut.png": picture(seed=7)[:900],
    "c/grey.png": encoded(np.full((40, 40, 3), 128, np.uint8)),
    "kept too.png": picture(face=0.1, person=0.1, seed=8),
}
#: What becomes of each: a reason, or None.
REASONS: dict[str, str | None] = {
    "a/face.png": "face",
    "a/kept.png": None,
    "a/person.png": "person",
    "b/both.png": "face",
    "b/half a person.png": "person",
    "b/half.png": None,
    "c/cut.png": "truncated",
    "c/empty.jpg": "empty",
    "c/grey.png": "single-colour",
    "c/page.jpg": "not-an-image",
    "kept too.png": None,
}


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Writes files into a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def many(folder: Path, count: int, *, shares: Sequence[float] = (0.0, 0.7)) -> Path:
    """A folder of images that differ; every second one has a face, every third a person."""
    for number in range(count):
        data = picture(shares[number % 2], 0.6 if number % 3 == 2 else 0.0, seed=number)
        path = folder / f"{number % 5}" / f"image {number:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def settings_for(
    source: Path, *, face: str | None = FACES, person: str | None = PEOPLE, **changes: Any
) -> RunSettings:
    """Settings of a run with detectors of painted squares."""
    choices = [
        DetectorChoice(target, name, open_named(name, DetectorSettings()).weights_sha256)
        for target, name in (("face", face), ("person", person))
        if name is not None
    ]
    source_settings = changes.pop("source_settings", None) or SourceSettings.of(source).resolved()
    return replace(RunSettings(source_settings, tuple(choices)), **changes)


def run(source: Path, out: Path, *, workers: int = 1, **changes: Any) -> Results:
    """Runs the filter in worker processes."""
    loop = {name: changes.pop(name) for name in ("exclusions", "retry_failed") if name in changes}
    folder = RunFolder(out)
    executor = LocalExecutor(Execution(workers=workers))
    run_filter(folder, settings_for(source, **changes), executor, **loop)
    return Results(folder)


def rows(results: Results) -> list[dict[str, Any]]:
    """All rows, without the time."""
    found = []
    for table in results.tables():
        found += table.drop_columns(["processed_at"]).to_pylist()
    return found


def reasons(results: Results) -> dict[str, str | None]:
    """The reason against each image."""
    return {row["path"]: row["reason"] for row in rows(results)}


def command(*arguments: object) -> list[str]:
    """The command `passify`, run by this Python."""
    return [sys.executable, "-m", "pass_dataset.passify", *map(str, arguments)]


DETECTORS = ("--face-detector", FACES, "--person-detector", PEOPLE)


def passify(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the command and waits for it."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        cwd=ROOT,
        errors="surrogateescape",
        **options,
    )


def start_passify(*arguments: object) -> subprocess.Popen[str]:
    """Starts the command so that SIGINT reaches it."""
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        preexec_fn=heed_interrupts,
    )


def processes_with(text: str) -> list[int]:
    """Processes that have a text in their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                arguments = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(text) in arguments:
                found.append(int(entry.name))
    return found
