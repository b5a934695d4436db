"""Runs of the filter, written as a run writes them, with scores that a test gives."""

from __future__ import annotations

import datetime
import hashlib
import random
from collections.abc import Callable, Collection
from pathlib import Path

from pass_dataset.images.decoding import decode
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import Thresholds
from pass_dataset.passify.runs.plan import make_plan
from pass_dataset.passify.runs.results import write_results
from pass_dataset.passify.runs.run_folder import RunFolder, ShardStats
from pass_dataset.passify.runs.schema import Box, ImageResult
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.progress import Silent

#: As of a run with the published detector of faces, and with one of people that nobody published.
FACES = DetectorChoice(
    "face", "retinaface", "2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220"
)
PEOPLE = DetectorChoice("person", "cascade-rcnn", "c0ffee" * 10 + "c0de")

#: Fills in what detectors found in a decoded image.
Finder = Callable[[ImageResult], None]


def box(x1: float, y1: float, x2: float, y2: float, score: float) -> Box:
    return Box(x1=x1, y1=y1, x2=x2, y2=y2, score=score)


def found(row: ImageResult, target: Target, boxes: list[Box], score: float | None = None) -> None:
    """Sets what a detector found; the highest score is the first box's, or the one given."""
    best = score if score is not None else boxes[0]["score"] if boxes else 0.001
    choice = FACES if target == "face" else PEOPLE
    for name, value in {
        "max_score": best,
        "boxes": boxes,
        "detector": choice.name,
        "weights_sha256": choice.weights_sha256,
    }.items():
        setattr(row, f"{target}_{name}", value)


def drawn_by_lot(row: ImageResult) -> None:
    """A score for faces, and one for people where there is no face; the same for the same path."""
    rng = random.Random(row.path)
    assert row.width and row.height
    for target in ("face", "person"):
        score = rng.random() ** 3
        x1, y1 = rng.random() * row.width * 0.7, rng.random() * row.height * 0.7
        reach = rng.random() * 0.5
        place = box(x1, y1, x1 + reach * row.width, y1 + reach * row.height, score)
        found(row, target, [place] if score > 0.02 else [], score)
        if target == "face" and score > 0.5:
            return


def make_run(
    folder: Path,
    source: Path | SourceSettings,
    finder: Finder = drawn_by_lot,
    *,
    thresholds: Thresholds | None = None,
    detectors: tuple[DetectorChoice, ...] = (FACES, PEOPLE),
    shard_size: int = 16,
    missing: Collection[int] = (),
) -> RunFolder:
    """A run over a source.

    Args:
      folder: to write.
      source: images, which are really read and decoded.
      finder: what the detectors find.
      thresholds, detectors, shard_size: settings.
      missing: shards that are not done.
    """
    thresholds = thresholds or Thresholds()
    told = source if isinstance(source, SourceSettings) else SourceSettings.of(source)
    settings = RunSettings(told.resolved(), detectors, thresholds, shard_size=shard_size)
    run = RunFolder(folder)
    run.claim(settings, None)
    opened = open_source(settings.source)
    plan = make_plan(run, opened, settings, Silent())
    reader = opened.reader(plan.files)
    for shard in range(plan.num_shards):
        if shard in missing:
            continue
        rows = []
        for item in plan.items(run, shard):
            row = ImageResult(settings.source.path, item.path)
            _examine(row, reader.read(item), finder)
            rows.append(row)
        outcomes = write_results(run.results_path(shard), rows, thresholds, settings.targets)
        times = {"face": 0.012 * len(rows), "person": 1.2 * len(rows)}
        spent = {target: times[target] for target in settings.targets}
        finished_at = 1_760_000_000.0 + 20 * shard
        run.mark_done(
            ShardStats(
                shard, len(rows), outcomes, len(rows), 19.0, 0.3, spent, "node-1", finished_at
            )
        )
    reader.close()
    return run


def _examine(row: ImageResult, data: bytes, finder: Finder) -> None:
    row.size_bytes = len(data)
    row.sha256 = hashlib.sha256(data).hexdigest()
    row.processed_at = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    decoded = decode(data)
    row.width, row.height = decoded.width, decoded.height
    if decoded.is_ok:
        finder(row)
    else:
        row.reason, row.message = decoded.outcome, decoded.message
