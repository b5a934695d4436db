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

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.photographs import UNLIKE_COLUMNS
from pass_dataset.curate.settings import differences, settings_sha256
from pass_dataset.errors import CurationError
from pass_dataset.files.arrow import numbers_of
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.files.hashing import file_sha256
from pass_dataset.files.whole import writing_whole
from pass_dataset.folders.file_mark import FileMark

__all__ = ["FIRST_STEP", "KEYS", "Ledger", "StepRecord", "StepWriter", "rows_of"]

#: The step that begins a ledger: it says which photographs there are.
FIRST_STEP = "select"
#: Columns that all steps have.
KEYS = pa.schema([pa.field("row", pa.int64(), nullable=False), pa.field("cause", pa.string())])
#: Shards that are written, or read back, at a time: while one waits for the disk, others are made.
_THREADS = 4
_SETTINGS_KEY = b"settings_sha256"


@dataclass(frozen=True)
class StepRecord:
    """What a step did, written when it was done.

    Attributes:
      name: of the step.
      after: the step before it, whose photographs it was given; None: it is the first.
      settings: what it was begun with, and their digest.
      shards: files.
      came: photographs that came to it.
      causes: those that went no further, by cause, most first.
      details: what it counted besides, such as rows of metadata that were not selected.
      sha256: of each file, by its name.
      finished_at: UTC, as ISO 8601.
    """

    name: str
    after: str | None
    settings: dict[str, Any]
    settings_sha256: str
    shards: int
    came: int
    causes: dict[str, int]
    details: dict[str, Any]
    sha256: dict[str, str] = field(repr=False)
    finished_at: str

    @property
    def left(self) -> int:
        """Photographs that went on."""
        return self.came - sum(self.causes.values())


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

    def begin(
        self, step: str, settings: Mapping[str, Any], *, needs: Collection[str] = ()
    ) -> StepWriter:
        """Begins a step or goes on with it; from then on its settings stay.

        Args:
          step: its name.
          settings: what decides what it says, as JSON has it; where and how fast is not among it.
          needs: steps that must be done before.

        Returns:
          What the step writes with. Of a step that is done, nothing is left to write.

        Raises:
          CurationError: it was begun with other settings, or is not to be done now.
          OSError: the folder cannot be written.
        """
        done = [record.name for record in self.steps()]
        missing = sorted(set(needs) - set(done))
        if missing:
            raise CurationError(
                f"{self.folder.path}: {step} needs {' and '.join(missing)} to be done first"
            )
        path = self.folder.step_settings_path(step)
        stored = self._stored_settings(step)
        if stored is None:
            if step != FIRST_STEP and not done:
                raise CurationError(
                    f"{self.folder.path}: {step} needs {FIRST_STEP} to be done first"
                )
            other = self.begun()
            if other is not None:
                raise CurationError(
                    f"{self.folder.path}: {other} is begun and not done; go on with it first"
                )
            stored = {"after": done[-1] if done else None, "settings": dict(settings)}
            path.parent.mkdir(parents=True, exist_ok=True)
            save_json(path, stored, indent=1)
        found = differences(stored["settings"], settings)
        if found:
            listed = "\n  ".join(found)
            raise CurationError(
                f"{self.folder.path}: {step} has other settings:\n  {listed}\n"
                "What was begun keeps its settings: take another folder, or the settings it has"
            )
        return StepWriter(self, step, stored["after"], stored["settings"])

    def _stored_settings(self, step: str) -> dict[str, Any] | None:
        path = self.folder.step_settings_path(step)
        try:
            return load_json(path)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise CurationError(f"{path}: cannot be read: {error}") from error

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


class StepWriter:
    """Adds a step's part to the ledger. It can be made again anywhere from the same arguments."""

    def __init__(
        self, ledger: Ledger, step: str, after: str | None, settings: Mapping[str, Any]
    ) -> None:
        self.ledger = ledger
        self.step = step
        self.after = after
        self.settings = dict(settings)
        self.settings_sha256 = settings_sha256(self.settings)
        self._folder = ledger.folder
        self._columns_of_its_own: set[tuple[str, ...]] = set()
        self._before: list[StepRecord] | None = None
        # Rows that this step was given of each shard; most are of one stretch.
        self._given_rows: dict[int, npt.NDArray[np.int64] | range] = {}

    @property
    def record(self) -> StepRecord | None:
        """What the step did; None if it is not done."""
        return self.ledger.record(self.step)

    def missing(self) -> list[int]:
        """Shards that are not written, of a step after the first."""
        return [
            shard
            for shard in range(self.ledger.shards())
            if not self._folder.shard_path(self.step, shard).exists()
        ]

    def given(
        self, shard: int, columns: Sequence[str] = (), *, encoded: Sequence[str] = ()
    ) -> pa.Table:
        """The photographs of a shard that this step is to speak of; see `Ledger.left`."""
        if self._before is None:
            # Those before this one are done, and stay as they are while it is not.
            self._before = self.ledger.chain(self.after)
        given = self.ledger.left_of(self._before, shard, columns, encoded=encoded)
        self._given_rows.setdefault(shard, _compact(rows_of(given)))
        return given

    def write_missing(self, said: Callable[[int], pa.Table]) -> None:
        """Writes all shards that are missing, some of them at a time.

        A file is on the disk when it has its name, and the disk has one wait: other shards are made
        meanwhile.

        Args:
          said: what the step says of a shard, as `write` takes it, by its number; called from
            several threads.

        Raises:
          CurationError, OSError: as `write`; the shards that are written stay.
        """
        with ThreadPoolExecutor(_THREADS, "ledger") as pool:
            for _ in pool.map(lambda shard: self.write(shard, said(shard)), self.missing()):
                pass

    def write(self, shard: int, said: pa.Table) -> Path:
        """Writes what the step says of a shard; the file gets its name when it is whole.

        Args:
          shard: its number.
          said: `row`, `cause` and the step's own columns, in order of `row`.

        Raises:
          CurationError: it does not speak of the photographs that it was given, or has a column
            that another step has.
          OSError: it cannot be written.
        """
        if said.schema.names[: len(KEYS.names)] != KEYS.names:
            said = said.select(
                [*KEYS.names, *(n for n in said.column_names if n not in KEYS.names)]
            )
        said = said.cast(pa.schema([*KEYS, *list(said.schema)[len(KEYS.names) :]]))
        rows = rows_of(said)
        if self.after is not None:
            expected = self.expected(shard)
            if not np.array_equal(rows, expected):
                raise CurationError(
                    f"{self.step}: shard {shard} was given {len(expected)} photographs and speaks "
                    f"of {len(rows)}, or of others, or in another order"
                )
            self._refuse_known_columns(said.column_names, shard)
        elif len(rows) and not (np.diff(rows) == 1).all():
            raise CurationError(f"{self.step}: rows of shard {shard} are not in order")
        metadata = {_SETTINGS_KEY: self.settings_sha256.encode(), b"step": self.step.encode()}
        path = self._folder.shard_path(self.step, shard)
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing_whole(path) as file:
            pq.write_table(
                said.replace_schema_metadata(metadata),
                file,
                compression="zstd",
                use_dictionary=_repetitive(said.schema),
            )
        return path

    def expected(self, shard: int) -> npt.NDArray[np.int64]:
        """The rows that this step is to speak of: read once, as nothing written changes."""
        if shard not in self._given_rows:
            self.given(shard)
        rows = self._given_rows[shard]
        return np.arange(rows.start, rows.stop) if isinstance(rows, range) else rows

    def _refuse_known_columns(self, names: Sequence[str], shard: int) -> None:
        # All shards of a step have the same columns.
        if tuple(names) in self._columns_of_its_own:
            return
        for step in self.ledger.steps():
            if step.name == self.step:
                continue
            known = (set(self.ledger.columns(step.name, shard)) | {"stage"}) & set(names)
            if known:
                raise CurationError(
                    f"{self.step}: column {sorted(known)[0]!r} is one that {step.name} has"
                )
        self._columns_of_its_own.add(tuple(names))

    def finish(self, details: Mapping[str, Any] | None = None) -> StepRecord:
        """Says that the step is done, with what its files say when they are read back.

        Args:
          details: what it counted besides, as JSON has it.

        Raises:
          CurationError: a shard is missing, or is not what this step was given.
        """
        shards = self._shards()
        causes: Counter[str] = Counter()
        sums: dict[str, str] = {}
        came = 0
        with ThreadPoolExecutor(_THREADS, "ledger") as pool:
            for shard, (said, digest) in enumerate(pool.map(self._read_back, range(shards))):
                rows = rows_of(said)
                expected = (
                    np.arange(came, came + len(rows))
                    if self.after is None
                    else self.expected(shard)
                )
                path = self._folder.shard_path(self.step, shard)
                if not np.array_equal(rows, expected):
                    raise CurationError(
                        f"{path}: expected the {len(expected):,} photographs that this step was "
                        f"given, found {len(rows):,} or others; remove it and go on"
                    )
                came += len(rows)
                sums[path.name] = digest
                if said["cause"].null_count < len(rows):
                    counted = pc.value_counts(said["cause"].drop_null()).to_pylist()
                    causes.update({entry["values"]: entry["counts"] for entry in counted})
        record = StepRecord(
            name=self.step,
            after=self.after,
            settings=self.settings,
            settings_sha256=self.settings_sha256,
            shards=shards,
            came=came,
            causes=dict(sorted(causes.items(), key=lambda cause: (-cause[1], cause[0]))),
            details=dict(details or {}),
            sha256=sums,
            finished_at=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        )
        save_json(self._folder.step_record_path(self.step), asdict(record), indent=1)
        return record

    def _read_back(self, shard: int) -> tuple[pa.Table, str]:
        """`row` and `cause` of what is written of a shard, and the SHA-256 of the file."""
        said = self.ledger.said(self.step, shard, KEYS.names)
        return said, file_sha256(self._folder.shard_path(self.step, shard))

    def _shards(self) -> int:
        if self.after is not None:
            missing = self.missing()
            if missing:
                raise CurationError(
                    f"{self._folder.path}: {self.step}: {len(missing)} of {self.ledger.shards()} "
                    "shards are not done"
                )
            return self.ledger.shards()
        names = {path.name for path in self._folder.step_path(self.step).glob("*.parquet")}
        expected = {self._folder.shard_path(self.step, shard).name for shard in range(len(names))}
        if names != expected:
            lost = sorted(expected - names)[0]
            raise CurationError(f"{self._folder.step_path(self.step)}: {lost} is missing")
        return len(names)


def _compact(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | range:
    """Numbers of rows, which mostly are all of a stretch."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return range(int(rows[0]), int(rows[-1]) + 1)
    # Not as a view of all that was read with them.
    copied: npt.NDArray[np.int64] = rows.copy()
    return copied


def _among(names: Sequence[str], some: Sequence[str]) -> list[str]:
    return [name for name in names if name in some]


def _repetitive(schema: pa.Schema) -> list[str]:
    """Columns in which much is the same: only there is looking for it worth its time."""
    return [
        item.name
        for item in schema
        if not pa.types.is_primitive(item.type) and item.name not in UNLIKE_COLUMNS
    ]


def rows_of(table: pa.Table) -> npt.NDArray[np.int64]:
    """The column `row` of what a step said or was given, ``(photographs,)`` of int64."""
    column = table["row"].combine_chunks()
    if isinstance(column, pa.ChunkedArray):  # an empty one stays chunked
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.int64())
    return numbers_of(column)
