"""The results of a run: written by shards, read as one table."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.errors import RunError
from pass_dataset.executors.shard_folder import written_whole
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import Thresholds, outcome_of
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.schema import (
    ImageResult,
    check_version,
    results_schema,
    to_table,
)
from pass_dataset.passify.runs.verdicts import VERDICT_COLUMNS, judge

__all__ = ["Results", "read_results", "write_results"]

#: Files read side by side; more would only wait for the processor.
_THREADS = 4
#: Files read ahead of what is asked for.
_AHEAD = 16


def write_results(
    path: Path, rows: Sequence[ImageResult], thresholds: Thresholds, targets: Sequence[Target]
) -> dict[str, int]:
    """Writes rows with their outcomes and reasons; returns the number of rows by outcome.

    Raises:
      OSError: the file cannot be written.
    """
    schema = results_schema()
    table = to_table(rows)
    reasons = judge(table, thresholds, targets)
    outcomes = [outcome_of(reason) for reason in reasons.to_pylist()]
    table = table.set_column(
        schema.get_field_index("reason"),
        schema.field("reason"),
        reasons.cast(schema.field("reason").type),
    ).set_column(
        schema.get_field_index("outcome"),
        schema.field("outcome"),
        pa.array(outcomes).dictionary_encode(),
    )
    with written_whole(path) as file:
        pq.write_table(table, file, compression="zstd")
    return {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}


def read_results(path: Path) -> list[ImageResult]:
    """The rows of a file.

    Raises:
      FileNotFoundError: there is none.
      RunError: it cannot be read.
    """
    return [ImageResult(**row) for row in _read(path, None).to_pylist()]


def _read(path: Path, columns: Sequence[str] | None) -> pa.Table:
    try:
        # As bytes: Arrow takes no text for names that are no UTF-8.
        with pa.memory_map(bytes(path)) as mapped, pq.ParquetFile(mapped) as file:
            check_version(path, file.schema_arrow)
            return file.read(columns=columns, use_threads=False)
    except FileNotFoundError:
        # Arrow's own does not say which.
        raise FileNotFoundError(errno.ENOENT, "missing", os.fspath(path)) from None
    except (OSError, pa.ArrowException) as error:
        raise RunError(
            f"{path}: cannot be read: {error}. Remove it and its marker in ../done, and run again"
        ) from error


def _gone(error: FileNotFoundError) -> RunError:
    return RunError(
        f"{error.filename}: missing, though its shard is marked as done; remove its marker in "
        "../done and run again"
    )


class Results:
    """Rows of a run's shards that are whole, in the order of the list of images."""

    def __init__(self, folder: RunFolder) -> None:
        """Opens a run.

        Raises:
          RunError: there is no run, or it was not planned yet.
        """
        self.folder = folder
        self.settings = folder.settings()
        plan = Plan.load(folder)
        if plan is None:
            raise RunError(f"{folder.path}: the images are not listed yet; passify run goes on")
        self.plan = plan
        self.shards = sorted(folder.done())

    @property
    def missing_shards(self) -> int:
        """Number of shards that are not done."""
        return self.plan.num_shards - len(self.shards)

    def require_whole(self) -> None:
        """Refuses a run that is not done.

        Raises:
          RunError: shards are missing.
        """
        if self.missing_shards:
            raise RunError(
                f"{self.folder.path}: {self.missing_shards:,} of {self.plan.num_shards:,} shards "
                "are not done; passify run goes on, passify status tells more"
            )

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows of each shard, with these columns only (None: all).

        Raises:
          RunError: a file cannot be read.
        """
        numbers = iter(self.shards)
        with ThreadPoolExecutor(_THREADS) as pool:

            def start(shard: int):  # type: ignore[no-untyped-def]  # a Future of pyarrow's
                return pool.submit(_read, self.folder.results_path(shard), columns)

            ahead = [start(shard) for shard in islice(numbers, _AHEAD)]
            try:
                while ahead:
                    table = ahead.pop(0).result()
                    ahead += [start(shard) for shard in islice(numbers, 1)]
                    yield table
            except FileNotFoundError as error:
                raise _gone(error) from error
            finally:
                for future in ahead:
                    future.cancel()

    def rows(self, shard: int, positions: Sequence[int]) -> list[ImageResult]:
        """Some rows of a shard, by their positions in it.

        Raises:
          RunError: the file cannot be read.
        """
        try:
            table = _read(self.folder.results_path(shard), None)
        except FileNotFoundError as error:
            raise _gone(error) from error
        return [ImageResult(**row) for row in table.take(list(positions)).to_pylist()]

    def judged(
        self, thresholds: Thresholds, columns: Sequence[str] = ()
    ) -> Iterator[tuple[pa.Table, pa.DictionaryArray]]:
        """The rows of each shard, and the reason against each (null: kept) at these thresholds."""
        wanted = list(dict.fromkeys([*columns, *VERDICT_COLUMNS]))
        for table in self.tables(wanted):
            yield table, judge(table, thresholds, self.settings.targets)
