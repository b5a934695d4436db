"""Lists of images by what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.executors.shard_folder import written_whole
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import EXCLUDED, Outcome, Thresholds, outcome_of
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.sources.removed import RemovedImages

__all__ = [
    "DroppedImage",
    "dropped_images",
    "judged_rows",
    "listed_paths",
    "removed_digest",
    "write_lists",
]

#: Columns of `dropped.parquet` beside outcome and reason.
_DROPPED_COLUMNS = (
    "path",
    "message",
    "face_max_score",
    "person_max_score",
    "size_bytes",
    "width",
    "height",
    "sha256",
)


def judged_rows(
    results: Results,
    thresholds: Thresholds,
    columns: tuple[str, ...] = (),
    exclusions: Exclusions | None = None,
) -> Iterator[tuple[pa.Table, pa.Array]]:
    """The rows of each shard and the reason against each (null: kept), as text.

    Images on removal lists are dropped, which may be newer than the run.

    Args:
      results: a run.
      thresholds: for its scores.
      columns: columns of the rows that are asked for.
      exclusions: images that are dropped beside those that the run itself left out.
    """
    excluded = exclusions or Exclusions()
    needed = [*columns]
    needed += ["path"] if excluded.paths else []
    needed += ["sha256"] if excluded.hashes else []
    paths = pa.array(sorted(excluded.paths), pa.string())
    hashes = pa.array(sorted(excluded.hashes), pa.string())
    removed = _removed(results)
    rows = results.judged(thresholds, needed)
    for shard, (table, judged) in zip(results.shards, rows, strict=True):
        reasons = judged.cast(pa.string())
        if removed is not None:
            named = pa.array(removed.are_removed(results.plan.items(results.folder, shard)))
            reasons = pc.if_else(named, EXCLUDED, reasons)
        if excluded.paths:
            forms = excluded.form.of_column(table["path"].combine_chunks())
            named = pc.is_in(forms, value_set=paths)
            reasons = pc.if_else(named, EXCLUDED, reasons)
        if excluded.hashes:
            named = pc.is_in(table["sha256"].combine_chunks(), value_set=hashes)
            reasons = pc.if_else(named, EXCLUDED, reasons)
        yield table, reasons


def _removed(results: Results) -> RemovedImages | None:
    """Images of a run that are on removal lists; None if there are no lists."""
    found = RemovedImages(results.settings.source)
    return found if found.any_of(results.plan.containers) else None


def removed_digest(results: Results) -> str | None:
    """Tells the removal lists that hold for a run from others; None if there are none."""
    removed = _removed(results)
    return None if removed is None else removed.digest(results.plan.containers)


def listed_paths(
    results: Results,
    thresholds: Thresholds,
    outcome: Outcome = "kept",
    exclusions: Exclusions | None = None,
) -> Iterator[str]:
    """Paths of the images with an outcome, as text, in the order of the source."""
    for table, reasons in judged_rows(results, thresholds, ("path",), exclusions):
        yield from table["path"].filter(_with_outcome(reasons, outcome)).to_pylist()


@dataclass(frozen=True)
class DroppedImage:
    """An image that is not kept.

    Attributes:
      path: as text.
      outcome, reason, message: why.
      face_max_score, person_max_score: None where they were not looked for.
    """

    path: str
    outcome: Outcome
    reason: str
    message: str | None
    face_max_score: float | None
    person_max_score: float | None


def dropped_images(
    results: Results,
    thresholds: Thresholds,
    accept: Callable[[str], bool],
    exclusions: Exclusions | None = None,
) -> Iterator[DroppedImage]:
    """Images that are not kept, in the order of the source.

    Args:
      results, thresholds, exclusions: as in `judged_rows`.
      accept: chooses by the reason.
    """
    columns = ("path", "message", "face_max_score", "person_max_score")
    for table, reasons in judged_rows(results, thresholds, columns, exclusions):
        wanted = [
            reason
            for reason in reasons.unique().to_pylist()
            if reason is not None and accept(reason)
        ]
        chosen = pc.is_in(reasons, value_set=pa.array(wanted, pa.string()))
        rows = table.select(columns).filter(chosen).to_pylist()
        for reason, row in zip(reasons.filter(chosen).to_pylist(), rows, strict=True):
            yield DroppedImage(outcome=outcome_of(reason), reason=reason, **row)


def _with_outcome(reasons: pa.Array, outcome: Outcome) -> pa.Array:
    if outcome == "kept":
        return pc.is_null(reasons)
    fitting = [reason for reason in reasons.unique().to_pylist() if outcome_of(reason) == outcome]
    return pc.is_in(reasons, value_set=pa.array(fitting, pa.string()))


def write_lists(results: Results) -> None:
    """Writes ``kept.txt`` and ``dropped.parquet`` of a whole run, at its own thresholds.

    Raises:
      RunError: the run is not whole.
      OSError: they cannot be written.
    """
    results.require_whole()
    names = pa.dictionary(pa.int32(), pa.string())
    writer: pq.ParquetWriter | None = None
    thresholds = results.settings.thresholds
    with (
        written_whole(results.folder.kept_path) as kept,
        written_whole(results.folder.dropped_path) as dropped,
    ):
        for table, reasons in judged_rows(results, thresholds, _DROPPED_COLUMNS):
            is_kept = pc.is_null(reasons)
            kept.writelines(
                f"{path}\n".encode() for path in table["path"].filter(is_kept).to_pylist()
            )
            outcomes = [outcome_of(reason) for reason in reasons.to_pylist()]
            rows = table.select(_DROPPED_COLUMNS)
            rows = rows.add_column(1, "outcome", pa.array(outcomes).dictionary_encode().cast(names))
            rows = rows.add_column(2, "reason", reasons.dictionary_encode().cast(names))
            rows = rows.replace_schema_metadata(None)
            writer = writer or pq.ParquetWriter(dropped, rows.schema, compression="zstd")
            writer.write_table(rows.filter(pc.invert(is_kept)))
        if writer is not None:
            writer.close()
