"""The step `classes`: the most frequent classes, and at most so many photographs of each.

What a photograph's class is was said by `rank`, with a classifier: the first of its classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.sampling.choice import ranks_within
from pass_dataset.curate.sampling.order import ORDER_VERSION, check_seed
from pass_dataset.curate.sampling.rows import read_rows
from pass_dataset.curate.settings import as_content
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import StepWriter, begin_step
from pass_dataset.errors import CurationError
from pass_dataset.progress import Progress

__all__ = ["ClassesSettings", "run_classes"]

_STEP = "classes"
_COLUMN = "class_name"


@dataclass(frozen=True)
class ClassesSettings:
    """What decides who goes on. The defaults are those of the split ≈IN800 (Table 6 of the paper).

    Attributes:
      count: so many classes, those with the most photographs; of equal ones by name.
      per_class: at most so many photographs of a class, drawn at random; 0: all.
      seed: of the order they are drawn by, 0 to 2**63 - 1.
    """

    count: int = 800
    per_class: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count: expected 1 or more, found {self.count}")
        if self.per_class < 0:
            raise ValueError(f"per_class: expected 0 (all) or more, found {self.per_class}")
        check_seed(self.seed)


def run_classes(
    folder: CurationFolder, settings: ClassesSettings, *, progress: Progress | None = None
) -> StepRecord:
    """Does the step `classes`, or goes on with it.

    It says of each photograph: the cause ``unclassified``, ``rare-class`` or ``class-cap``; and the
    column ``class_rank``, its place from 1 among those of its class (null where it has none).

    Raises:
      CurationError: no classifier was asked, or the step was begun with other settings.
      FolderLockedError: another process has the curation.
      OSError: the ledger cannot be written.
    """
    with folder.held():
        ledger = Ledger(folder)
        if not any(_COLUMN in ledger.columns(step.name) for step in ledger.steps()):
            raise CurationError(
                f"{folder.path}: {_STEP} needs classes, which pass-curate rank --classes MODEL "
                "stores"
            )
        writer = begin_step(ledger, _STEP, {**as_content(settings), "order": ORDER_VERSION})
        if (done := writer.record) is not None:
            return done
        rows = read_rows(writer, settings.seed, by_photographer=False, progress=progress)
        names, numbers = _classes(writer)
        # By the order of all, so that a larger cap has all of a smaller one.
        within = ranks_within(rows.overall, numbers)
        kept = _most_frequent(names, numbers, settings.count)

        def said(shard: int) -> pa.Table:
            place = rows.of(shard)
            own = (writer.expected(shard), within[place], numbers[place])
            return _said(*own, kept, settings)

        writer.write_missing(said)
        return writer.finish({"classes": len(kept), "of": len(names)})


def _classes(writer: StepWriter) -> tuple[list[str], npt.NDArray[np.int32]]:
    """All classes, and the number of each photograph's; -1 where it has none."""
    known: dict[str | None, int] = {None: -1}
    numbers = [np.empty(0, np.int32)]
    for shard in range(writer.ledger.shards()):
        given = writer.given(shard, [_COLUMN])[_COLUMN].to_pylist()
        found = [known.setdefault(name, len(known) - 1) for name in given]
        numbers.append(np.array(found, np.int32))
    return [name for name in known if name is not None], np.concatenate(numbers)


def _most_frequent(
    names: list[str], numbers: npt.NDArray[np.int32], count: int
) -> npt.NDArray[np.int64]:
    """Numbers of the classes with the most photographs."""
    sizes = np.bincount(numbers[numbers >= 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda number: (-sizes[number], names[number]))
    return np.array(order[:count], np.int64)


def _said(
    rows: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int64],
    own: npt.NDArray[np.int32],
    kept: npt.NDArray[np.int64],
    settings: ClassesSettings,
) -> pa.Table:
    cause = np.full(len(own), None, object)
    if settings.per_class:
        cause[ranks >= settings.per_class] = "class-cap"
    cause[~np.isin(own, kept)] = "rare-class"
    cause[own < 0] = "unclassified"
    return pa.table(
        {
            "row": rows,
            "cause": pa.array(cause.tolist(), pa.string()),
            "class_rank": pa.array(ranks + 1, mask=own < 0),
        }
    )
