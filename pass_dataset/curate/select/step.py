"""The step `select`: metadata in, a ledger of the photographs that are asked for out."""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import FIRST_STEP, Ledger
from pass_dataset.curate.select import known_totals
from pass_dataset.curate.select.duplicates import repeated
from pass_dataset.curate.select.gathered import Counts
from pass_dataset.curate.select.pieces import Piece, PieceFolder, Sizes, pieces_of
from pass_dataset.curate.select.readers import Readers
from pass_dataset.curate.select.rules import BY_RULE, NO_FAULT
from pass_dataset.curate.select.settings import SelectSettings
from pass_dataset.curate.select.sources import Source, find_sources
from pass_dataset.curate.select.whole import Pieces, put_together, write_shards
from pass_dataset.curate.select.worker import gather
from pass_dataset.curate.settings import as_content
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.errors import CurationError
from pass_dataset.files.checked_json import load_json, save_json
from pass_dataset.progress import Progress, shown_by
from pass_dataset.workers.cores import available_cores

__all__ = ["run_select"]

logger = logging.getLogger(__name__)

#: What the pieces are written as; those of another are read anew.
_SCHEMA = 2
#: Less than this is read sooner than workers are there.
_SMALL_BYTES = 16 << 20


def run_select(
    folder: CurationFolder,
    settings: SelectSettings,
    metadata: Sequence[str | Path],
    *,
    strict: bool = False,
    workers: int | None = None,
    sizes: Sizes | None = None,
    progress: Progress | None = None,
) -> StepRecord:
    """Selects photographs; a step that was killed goes on where it was.

    Args:
      folder: of the curation; made if it is new.
      settings: what is asked for.
      metadata: files, folders and addresses: YFCC100M's metadata as text (plain, bz2, gz, zst) or
        SQLite, or tables (CSV, TSV, Parquet) of one's own. The order is that of the ledger.
      strict: a row that cannot be used is an error.
      workers: processes; None: one a core. They change nothing of the result.
      sizes: how much a worker does at a time.
      progress: where it is shown.

    Returns:
      What was done. Its `details` have what was read (`read`), refused, by cause (`refused`), noted
      of what is kept (`noted`), where each was met first (`first`), photographs and videos by
      licence (`licenses`), and the files (`sources`). `read` is the sum of `refused` and of the
      photographs of the ledger.

    Raises:
      CurationError: the metadata is not there or cannot be read, the settings are others than it
        was begun with, or `strict` found something.
      DownloadError: a server does not send it.
      FolderLockedError: another process has the curation.
      OSError: it cannot be written.
    """
    sources = find_sources([str(place) for place in metadata])
    with folder.held():
        ledger = Ledger(folder)
        done = ledger.record(FIRST_STEP)
        if done is not None:
            _refuse_other(sources, done.details["sources"], folder)
        writer = begin_step(ledger, FIRST_STEP, as_content(settings))
        if done is not None:
            return done
        pieces = _opened_pieces(folder, sources)
        _gather(sources, settings, pieces, sizes or Sizes(), workers, progress)
        whole = put_together(sources, settings, pieces)
        details = _details(sources, whole)
        if not whole.counts.selected:
            raise CurationError(_nothing(details))
        same = {
            "duplicate-id": repeated(whole.files, "photo_id", "id_key"),
            "duplicate-hash": repeated(whole.files, "hash", "hash_key"),
        }
        if strict:
            _refuse_faults(
                whole.counts, details, {cause: len(rows) for cause, rows in same.items()}
            )
        write_shards(
            whole,
            sources,
            settings,
            writer,
            same_id=same["duplicate-id"],
            same_hash=same["duplicate-hash"],
        )
        record = writer.finish(details)
        shutil.rmtree(folder.work_path(FIRST_STEP), ignore_errors=True)
        return record


def _opened_pieces(folder: CurationFolder, sources: Sequence[Source]) -> PieceFolder:
    """The folder of the pieces, which belong to these files of metadata."""
    path = folder.work_path(FIRST_STEP)
    path.mkdir(parents=True, exist_ok=True)
    plan = path / "plan.json"
    now = {"schema": _SCHEMA, "sources": _described(sources)}
    try:
        stored: dict[str, Any] | None = load_json(plan)
    except FileNotFoundError:
        stored = None
    except ValueError as error:
        raise CurationError(f"{plan}: {error}; remove its folder and go on") from error
    pieces = PieceFolder(path)
    # Of metadata that could not be read there is nothing that others could be mixed with.
    if stored is not None and stored.get("schema") == _SCHEMA and pieces.has_any():
        _refuse_other(sources, stored["sources"], folder)
    else:
        shutil.rmtree(path)
        path.mkdir()
        save_json(plan, now, indent=1)
    pieces.sweep()
    return pieces


def _described(sources: Sequence[Source]) -> list[dict[str, Any]]:
    """What tells files of metadata from others; not where they lie."""
    return [
        {
            "name": source.name,
            "size_bytes": source.size_bytes,
            "form": source.form,
            "columns": source.columns,
        }
        for source in sources
    ]


def _refuse_other(
    sources: Sequence[Source], before: Sequence[dict[str, Any]], folder: CurationFolder
) -> None:
    keys = ("name", "size_bytes")
    known = [tuple(source[key] for key in keys) for source in before]
    now = [tuple(source[key] for key in keys) for source in _described(sources)]
    if known != now:
        said = [
            ", ".join(f"{name} ({size:,} bytes)" for name, size in each) for each in (known, now)
        ]
        raise CurationError(
            f"{folder.path}: was begun with other metadata: {said[0]}; asked for is {said[1]}. "
            "Take another folder"
        )


def _gather(
    sources: Sequence[Source],
    settings: SelectSettings,
    folder: PieceFolder,
    sizes: Sizes,
    workers: int | None,
    progress: Progress | None,
) -> None:
    """Has all pieces gathered that are not."""
    done: Generator[tuple[Piece, int], None, None]
    rows, size = 0, sum(source.size_bytes for source in sources)
    with shown_by(progress) as where:
        task = where.task("select", size, "bytes")

        def coming() -> Iterator[Piece]:
            for number, source in enumerate(sources):
                yield from pieces_of(source, number, folder, sizes, task.advance)

        if workers is None and size < _SMALL_BYTES:
            done = (
                (piece, gather(piece, sources[piece.source], settings, folder))
                for piece in coming()
            )
        else:
            readers = Readers(coming(), folder, sources, settings)
            done = cast(
                "Generator[tuple[Piece, int], None, None]",
                readers.run(workers or available_cores()),
            )
        try:
            with contextlib.closing(done):
                for piece, count in done:
                    rows += count
                    task.describe(f"select: {rows:,} rows")
                    task.advance(piece.size_bytes)
                    folder.drop_spool(piece)
        finally:
            task.finish()


def _details(sources: Sequence[Source], whole: Pieces) -> dict[str, Any]:
    counts = whole.counts
    if counts.rows != sum(counts.refused.values()) + counts.selected:
        raise CurationError(
            f"of {counts.rows:,} rows, {sum(counts.refused.values()):,} were refused and "
            f"{counts.selected:,} selected: this does not add up, and is a mistake of this program"
        )
    details: dict[str, Any] = {
        "read": counts.rows,
        "refused": _by_count(counts.refused),
        "noted": _by_count(counts.noted),
        "first": dict(sorted(counts.first.items())),
        "licenses": dict(sorted(counts.licenses.items())),
        "sources": [
            {**source, "rows": rows}
            for source, rows in zip(_described(sources), whole.rows_of, strict=True)
        ],
    }
    if sources[0].form in ("text", "sqlite"):
        is_whole = known_totals.is_whole(counts.rows)
        found = known_totals.differences(counts.rows, counts.licenses) if is_whole else []
        details["yfcc100m"] = {"is_whole": is_whole, "differences": found}
        for line in found:
            logger.warning("YFCC100M: %s", line)
    return details


def _by_count(counted: dict[str, int]) -> dict[str, int]:
    """Those that occur, most first."""
    return dict(sorted(((k, n) for k, n in counted.items() if n), key=lambda kn: (-kn[1], kn[0])))


def _refuse_faults(counts: Counts, details: dict[str, Any], duplicates: dict[str, int]) -> None:
    """Raises for what `strict` does not let pass."""
    faults = [
        f"{cause}: {count:,}, the first: {counts.first[cause]}"
        for found, allowed in ((counts.refused, BY_RULE), (counts.noted, NO_FAULT))
        for cause, count in _by_count(found).items()
        if cause not in allowed
    ]
    faults += [f"{cause}: {count:,}" for cause, count in _by_count(duplicates).items()]
    faults += details.get("yfcc100m", {}).get("differences", [])
    if faults:
        listed = "\n  ".join(faults)
        raise CurationError(
            f"--strict: the metadata is not as it should be:\n  {listed}\n"
            "Nothing was selected. Without --strict, these rows are counted and left out"
        )


def _nothing(details: dict[str, Any]) -> str:
    refused = ", ".join(f"{cause} {count:,}" for cause, count in details["refused"].items())
    return (
        f"of {details['read']:,} rows of metadata none was selected ({refused or 'there are none'})"
    )
