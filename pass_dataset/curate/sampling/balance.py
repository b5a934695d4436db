"""The step `balance`: at most so many photographs of a photographer, then a uniform sample.

A photographer is whom the NSID names, which Flickr never changes; where the source has none, whom
the name names. Photographs of nobody who is known count as of one photographer each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.sampling.choice import ranks, ranks_within
from pass_dataset.curate.sampling.order import ORDER_VERSION, check_seed
from pass_dataset.curate.sampling.rows import Rows, not_fewer, read_rows
from pass_dataset.curate.settings import as_content
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.progress import Progress

__all__ = ["BalanceSettings", "run_balance"]

_STEP = "balance"


@dataclass(frozen=True)
class BalanceSettings:
    """What decides who goes on. The defaults are PASS's (section 3 and appendix C.2 of the paper).

    Attributes:
      per_photographer: at most so many photographs of one photographer; 0: as many as there are.
      sample: so many photographs of those, drawn at random; 0: all.
      seed: of the order they are drawn by, 0 to 2**63 - 1; that of `draw` is best the same.
    """

    per_photographer: int = 80
    sample: int = 1_600_000
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("per_photographer", "sample"):
            if getattr(self, name) < 0:
                raise ValueError(
                    f"{name}: expected 0 (no limit) or more, found {getattr(self, name)}"
                )
        check_seed(self.seed)


def run_balance(
    folder: CurationFolder, settings: BalanceSettings, *, progress: Progress | None = None
) -> StepRecord:
    """Does the step `balance`, or goes on with it.

    It says of each photograph: the cause ``photographer-cap`` or ``not-sampled``; the column
    ``photographer_rank``, its place from 1 among those of its photographer (null where there is no
    cap); and ``sample_rank``, its place from 1 among all that the cap let through (null where it
    was not among them).

    Raises:
      CurationError: the step was begun with other settings, or is not to be done now.
      FolderLockedError: another process has the curation.
      OSError: the ledger cannot be written.
    """
    with folder.held():
        writer = begin_step(Ledger(folder), _STEP, {**as_content(settings), "order": ORDER_VERSION})
        if (done := writer.record) is not None:
            return done
        has_cap = settings.per_photographer > 0
        rows = read_rows(writer, settings.seed, by_photographer=has_cap, progress=progress)
        within, overall = _places(rows, settings)
        not_fewer(_STEP, settings.sample, int((overall >= 0).sum()))

        def said(shard: int) -> pa.Table:
            place = rows.of(shard)
            own = within[place] if has_cap else None
            return _said(writer.expected(shard), own, overall[place], settings)

        writer.write_missing(said)
        details = {"unknown_photographers": rows.unknown} if has_cap else {}
        return writer.finish(details)


def _places(
    rows: Rows, settings: BalanceSettings
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Places within a photographer's and among all; the latter -1 where the cap stops it."""
    if not settings.per_photographer:
        return np.empty(0, np.int64), ranks(rows.overall)
    within = ranks_within(rows.within, rows.photographers)
    is_under = within < settings.per_photographer
    overall = np.full(len(rows), -1, np.int64)
    overall[is_under] = ranks(rows.overall.some(np.flatnonzero(is_under)))
    return within, overall


def _said(
    rows: npt.NDArray[np.int64],
    within: npt.NDArray[np.int64] | None,
    overall: npt.NDArray[np.int64],
    settings: BalanceSettings,
) -> pa.Table:
    is_over = overall < 0
    is_left = ~is_over & (overall >= settings.sample) if settings.sample else np.zeros_like(is_over)
    cause = pa.DictionaryArray.from_arrays(
        pa.array(is_left.astype(np.int8), mask=~(is_over | is_left)),
        ["photographer-cap", "not-sampled"],
    )
    own = pa.nulls(len(overall), pa.int64()) if within is None else pa.array(within + 1)
    return pa.table(
        {
            "row": rows,
            "cause": cause.cast(pa.string()),
            "photographer_rank": own,
            "sample_rank": pa.array(overall + 1, mask=is_over),
        }
    )
