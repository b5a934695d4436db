"""Duplicates as a step of a curation: among the photographs that are left, and in other sets.

Photographs are read from the tars that `fetch` made, or where there are none from their files.
Fingerprints are kept in ``work/duplicates/hashes`` and hold for as long as the bytes do.

Columns that it adds: `duplicate_of` (the hash of the photograph that stays, or the path in the
other set), `duplicate_tier` (how the nearest pair of it is known), `duplicate_distance` (in bits,
of near pairs).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.duplicates.crops.weights import crop_weights
from pass_dataset.curate.duplicates.finding import (
    Duplicates,
    DuplicatesSettings,
    find_duplicates,
)
from pass_dataset.curate.duplicates.listing import ITEMS, Listing
from pass_dataset.curate.duplicates.other_sets import index_sha256, other_sets
from pass_dataset.curate.duplicates.report.document import write_report
from pass_dataset.curate.duplicates.results import causes_of, save_results
from pass_dataset.curate.duplicates.tiers import TIERS
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import FIRST_STEP, Ledger
from pass_dataset.curate.settings import as_content
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import StepWriter, begin_step
from pass_dataset.errors import CurationError
from pass_dataset.executors.executor import Executor
from pass_dataset.folders.file_mark import FileVersion
from pass_dataset.passify.sources.names import name_to_text
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.progress import Progress

__all__ = ["STEP", "run_duplicates"]

STEP = "duplicates"


def run_duplicates(
    folder: CurationFolder,
    settings: DuplicatesSettings,
    *,
    executor: Executor | None = None,
    describing: Executor | None = None,
    device: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> StepRecord | None:
    """Finds duplicates among the photographs that are left, or goes on with it.

    Args:
      folder: the curation.
      settings: what counts, and what stays. Of other sets the ledger has names and digests, not
        where their files are.
      executor: where photographs are hashed, made with `Hashing`; None: on this machine.
      describing: where they are described, if crops are asked for, made with `Describing`; None: on
        this machine.
      device: where their descriptors are compared, see `find_duplicates`.
      workers: processes on this machine; None: one a core.
      progress: shows how far it is.

    Returns:
      The record of the step; None: others still hash (`Executor.waits`), and the same call, later,
      ends the step.

    Raises:
      CurationError: it was begun with other settings, or photographs are not there.
      WeightsError: those of crops cannot be used.
      RunError: shards could not be hashed.
      FolderLockedError: another process has the curation.
      OSError: the folder cannot be written.
    """
    against = other_sets(settings)
    content = as_content(replace(settings, against=(), coco=()))
    del content["coco"]
    # Where the weights are is nothing to the ledger; which they are, is.
    for name in ("crops", "crops_sha256", "crop_cosine"):
        del content[name]
    if settings.crops is not None:
        weights = crop_weights(Path(settings.crops), settings.crops_sha256)
        content["crops_sha256"] = weights.sha256
        content["crop_cosine"] = settings.crop_cosine
    content["against"] = [{"name": index.name, "sha256": index_sha256(index)} for index in against]
    with folder.held():
        ledger = Ledger(folder)
        writer = begin_step(ledger, STEP, content, needs=[FIRST_STEP])
        if (done := writer.record) is not None:
            return done
        given = [writer.given(shard, _columns(ledger, writer)) for shard in range(ledger.shards())]
        listing = _listing(folder, given)
        if listing.items.num_rows == 0:
            for shard, table in enumerate(given):
                writer.write(shard, _nothing(table))
            return writer.finish({})
        work = folder.work_path(STEP)
        duplicates = find_duplicates(
            [listing],
            work / "hashes",
            settings,
            against,
            executor=executor,
            describing=describing,
            device=device,
            workers=workers,
            progress=progress,
        )
        if duplicates is None:
            return None
        save_results(duplicates, work)
        write_report(duplicates, work, progress=progress)
        _write(writer, duplicates, given)
        return writer.finish(duplicates.counts())


def _columns(ledger: Ledger, writer: StepWriter) -> list[str]:
    """What is asked of photographs: who they are, and where their bytes are."""
    known = {name for step in ledger.steps() for name in ledger.columns(step.name)}
    fetched = ["sha256", "size_bytes", "tar_offset"] if "tar_offset" in known else []
    return ["hash", "photo_id", "path", *fetched]


def _listing(folder: CurationFolder, given: Sequence[pa.Table]) -> Listing:
    """The photographs as a collection, in order of row.

    Raises:
      CurationError: photographs have neither been fetched nor files of their own.
    """
    items = []
    is_fetched = "tar_offset" in given[0].column_names if given else False
    for shard, table in enumerate(given):
        rows = table.num_rows
        if is_fetched:
            columns = [
                pc.binary_join_element_wise(table["hash"], ".jpg", ""),
                pa.array([f"{shard:06d}.tar"] * rows, pa.string()),
                table["tar_offset"],
                table["size_bytes"],
                table["sha256"].cast(pa.string()),
            ]
        else:
            if table["path"].null_count:
                raise CurationError(
                    f"{folder.path}: photographs of shard {shard} have not been fetched; expected "
                    "pass-curate fetch to be done before duplicates"
                )
            paths = [name_to_text(os.fsencode(path)) for path in table["path"].to_pylist()]
            nothing = pa.nulls(rows)
            stamps = [_stamp(path) for path in table["path"].to_pylist()]
            columns = [
                pa.array([path.lstrip("/") for path in paths], pa.string()),
                *(nothing, nothing, nothing),
                pa.array(stamps, pa.string()),
            ]
        items.append(
            pa.table(
                [
                    pa.chunked_array([column], field.type)
                    if isinstance(column, pa.Array) and column.type == field.type
                    else column.cast(field.type)
                    for column, field in zip(columns, ITEMS, strict=True)
                ],
                schema=ITEMS,
            )
        )
    identities = pa.concat_tables(
        [pa.table({"photo_id": table["photo_id"], "address": table["hash"]}) for table in given]
    )
    if is_fetched:
        settings = SourceSettings(
            name_to_text(os.fsencode(folder.work_path("fetch") / "tars")), "tar", suffixes=None
        )
    else:
        settings = SourceSettings("/", "folder", suffixes=None)
    return Listing(STEP, settings, pa.concat_tables(items), {}, (), identities)


def _stamp(path: str) -> str:
    try:
        return str(tuple(FileVersion.of(path)))
    except OSError:
        return "gone"


def _write(writer: StepWriter, duplicates: Duplicates, given: Sequence[pa.Table]) -> None:
    """Says of each photograph what became of it."""
    found, own = duplicates.found, duplicates.own
    causes = causes_of(duplicates).cast(pa.string())
    other = duplicates.verdicts.other
    names = pa.concat_arrays(
        [
            *(chunk for table in given for chunk in table["hash"].chunks),
            *duplicates.images["path"].slice(own).chunks,
        ]
    )
    kept = duplicates.verdicts.kept
    # The nearest pair of each: pairs are told by tier, the surest first, and then by distance.
    both = np.concatenate([found.left, found.right])
    tiers = np.concatenate([found.tier, found.tier]).astype(np.int16)
    away = np.concatenate([found.distance, found.distance])
    order = np.lexsort((away, tiers, both))
    first = order[np.unique(both[order], return_index=True)[1]]
    tier = np.full(duplicates.images.num_rows, -1, np.int16)
    distance = np.full(duplicates.images.num_rows, -1, np.int16)
    tier[both[first]], distance[both[first]] = tiers[first], away[first]
    start = 0
    for shard, table in enumerate(given):
        end = start + table.num_rows
        piece = slice(start, end)
        missing = set(writer.missing())
        if shard in missing:
            stays = kept[piece]
            writer.write(
                shard,
                pa.table(
                    {
                        "row": table["row"],
                        "cause": causes.slice(start, end - start),
                        "duplicate_of": names.take(pa.array(other[piece], mask=stays)),
                        "duplicate_tier": pa.array(
                            [
                                None if gone else TIERS[number]
                                for gone, number in zip(stays, tier[piece], strict=True)
                            ],
                            pa.string(),
                        ),
                        "duplicate_distance": pa.array(
                            distance[piece], mask=stays | (distance[piece] < 0)
                        ),
                    }
                ),
            )
        start = end


def _nothing(table: pa.Table) -> pa.Table:
    """What is said of no photograph."""
    return pa.table(
        {
            "row": table["row"],
            "cause": pa.nulls(0, pa.string()),
            "duplicate_of": pa.nulls(0, pa.string()),
            "duplicate_tier": pa.nulls(0, pa.string()),
            "duplicate_distance": pa.nulls(0, pa.int16()),
        }
    )
