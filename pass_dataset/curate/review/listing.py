"""How the table of a review's images is made: from a curation, a run, archives or any source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pass_dataset.archives.order import random_keys
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.images import BATCH_ROWS, COLUMNS, NOT_GOLD
from pass_dataset.curate.review.record import Origin, Record, load_record, save_record
from pass_dataset.curate.review.settings import ReviewSettings
from pass_dataset.curate.settings import as_content, differences
from pass_dataset.errors import CurationError
from pass_dataset.files.arrow import table_writer
from pass_dataset.files.whole import writing_whole
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.outputs.lists import judged_rows
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.removed import RemovedImages
from pass_dataset.passify.sources.source import ListingReport, SourceItem
from pass_dataset.progress import Progress, Silent

__all__ = ["Gold", "begin_review"]

#: Where a curation has its images, and what tells scores from other columns.
_TARS = "work/fetch/tars"
_SCORE = "_score"


@dataclass(frozen=True)
class Gold:
    """Known images to be mixed in: sources of such as must be flagged, and of such as are OK."""

    bad: Path | None = None
    good: Path | None = None

    @property
    def paths(self) -> tuple[str | None, str | None]:
        """Absolute paths, as a record has them."""
        bad, good = (
            None if path is None else str(path.absolute()) for path in (self.bad, self.good)
        )
        return bad, good


def begin_review(
    folder: ReviewFolder,
    what: Path,
    settings: ReviewSettings,
    gold: Gold = Gold(),
    *,
    release: str | None = None,
    progress: Progress | None = None,
) -> Record:
    """Lists the images of a review; of one that is begun, sees that it is the same.

    Args:
      folder: of the review.
      what: a curation, a run of the filter (what it keeps), or anything that `passify` reads.
      settings: from now on they stay.
      gold: known images.
      release: what a PASS archive folder holds; None: told from it.
      progress: shows how far it is.

    Raises:
      CurationError: it was begun with other settings or images.
      SourceError, RunError: the images cannot be listed.
      OSError: it cannot be written.
    """
    if folder.is_begun:
        record = load_record(folder)
        found = differences(as_content(record.settings), as_content(settings))
        if record.what != str(what.absolute()):
            found.append(f"source: it was begun with {record.what}, asked for is {what}")
        found += [
            f"known {kind} images: it was begun with {before or 'none'}, asked for is {now}"
            for kind, before, now in zip(
                ("bad", "good"), record.gold or gold.paths, gold.paths, strict=True
            )
            if now is not None and now != before
        ]
        if found:
            listed = "\n  ".join(found)
            raise CurationError(
                f"{folder.path}: is a review of other settings:\n  {listed}\n"
                "What was begun keeps its settings: take another folder, or the settings it has"
            )
        return record
    folder.path.mkdir(parents=True, exist_ok=True)
    task = (progress or Silent()).task("Listing images", None, "images")
    parts = [_list(what, NOT_GOLD, release)]
    parts += [_list(path, bad) for path, bad in ((gold.bad, 1), (gold.good, 0)) if path is not None]
    table = _mixed([part for part, _ in parts], settings.seed)
    own = parts[0][0].num_rows
    task.advance(table.num_rows)
    task.finish()
    if not own:
        raise CurationError(f"{what}: no image is left to be reviewed")
    table = table.combine_chunks()
    with (
        writing_whole(folder.images_path) as file,
        table_writer(file, table.schema) as writer,
    ):
        for batch in table.to_batches(max_chunksize=BATCH_ROWS):
            writer.write_batch(batch)
    origins = [origin for _, origin in parts]
    if gold.bad is None and gold.good is not None:
        # The place of each tells what it is.
        origins.insert(1, Origin("source", "", None))
    record = Record(
        str(what.absolute()), own, tuple(origins), settings, _last_step(what), gold.paths
    )
    save_record(folder, record)
    return record


def _last_step(what: Path) -> str | None:
    curation = CurationFolder(what)
    return Ledger(curation).steps()[-1].name if curation.ledger_path.is_dir() else None


def _list(path: Path, gold: int, release: str | None = None) -> tuple[pa.Table, Origin]:
    if CurationFolder(path).ledger_path.is_dir():
        return _list_curation(path.absolute())
    if (path / "settings.json").is_file() and (path / "plan").is_dir():
        return _list_run(path.absolute(), gold)
    settings = replace(SourceSettings.of(path).resolved(), release=release)
    source, report = open_source(settings), ListingReport()
    items = RemovedImages(settings).without(source.items(report), report)
    table, files = _table(items, gold)
    return table, _origin(settings, files, report.files)


def _origin(
    settings: SourceSettings, files: Sequence[str], states: Mapping[str, FileVersion]
) -> Origin:
    found = {name: (state.size_bytes, state.mtime_ns) for name, state in states.items()}
    return Origin("source", settings.path, asdict(settings), tuple(files), found)


def _list_curation(path: Path) -> tuple[pa.Table, Origin]:
    ledger = Ledger(CurationFolder(path))
    scores = sorted(
        name
        for step in ledger.steps()
        for name in ledger.columns(step.name)
        if name.endswith(_SCORE)
    )
    tables, files, states = [], [], {}
    for shard in range(ledger.shards()):
        left = ledger.left(shard, ["hash", "tar_offset", "size_bytes", *scores])
        count = left.num_rows
        name = f"{shard:06d}.tar"
        files.append(name)
        tar = path / _TARS / name
        if count:
            found = FileVersion.of(tar)
            states[name] = (found.size_bytes, found.mtime_ns)
        columns = {
            "name": left["hash"],
            "file": np.full(count, shard),
            "start": left["tar_offset"],
            "size_bytes": left["size_bytes"],
            "shard": np.full(count, shard),
            "row": left["row"],
            "gold": np.full(count, NOT_GOLD),
        }
        tables.append(_cast(columns, {name: left[name] for name in scores}))
    return pa.concat_tables(tables), Origin("curation", str(path), None, tuple(files), states)


def _list_run(path: Path, gold: int) -> tuple[pa.Table, Origin]:
    results = Results(RunFolder(path))
    results.require_whole()
    columns = ("path", "face_max_score", "person_max_score")
    kept: list[SourceItem] = []
    scores: dict[str, list[Any]] = {"face_score": [], "person_score": []}
    judged = judged_rows(results, results.settings.thresholds, columns, None)
    for shard, (rows, reasons) in zip(results.shards, judged, strict=True):
        items = results.plan.items(results.folder, shard)
        for place, reason in enumerate(reasons.to_pylist()):
            if reason is None:
                kept.append(items[place])
                for name, column in zip(scores, columns[1:], strict=True):
                    scores[name].append(rows[column][place].as_py())
    table, files = _table(iter(kept), gold, scores)
    return table, _origin(results.settings.source, files, results.plan.files)


def _table(
    items: Iterator[SourceItem], gold: int, scores: Mapping[str, Any] | None = None
) -> tuple[pa.Table, list[str]]:
    files: dict[str, int] = {}
    rows: list[tuple[str, int, int, int]] = [
        (
            item.path,
            -1 if item.container is None else files.setdefault(item.container, len(files)),
            -1 if item.start is None else item.start,
            -1 if item.size_bytes is None else item.size_bytes,
        )
        for item in items
    ]
    names, numbers, starts, sizes = zip(*rows, strict=True) if rows else ((), (), (), ())
    count = len(rows)
    columns = {
        "name": list(names),
        "file": list(numbers),
        "start": list(starts),
        "size_bytes": list(sizes),
        "shard": np.full(count, -1),
        "row": np.full(count, -1),
        "gold": np.full(count, gold),
    }
    return _cast(columns, dict(scores or {})), list(files)


def _cast(columns: Mapping[str, Any], scores: Mapping[str, Any]) -> pa.Table:
    schema = pa.schema([*COLUMNS, *(pa.field(name, pa.float32()) for name in scores)])
    values = {**columns, **scores}
    arrays = [
        value.cast(field.type)
        if isinstance(value, pa.ChunkedArray)
        else pa.array(value, field.type)
        for value, field in zip(values.values(), schema, strict=True)
    ]
    return pa.table(arrays, schema=schema)


def _mixed(parts: Sequence[pa.Table], seed: int) -> pa.Table:
    """The images in their order, and known ones among them at places that the seed chooses."""
    table = pa.concat_tables(parts, promote_options="default")
    own, total = parts[0].num_rows, table.num_rows
    if own == total:
        return table
    keys = np.argsort(random_keys(0, total, seed + 1), kind="stable")
    places = np.sort(keys[: total - own])  # where known ones stand
    order = np.full(total, -1)
    order[places] = own + np.argsort(random_keys(0, total - own, seed + 2), kind="stable")
    order[order < 0] = np.arange(own)
    return table.take(pa.array(order))
