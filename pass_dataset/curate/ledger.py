"""The ledger: every selected photograph, from beginning to end, and what each step said of it.

A step's part is one Parquet file for each shard of photographs, with

    row     int64: which photograph; `select` numbers them from 0, and shards cut that order
    cause   string: why the photograph goes no further; null where it goes on
    …       what the step found, in columns of its own, whose names no other step has

and exactly the rows that the step before it let through, in order: this is checked when a file is
written, so what goes in and what comes out adds up at every step, whatever happens. Files are only
added. A step is done when its record (`StepRecord`) is there, which is counted from the files as
they are read back, and has their SHA-256.

Steps stand in the order in which they were done. Any reader of Parquet joins them by `row`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.errors import CurationError
from pass_dataset.files.arrow import numbers_of
from pass_dataset.files.checked_json import load_json
from pass_dataset.files.whole import writing_whole
from pass_dataset.folders.file_mark import FileMark

__all__ = ["FIRST_STEP", "KEYS", "Ledger", "rows_of"]

#: The step that begins a ledger: it says which photographs there are.
FIRST_STEP = "select"
#: Columns that all steps have.
KEYS = pa.schema([pa.field("row", pa.int64(), nullable=False), pa.field("cause", pa.string())])


class Ledger:
    """The ledger of a curation. Whoever writes holds the curation (`CurationFolder.held`)."""

    def __init__(self, folder: CurationFolder) -> None:
        self.folder = folder
        # Of 17 million photographs a record has 1,700 files, and is asked for with each of them.
        self._records: dict[str, tuple[FileMark, StepRecord]] = {}
        self._columns: dict[tuple[str, str], list[str]] = {}

    # --- steps ------------------------------------------------------------------------------------

    def steps(self) -> list[StepRecord]:
        """The steps that are done, in order.

        Raises:
          CurationError: a record cannot be read, or one is missing between others.
        """
        records = {
            name: record for name in self._names() if (record := self.record(name)) is not None
        }
        following = {record.after: record for record in records.values()}
        chain: list[StepRecord] = []
        while (record := following.pop(chain[-1].name if chain else None, None)) is not None:
            chain.append(record)
        if len(chain) < len(records):
            lost = sorted(set(records) - {record.name for record in chain})[0]
            raise CurationError(
                f"{self.folder.step_path(lost)}: it follows the step {records[lost].after!r}, "
                "which is not there or is followed by another; a ledger's folders belong together"
            )
        return chain

    def record(self, step: str) -> StepRecord | None:
        """What a step did; None if it is not done."""
        path = self.folder.step_record_path(step)
        try:
            mark = FileMark.of(path.stat())
            known = self._records.get(step)
            if known is None or known[0] != mark:
                known = self._records[step] = (mark, StepRecord(**load_json(path)))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError) as error:
            raise CurationError(f"{path}: is no record of a step: {error}") from error
        return known[1]

    def begun(self) -> str | None:
        """The step that is begun and not done; None: there is none."""
        open_steps = [name for name in self._names() if self.record(name) is None]
        if len(open_steps) > 1:
            raise CurationError(
                f"{self.folder.ledger_path}: {' and '.join(open_steps)} are both begun; expected "
                "one step at a time. Remove the folder of the one that is not wanted"
            )
        return open_steps[0] if open_steps else None

    def _names(self) -> list[str]:
        path = self.folder.ledger_path
        if not path.is_dir():
            return []
        return sorted(entry.name for entry in path.iterdir() if (entry / "settings.json").is_file())

    # --- rows -------------------------------------------------------------------------------------

    def shards(self) -> int:
        """Number of shards.

        Raises:
          CurationError: nothing is selected yet.
        """
        first = self.record(FIRST_STEP)
        if first is None:
            raise CurationError(f"{self.folder.path}: nothing is selected yet")
        return first.shards

    def said(
        self,
        step: str,
        shard: int,
        columns: Sequence[str] | None = None,
        *,
        encoded: Sequence[str] = (),
    ) -> pa.Table:
        """What a step said of the photographs of a shard.

        Args:
          step: its name.
          shard: the shard's number.
          columns: these only; None: all.
          encoded: those of them, of strings, that come as dictionaries, as they mostly are stored.

        Raises:
          CurationError: the file is missing or cannot be read.
        """
        path = self.folder.shard_path(step, shard)
        try:
            # Not `read_table`, and no threads: for files as small as these it takes three times
            # as long, and imports pandas.
            with pq.ParquetFile(path, read_dictionary=list(encoded)) as file:
                return file.read(columns=columns, use_threads=False)
        except FileNotFoundError:
            raise CurationError(f"{path}: missing; {step} is not done, or was not here") from None
        except (OSError, pa.ArrowException) as error:
            raise CurationError(f"{path}: cannot be read: {error}") from error

    def left(
        self,
        shard: int,
        columns: Sequence[str] = (),
        *,
        after: str | None = None,
        encoded: Sequence[str] = (),
    ) -> pa.Table:
        """The photographs of a shard that went on.

        Args:
          shard: its number.
          columns: what is wanted of them besides `row`, by whatever step said it; null where that
            step was not asked of any (it has no such column: an error).
          after: the last step that is asked; None: the last that is done.
          encoded: those of the columns, of strings, that come as dictionaries.

        Returns:
          A table in order of `row`, int64, with these columns.

        Raises:
          CurationError: nothing is done, or no step has such a column.
        """
        return self.left_of(self.chain(after), shard, columns, encoded=encoded)

    def left_of(
        self,
        chain: Sequence[StepRecord],
        shard: int,
        columns: Sequence[str] = (),
        *,
        encoded: Sequence[str] = (),
    ) -> pa.Table:
        """As `left`, after these steps, which are done: for who asks of all shards."""
        step = chain[-1]
        # What the last one has of them is read with its causes: a file is opened once.
        own = [name for name in self._columns_of(step, shard) if name in columns] if columns else []
        last = self.said(step.name, shard, [*KEYS.names, *own], encoded=_among(own, encoded))
        if last["cause"].null_count < last.num_rows:
            last = last.filter(pc.is_null(last["cause"]))
        table = pa.table({name: last[name] for name in ("row", *own)})
        return self._with_columns(table, shard, columns, chain, encoded)

    def everyone(self, shard: int) -> pa.Table:
        """All selected photographs of a shard, one row each, with all that steps said of them.

        Returns:
          In order of `row`: the columns of all steps; `stage`, the last step that a photograph came
          to; `cause`, why it stopped there (null where it goes on); `settings_sha256`, the digest
          of that step's settings.
        """
        chain = self.chain(None)
        rows = rows_of(self.said(chain[0].name, shard, ["row"]))
        names = [name for step in chain for name in self.columns(step.name)]
        table = self.joined(shard, rows, names, chain)
        stage = np.zeros(len(rows), np.int16)
        cause = np.full(len(rows), None, object)
        for number, step in enumerate(chain):
            said = self.said(step.name, shard, ["row", "cause"])
            places = np.searchsorted(rows, rows_of(said))
            stage[places] = number
            cause[places] = said["cause"].to_pylist()
        for name, values in (
            ("stage", [step.name for step in chain]),
            ("settings_sha256", [step.settings_sha256 for step in chain]),
        ):
            column = pa.DictionaryArray.from_arrays(pa.array(stage), pa.array(values))
            table = table.append_column(name, column.cast(pa.string()))
            if name == "stage":
                table = table.append_column("cause", pa.array(cause.tolist(), pa.string()))
        return table

    def save(self, path: Path) -> int:
        """Writes the whole ledger as one Parquet file, see `everyone`; returns its rows.

        Raises:
          CurationError: nothing is done, or a file cannot be read.
          OSError: it cannot be written.
        """
        rows = 0
        schema = self.everyone(0).schema if self.chain(None)[0].shards else None
        if schema is None:
            raise CurationError(f"{self.folder.path}: no photograph was selected")
        with (
            writing_whole(path) as file,
            pq.ParquetWriter(file, schema, compression="zstd") as writer,
        ):
            for shard in range(self.shards()):
                table = self.everyone(shard)
                writer.write_table(table.cast(schema))
                rows += table.num_rows
        return rows

    def joined(
        self,
        shard: int,
        rows: npt.NDArray[np.int64],
        columns: Sequence[str],
        chain: Sequence[StepRecord] | None = None,
    ) -> pa.Table:
        """These rows of a shard with columns of any steps; null where a step had not a row."""
        chain = self.steps() if chain is None else chain
        return self._with_columns(pa.table({"row": pa.array(rows)}), shard, columns, chain)

    def _with_columns(
        self,
        table: pa.Table,
        shard: int,
        columns: Sequence[str],
        chain: Sequence[StepRecord],
        encoded: Sequence[str] = (),
    ) -> pa.Table:
        """Rows of a shard, with the columns that the table lacks of any of the steps."""
        if not columns:
            return table
        rows = rows_of(table)
        for step in chain:
            wanted = set(columns).difference(table.column_names)
            own = [name for name in self._columns_of(step, shard) if name in wanted]
            if not own:
                continue
            said = self.said(step.name, shard, ["row", *own], encoded=_among(own, encoded))
            known = rows_of(said)
            places = np.searchsorted(known, rows)
            inside = np.minimum(places, max(0, len(known) - 1))
            is_there = (known[inside] == rows) if len(known) else np.zeros(len(rows), bool)
            # Mostly all of them, in this order: then nothing has to be moved.
            is_same = len(known) == len(rows) and is_there.all()
            taken = said if is_same else said.take(pa.array(inside, mask=~is_there))
            for name in own:
                table = table.append_column(
                    said.schema.field(name).with_nullable(True), taken[name]
                )
        lost = [name for name in columns if name not in table.column_names]
        if lost:
            raise CurationError(
                f"{self.folder.path}: no step that is done has the column {lost[0]!r}; "
                f"done are {', '.join(step.name for step in chain)}"
            )
        return table.select(["row", *columns])

    def columns(self, step: str, shard: int = 0) -> list[str]:
        """The columns that a step has besides those that all have."""
        path = self.folder.shard_path(step, shard)
        try:
            names = pq.read_schema(path).names
        except (OSError, pa.ArrowException) as error:
            raise CurationError(f"{path}: cannot be read: {error}") from error
        return [name for name in names if name not in KEYS.names]

    def _columns_of(self, step: StepRecord, shard: int) -> list[str]:
        """The same of a step that is done, of which all shards have the same columns."""
        key = (step.name, step.finished_at)
        if key not in self._columns:
            self._columns[key] = self.columns(step.name, shard)
        return self._columns[key]

    def find(self, name: str) -> tuple[int, int] | None:
        """Shard and row of a photograph by its hash; None if it was not selected."""
        for shard in range(self.shards()):
            said = self.said(FIRST_STEP, shard, ["row", "hash"])
            place = pc.index(said["hash"], name).as_py()
            if place >= 0:
                return shard, said["row"][place].as_py()
        return None

    def chain(self, last: str | None = None) -> list[StepRecord]:
        """The steps that are done, to this one; None: all.

        Raises:
          CurationError: that one is not done.
        """
        chain = self.steps()
        names = [step.name for step in chain]
        if not chain or (last is not None and last not in names):
            raise CurationError(f"{self.folder.path}: {last or FIRST_STEP} is not done yet")
        return chain if last is None else chain[: names.index(last) + 1]


def _among(names: Sequence[str], some: Sequence[str]) -> list[str]:
    return [name for name in names if name in some]


def rows_of(table: pa.Table) -> npt.NDArray[np.int64]:
    """The column `row` of what a step said or was given, ``(photographs,)`` of int64."""
    column = table["row"].combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # an empty one stays chunked
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.int64())
    return numbers_of(column)
