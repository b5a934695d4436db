"""Writing a step's part of the ledger: begun with settings that stay, shard by shard, read back."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.curate.ledger import FIRST_STEP, KEYS, Ledger, rows_of
from pass_dataset.curate.photographs import UNLIKE_COLUMNS
from pass_dataset.curate.settings import differences, settings_sha256
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.errors import CurationError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.files.hashing import file_sha256
from pass_dataset.files.whole import writing_whole
from pass_dataset.workers.threads import in_threads

__all__ = ["StepWriter", "begin_step"]

_SETTINGS_KEY = b"settings_sha256"
#: Shards that are written, or read back, at a time: while one waits for the disk, others are made.
_THREADS = 4


def begin_step(
    ledger: Ledger, step: str, settings: Mapping[str, Any], *, needs: Collection[str] = ()
) -> StepWriter:
    """Begins a step or goes on with it; from then on its settings stay.

    Args:
      ledger: whose step it is.
      step: its name.
      settings: what decides what it says, as JSON has it; where and how fast is not among it.
      needs: steps that must be done before.

    Returns:
      What the step writes with. Of a step that is done, nothing is left to write.

    Raises:
      CurationError: it was begun with other settings, or is not to be done now.
      OSError: the folder cannot be written.
    """
    done = [record.name for record in ledger.steps()]
    missing = sorted(set(needs) - set(done))
    if missing:
        raise CurationError(
            f"{ledger.folder.path}: {step} needs {' and '.join(missing)} to be done first"
        )
    path = ledger.folder.step_settings_path(step)
    stored = _stored_settings(path)
    if stored is None:
        if step != FIRST_STEP and not done:
            raise CurationError(f"{ledger.folder.path}: {step} needs {FIRST_STEP} to be done first")
        other = ledger.begun()
        if other is not None:
            raise CurationError(
                f"{ledger.folder.path}: {other} is begun and not done; go on with it first"
            )
        stored = {"after": done[-1] if done else None, "settings": dict(settings)}
        path.parent.mkdir(parents=True, exist_ok=True)
        save_json(path, stored, indent=1)
    found = differences(stored["settings"], settings)
    if found:
        listed = "\n  ".join(found)
        raise CurationError(
            f"{ledger.folder.path}: {step} has other settings:\n  {listed}\n"
            "What was begun keeps its settings: take another folder, or the settings it has"
        )
    return StepWriter(ledger, step, stored["after"], stored["settings"])


def _stored_settings(path: Path) -> dict[str, Any] | None:
    try:
        return load_json(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise CurationError(f"{path}: cannot be read: {error}") from error


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
        for _ in in_threads(lambda shard: self.write(shard, said(shard)), self.missing(), _THREADS):
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
        for shard, (said, digest) in enumerate(
            in_threads(self._read_back, range(shards), _THREADS)
        ):
            rows = rows_of(said)
            expected = (
                np.arange(came, came + len(rows)) if self.after is None else self.expected(shard)
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


def _repetitive(schema: pa.Schema) -> list[str]:
    """Columns in which much is the same: only there is looking for it worth its time."""
    return [
        item.name
        for item in schema
        if not pa.types.is_primitive(item.type) and item.name not in UNLIKE_COLUMNS
    ]
