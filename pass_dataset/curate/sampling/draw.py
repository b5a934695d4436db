"""The step `draw`: the photographs of the release, drawn from all that are left.

They are the first in the order of `balance`'s sample. So a release of more photographs has all of
one of fewer, also if the sample before was larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.sampling.choice import ranks
from pass_dataset.curate.sampling.order import ORDER_VERSION, check_seed
from pass_dataset.curate.sampling.rows import not_fewer, read_rows
from pass_dataset.curate.settings import as_content
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.progress import Progress

__all__ = ["DrawSettings", "run_draw"]

_STEP = "draw"


@dataclass(frozen=True)
class DrawSettings:
    """What decides who is in the release. The default is PASS's (section 3 of the paper).

    Attributes:
      count: so many photographs; 0: all that are left.
      seed: of the order they are drawn by, 0 to 2**63 - 1.
    """

    count: int = 1_440_191
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"count: expected 0 (all) or more, found {self.count}")
        check_seed(self.seed)


def run_draw(
    folder: CurationFolder, settings: DrawSettings, *, progress: Progress | None = None
) -> StepRecord:
    """Does the step `draw`, or goes on with it.

    It says of each photograph: the cause ``not-drawn``; and the column ``draw_rank``, its place
    from 1 among all.

    Raises:
      CurationError: the step was begun with other settings, or is not to be done now.
      FolderLockedError: another process has the curation.
      OSError: the ledger cannot be written.
    """
    with folder.held():
        writer = begin_step(Ledger(folder), _STEP, {**as_content(settings), "order": ORDER_VERSION})
        if (done := writer.record) is not None:
            return done
        rows = read_rows(writer, settings.seed, by_photographer=False, progress=progress)
        not_fewer(_STEP, settings.count, len(rows))
        places = ranks(rows.overall)

        def said(shard: int) -> pa.Table:
            place = rows.of(shard)
            return _said(writer.expected(shard), places[place], settings)

        writer.write_missing(said)
        return writer.finish()


def _said(
    rows: npt.NDArray[np.int64], places: npt.NDArray[np.int64], settings: DrawSettings
) -> pa.Table:
    is_out = places >= settings.count if settings.count else np.zeros(len(places), bool)
    cause = pc.if_else(pa.array(is_out), "not-drawn", pa.scalar(None, pa.string()))
    return pa.table({"row": rows, "cause": cause, "draw_rank": places + 1})
