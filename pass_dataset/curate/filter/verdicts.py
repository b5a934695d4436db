"""What a run of passify found of the photographs of each shard of the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.hash_lists import AROUND_HASH
from pass_dataset.archives.list_lines import name_examples
from pass_dataset.curate.filter.fetched import FetchedPhotographs, tar_name
from pass_dataset.curate.filter.opt_outs import OPTED_OUT
from pass_dataset.errors import CurationError
from pass_dataset.passify.runs.outcomes import FROM_SCORES, TARGETS, Thresholds, outcome_of
from pass_dataset.passify.runs.results import Results

__all__ = ["Verdicts", "require_examined", "require_same_photographs", "verdicts_of"]

#: Columns of the run's results that are asked for.
_COLUMNS = ("path", "sha256", "width", "height", "face_max_score", "person_max_score")


@dataclass(frozen=True)
class Verdicts:
    """What is known of the photographs of a shard.

    Attributes:
      shard: its number.
      said: a table in order of row: `row` int64; `reason` string, null where nothing is against the
        photograph; `width`, `height` int32; `face_max_score`, `person_max_score` float32.
    """

    shard: int
    said: pa.Table

    def sound(self) -> pa.Table:
        """What the step `sound` says: `row`, `cause`, `width`, `height`."""
        return pa.table(
            {
                "row": self.said["row"],
                "cause": self._causes(about_people=False),
                "width": self.said["width"],
                "height": self.said["height"],
            }
        )

    def filtered(self) -> pa.Table:
        """What the step `filter` says of those that are sound: `row`, `cause` and scores."""
        table = pa.table(
            {
                "row": self.said["row"],
                "cause": self._causes(about_people=True),
                "face_score": self.said["face_max_score"],
                "person_score": self.said["person_max_score"],
            }
        )
        return table.filter(pc.is_null(self._causes(about_people=False)))

    def _causes(self, *, about_people: bool) -> pa.ChunkedArray:
        reasons = self.said["reason"]
        people = pc.is_in(reasons, value_set=pa.array(TARGETS, pa.string()))
        wanted = people if about_people else pc.invert(people)
        return pc.if_else(wanted, reasons, pa.scalar(None, pa.string()))


def require_examined(results: Results) -> None:
    """Refuses a run with images that could not be examined: nothing is known of these.

    Raises:
      CurationError: there are some; the message names the first.
    """
    failed = sum(stats.outcomes.get("failed", 0) for stats in results.folder.stats())
    if not failed:
        return
    names: list[str] = []
    for table in results.tables(["path", "reason", "message"]):
        for row in table.to_pylist():
            if outcome_of(row["reason"]) == "failed":
                names.append(f"{row['path']} ({row['reason']}: {row['message']})")
        if len(names) >= min(failed, 10):
            break
    raise CurationError(
        f"{results.folder.path}: {failed:,} photographs could not be examined: "
        f"{name_examples(names)}. Nothing is known against them, so none is let go: --retry-failed "
        "tries them again; where that is of no use, --give-up-failed leaves them out, with the "
        "reason as their cause"
    )


def verdicts_of(
    photographs: FetchedPhotographs, results: Results | None, thresholds: Thresholds
) -> Iterator[Verdicts]:
    """What a run found, by shards of the ledger.

    Args:
      photographs: what was listed for the run.
      results: the run, which is whole; None: there was nothing to look at.
      thresholds: those of the run.

    Raises:
      CurationError: its results are not of these photographs, or not of these bytes.
      RunError: they cannot be read.
    """
    found = _Rows(results, thresholds)
    for shard in range(photographs.shards):
        given, opted_out = photographs.given(shard)
        examined = found.take(int((~opted_out).sum()))
        require_same_photographs(shard, given.filter(pa.array(~opted_out)), examined)
        _require_looked_at(shard, examined)
        # Where the row of each is among those that were examined; null: it is not.
        places = pa.array(np.cumsum(~opted_out) - 1, pa.int64(), mask=opted_out)
        said = examined.take(places)
        reasons = pc.if_else(pa.array(opted_out), pa.scalar(OPTED_OUT), said["reason"])
        said = said.set_column(said.schema.get_field_index("reason"), "reason", reasons)
        yield Verdicts(shard, said.add_column(0, "row", given["row"]))


class _Rows:
    """The rows of a run, taken from its beginning to its end."""

    def __init__(self, results: Results | None, thresholds: Thresholds) -> None:
        self._tables: Iterator[pa.Table] = (
            iter(()) if results is None else _judged(results, thresholds)
        )
        self._rest = _empty()

    def take(self, count: int) -> pa.Table:
        """The next rows; fewer where there are no more."""
        parts = [self._rest]
        while sum(part.num_rows for part in parts) < count:
            table = next(self._tables, None)
            if table is None:
                break
            parts.append(table)
        rows = pa.concat_tables(parts)
        self._rest = rows.slice(count)
        return rows.slice(0, count).combine_chunks()


def _judged(results: Results, thresholds: Thresholds) -> Iterator[pa.Table]:
    for table, reasons in results.judged(thresholds, _COLUMNS):
        chosen = table.select(_COLUMNS).replace_schema_metadata(None)
        yield chosen.append_column("reason", reasons.cast(pa.string()))


def _empty() -> pa.Table:
    return pa.schema(
        [
            ("path", pa.string()),
            ("sha256", pa.string()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("face_max_score", pa.float32()),
            ("person_max_score", pa.float32()),
            ("reason", pa.string()),
        ]
    ).empty_table()


def require_same_photographs(shard: int, asked: pa.Table, examined: pa.Table) -> None:
    """Refuses rows that are not of these photographs, one by one and in order.

    Args:
      shard: of the ledger.
      asked: its photographs: `hash` and `sha256`.
      examined: what was found of each: `path` in the tars, and `sha256`, null where not known.

    Raises:
      CurationError: they are of others, or of other bytes.
    """
    paths = pc.starts_with(examined["path"], f"{tar_name(shard)}/")
    names = pc.replace_substring_regex(examined["path"], pattern=AROUND_HASH, replacement="")
    wanted = asked["hash"].to_pylist()
    found = names.to_pylist()
    if found != wanted or not pc.all(paths, min_count=0).as_py():
        unlike = next(
            (pair for pair in zip(wanted, found, strict=False) if pair[0] != pair[1]),
            (f"{len(wanted):,} photographs", f"{len(found):,}"),
        )
        raise CurationError(
            f"{tar_name(shard)}: expected results of the run for {unlike[0]}, found {unlike[1]}; "
            "the run is not of these photographs. Remove its folder in work/ and begin again"
        )
    known = pc.fill_null(pc.equal(examined["sha256"], asked["sha256"]), True)
    if not pc.all(known, min_count=0).as_py():
        place = pc.index(known, False).as_py()
        raise CurationError(
            f"{tar_name(shard)}: {wanted[place]}.jpg has other bytes than were fetched: expected "
            f"SHA-256 {asked['sha256'][place]}, found {examined['sha256'][place]}"
        )


def _require_looked_at(shard: int, examined: pa.Table) -> None:
    """Refuses rows of photographs that were not looked at for all that was asked."""
    strange = set(examined["reason"].unique().to_pylist()) & (FROM_SCORES - set(TARGETS))
    if strange:
        raise CurationError(
            f"{tar_name(shard)}: photographs were not looked at for all that was asked: "
            f"{sorted(strange)[0]}; remove the run's folder in work/ and begin again"
        )
