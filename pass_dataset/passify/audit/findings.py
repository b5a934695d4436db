"""What the published filter would drop of a release today."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from pass_dataset.executors.shard_folder import written_whole
from pass_dataset.pages.intervals import two_sided
from pass_dataset.passify.outputs.lists import judged_rows
from pass_dataset.passify.outputs.summary import summarize
from pass_dataset.passify.runs.outcomes import Thresholds, outcome_of
from pass_dataset.passify.runs.results import Results

__all__ = ["Findings", "list_findings", "write_scores"]


@dataclass(frozen=True)
class Findings:
    """Counts of a run over a release.

    Attributes:
      thresholds: of the verdicts.
      images: images that the archive folder has.
      examined: images that were looked at.
      failed: images of these that could not be examined.
      reasons: images that would be dropped, by reason, most first.
    """

    thresholds: Thresholds
    images: int
    examined: int
    failed: int
    reasons: dict[str, int]

    @property
    def flagged(self) -> int:
        """Images that would be dropped."""
        return sum(self.reasons.values())

    @property
    def is_sample(self) -> bool:
        """Whether only some images were looked at."""
        return self.examined < self.images

    @property
    def share(self) -> float:
        """Of the images that could be examined, those that would be dropped."""
        return self.flagged / max(1, self.examined - self.failed)

    @property
    def bounds(self) -> tuple[float, float]:
        """Between which the release's share lies, with 95 % confidence; if all was seen, is."""
        if self.is_sample:
            return two_sided(self.flagged, self.examined - self.failed)
        return self.share, self.share


def list_findings(results: Results, images: int, thresholds: Thresholds) -> Findings:
    """Counts a run's findings.

    Args:
      results: of a run over the release, or over a sample.
      images: number of images in the archive folder.
      thresholds: of the verdicts.

    Raises:
      RunError: results cannot be read.
    """
    summary = summarize(results, thresholds)
    dropped = {
        reason: number
        for reason, number in summary.reasons.items()
        if outcome_of(reason) == "dropped"
    }
    return Findings(thresholds, images, summary.images, summary.count("failed"), dropped)


def write_scores(
    results: Results,
    thresholds: Thresholds,
    paths: tuple[Path, Path],
    *,
    only_flagged: bool,
) -> None:
    """Writes hashes and scores as CSV and as Parquet, in the order of the release.

    Columns: ``hash``, ``reason`` (empty: kept), ``face_max_score``, ``person_max_score``
    (empty: not looked for), ``path``, ``message``.

    Args:
      results: of a run over a release.
      thresholds: of the verdicts.
      paths: of the CSV and the Parquet file.
      only_flagged: leave out images that are kept; those that could not be examined are listed.

    Raises:
      RunError: results cannot be read.
      OSError: a file cannot be written.
    """
    csv_path, parquet_path = paths
    schema = _schema()
    with (
        written_whole(csv_path) as csv_file,
        written_whole(parquet_path) as parquet_file,
        pyarrow.csv.CSVWriter(csv_file, schema) as csv,
        pq.ParquetWriter(parquet_file, schema, compression="zstd") as parquet,
    ):
        for table in _tables(results, thresholds, schema, only_flagged):
            csv.write_table(table)
            parquet.write_table(table)


def _schema() -> pa.Schema:
    scores = [(f"{target}_max_score", pa.float32()) for target in ("face", "person")]
    texts = [(name, pa.string()) for name in ("hash", "reason", "path", "message")]
    return pa.schema([*texts[:2], *scores, *texts[2:]])


def _tables(results: Results, thresholds: Thresholds, schema: pa.Schema, only_flagged: bool) -> Any:
    columns = ("path", "message", "face_max_score", "person_max_score")
    for rows, reasons in judged_rows(results, thresholds, columns):
        hashes = pc.replace_substring_regex(rows["path"], r"^(?:.*/)?([^/]*)\.[^./]*$", r"\1")
        found = {"hash": hashes, "reason": reasons, **{name: rows[name] for name in columns}}
        table = pa.table({name: found[name] for name in schema.names}, schema=schema)
        yield table.filter(pc.is_valid(reasons)) if only_flagged else table
