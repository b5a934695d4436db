"""The step `rank`: scores of the photographs that are left, in the ledger. It lets all go on."""

from __future__ import annotations

import pyarrow as pa

from pass_dataset.curate.filter.fetched import FetchedPhotographs
from pass_dataset.curate.filter.opt_outs import OptOuts
from pass_dataset.curate.filter.verdicts import require_same_photographs
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.ranking.catalogue import open_rankers
from pass_dataset.curate.ranking.folder import IMAGE, RankFolder
from pass_dataset.curate.ranking.run import rank_images
from pass_dataset.curate.ranking.settings import RankSettings
from pass_dataset.curate.ranking.work import RankWork
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import StepWriter, begin_step
from pass_dataset.executors.executor import Executor
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.progress import Progress

__all__ = ["STEP", "run_rank"]

STEP = "rank"
_FETCH = "fetch"


def run_rank(
    folder: CurationFolder,
    settings: RankSettings,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> StepRecord | None:
    """Does the step `rank`, or goes on with it.

    It says of each photograph what the rankers say, in columns of their own, and in the column
    ``rank_problem`` why that is not there; nobody goes no further for it.

    Args:
      folder: the curation, of which what was fetched is there.
      settings: what is asked.
      executor: where, made with a `RankWork` of the same rankers; None: on this machine.
      workers: processes on this machine; None: one a core.
      progress: where progress is shown.

    Returns:
      The record of the step; None: others are still at work (`Executor.waits`), and the same call,
      later, ends the step.

    Raises:
      CurationError: the step was begun with other settings, or the tars are not those that were
        fetched.
      RunError: shards failed.
      WeightsError, MissingExtraError: a ranker cannot be had.
      FolderLockedError: another process has the curation.
    """
    rankers = open_rankers(settings.names)
    content = {
        "rankers": [[name, one.identity] for name, one in rankers.items()],
        "max_pixels": settings.max_pixels,
    }
    with folder.held():
        writer = begin_step(Ledger(folder), STEP, content, needs=[_FETCH])
        if (done := writer.record) is not None:
            return done
        tars = folder.work_path(_FETCH) / "tars"
        assert writer.after is not None  # fetch comes first
        photographs = FetchedPhotographs(
            tars, writer.ledger, writer.after, OptOuts.load(None, tars)
        )
        columns = pa.schema([field for one in rankers.values() for field in one.columns])
        ranked = RankFolder(folder.work_path(STEP))
        if not photographs.count():
            _write(writer, photographs, None, columns)
            return writer.finish({"ranked": 0})
        report = rank_images(
            ranked,
            SourceSettings(SourceSettings.of(tars).path, "tar"),
            settings,
            executor or LocalExecutor(RankWork(workers=workers, rankers=settings.names)),
            listing=photographs,
            progress=progress,
        )
        if report.shards_left:
            return None
        _write(writer, photographs, ranked, columns)
        problems = sum(report.problems.values())
        return writer.finish({"ranked": report.images - problems, "problems": report.problems})


def _write(
    writer: StepWriter,
    photographs: FetchedPhotographs,
    ranked: RankFolder | None,
    columns: pa.Schema,
) -> None:
    """Writes what is missing of the step."""
    missing = set(writer.missing())
    rows = _Rows(ranked, columns)
    for shard in range(photographs.shards):
        given, opted_out = photographs.given(shard)
        asked = given.filter(pa.array(~opted_out))
        found = rows.take(asked.num_rows)
        require_same_photographs(shard, asked, found)
        if shard not in missing:
            continue
        places = pa.array((~opted_out).cumsum() - 1, pa.int64(), mask=opted_out)
        said = found.take(places)
        writer.write(
            shard,
            pa.table(
                {
                    "row": given["row"],
                    "cause": pa.nulls(given.num_rows, pa.string()),
                    "rank_problem": said["problem"],
                    **{name: said[name] for name in columns.names},
                }
            ),
        )


class _Rows:
    """Results of all shards of a ranking, taken from the beginning to the end."""

    def __init__(self, ranked: RankFolder | None, columns: pa.Schema) -> None:
        schema = pa.schema([*IMAGE, *columns])
        self._rest = schema.empty_table()
        self._tables = iter(()) if ranked is None else ranked.tables(schema.names)

    def take(self, count: int) -> pa.Table:
        """The next rows; fewer where there are no more."""
        parts, have = [self._rest], self._rest.num_rows
        while have < count and (table := next(self._tables, None)) is not None:
            parts.append(table)
            have += table.num_rows
        rows = pa.concat_tables(parts)
        self._rest = rows.slice(count)
        return rows.slice(0, count).combine_chunks()
