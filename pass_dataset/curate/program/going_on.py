"""What is going on in a curation: what is done, what is begun, who is at work, and what is next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import FIRST_STEP, Ledger
from pass_dataset.curate.program.kinds import kind_of
from pass_dataset.curate.program.plan import read_plan
from pass_dataset.curate.settings import read_settings_text
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.folders.lock import holder

__all__ = ["GoingOn", "going_on"]


@dataclass(frozen=True)
class GoingOn:
    """The state of a curation.

    Attributes:
      steps: that are done, in order.
      begun: the step that is begun and not done.
      written: shards of the ledger that it has written.
      shards: of those that there are; None: the first step has not told yet.
      holder: who is at work; None: nobody.
      following: the first step of the settings that is neither done nor begun; None: there are no
        settings, or it is the release, of which the ledger tells nothing.
    """

    steps: tuple[StepRecord, ...]
    begun: str | None
    written: int
    shards: int | None
    holder: str | None
    following: str | None


def going_on(folder: CurationFolder) -> GoingOn:
    """Looks at a curation.

    Raises:
      CurationError: the ledger or the settings cannot be read.
    """
    ledger = Ledger(folder)
    steps, begun = tuple(ledger.steps()), ledger.begun()
    written = 0 if begun is None else len(list(folder.step_path(begun).glob("*.parquet")))
    return GoingOn(
        steps=steps,
        begun=begun,
        written=written,
        shards=ledger.shards() if steps and begun != FIRST_STEP else None,
        holder=holder(folder.path),
        following=_following(folder, [step.name for step in steps]),
    )


def _following(folder: CurationFolder, done: list[str]) -> str | None:
    if not folder.settings_path.is_file():
        return None
    path = folder.settings_path
    plan = read_plan(read_settings_text(path), str(path), Path())
    for step in plan.steps:
        if step != "release" and not {step, *kind_of(step).says} & set(done):
            return step
    return None
