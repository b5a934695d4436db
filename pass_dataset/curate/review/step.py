"""The step `review` of a curation: what people flagged stops there, with the flag as its cause."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.review.record import Record
from pass_dataset.curate.review.verdicts import Verdicts, require_unseen
from pass_dataset.curate.settings import as_content
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import begin_step
from pass_dataset.errors import CurationError
from pass_dataset.progress import Progress, Silent

__all__ = ["NOT_REVIEWED", "STEP", "is_later_look", "run_review"]

STEP = "review"
#: Cause of images that nobody looked at, where the settings drop them.
NOT_REVIEWED = "not-reviewed"


def is_later_look(folder: CurationFolder, record: Record) -> bool:
    """True for a review of what is left after the step was done, as an audit is: it stays so."""
    names = [step.name for step in Ledger(folder).steps()]
    return STEP in names and record.after in names[names.index(STEP) :]


def run_review(
    folder: CurationFolder, verdicts: Verdicts, *, progress: Progress | None = None
) -> StepRecord:
    """Writes the verdicts into the ledger: cause ``review-<flag>``, and how many looked.

    Args:
      folder: of the curation that was reviewed.
      verdicts: of its review.
      progress: shows how far it is.

    Raises:
      CurationError: the review is of another curation, or is not done; or the ledger has gone on
        since it was begun.
      FolderLockedError: another process has the curation.
    """
    if verdicts.record.what != str(folder.path):
        raise CurationError(
            f"{folder.path}: the review is of {verdicts.record.what}; each has its own"
        )
    require_unseen(verdicts)
    # What was decided decides what the step says, so it is part of its settings.
    settings = {
        **as_content(verdicts.record.settings),
        "decisions_sha256": verdicts.decisions_sha256,
    }
    task = (progress or Silent()).task("Writing the ledger", None, "images")
    with folder.held():
        ledger = Ledger(folder)
        writer = begin_step(ledger, STEP, settings)
        if (done := writer.record) is not None:
            return done
        own = verdicts.images.own
        shards = verdicts.images.column("shard")[own]
        rows = verdicts.images.column("row")[own]
        for shard in writer.missing():
            given = writer.given(shard)
            places = own[shards == shard]
            known = rows[shards == shard]
            found = given["row"].to_numpy()
            if not np.array_equal(found, known):
                raise CurationError(
                    f"{folder.path}: shard {shard} has {len(found):,} photographs to be reviewed, "
                    f"the review has {len(known):,} or others: the ledger went on since the review "
                    "was begun; begin another one"
                )
            writer.write(shard, _said(verdicts, places, known))
            task.advance(len(found))
        task.finish()
        # Who looked, and when, is in the review's receipt.
        return writer.finish({"looked": verdicts.looked, "flagged": verdicts.flagged})


def _said(
    verdicts: Verdicts, places: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> pa.Table:
    unseen = NOT_REVIEWED if verdicts.record.settings.unseen == "drop" else None
    names = [None, *verdicts.flags]
    flags = [names[code] if code > 0 else None for code in verdicts.codes[places]]
    causes = [
        unseen if code < 0 else None if flag is None else f"review-{flag}"
        for flag, code in zip(flags, verdicts.codes[places], strict=True)
    ]
    return pa.table(
        {
            "row": pa.array(rows, pa.int64()),
            "cause": pa.array(causes, pa.string()),
            "review_flag": pa.array(flags, pa.string()),
            "review_looks": pa.array(verdicts.looks[places], pa.int16()),
        }
    )
