"""The steps of a plan done, one after the other; what is done is not done again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pass_dataset.archives.removals import RemovalList
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.funnel.published import Published
from pass_dataset.curate.ledger import FIRST_STEP, Ledger
from pass_dataset.curate.program.kinds import REVIEW, kind_of
from pass_dataset.curate.program.opt_outs import list_of_filter
from pass_dataset.curate.program.plan import Plan
from pass_dataset.curate.release.writing import Released
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.errors import CurationError
from pass_dataset.executors.executor import Executor
from pass_dataset.files.whole import write_whole
from pass_dataset.progress import Progress

__all__ = ["Circumstances", "Waits", "run_plan"]


@dataclass(frozen=True)
class Circumstances:
    """What steps are told besides their settings; it decides nothing but where and how fast.

    Attributes:
      metadata: what is selected from.
      out: folder of the release.
      exclude: photographs that the release leaves out.
      opt_outs: the list that names them, which says to the filter what is not to be looked at.
      published: what others tell of the same.
      strict: a row of metadata that cannot be used is an error.
      accept_failures: what cannot be had after all tries is given up, with its cause.
      retry_failed: the filter begins anew with photographs that could not be examined.
      give_up_failed: it leaves those out, with the reason as their cause.
      workers: processes; None: one a core.
      executor_of: where the shards of a step are done, from its name and settings; it is asked when
        the step's turn comes. None: as the step does them by itself.
    """

    metadata: Sequence[str]
    out: Path
    exclude: RemovalList = field(default_factory=RemovalList)
    opt_outs: Path | None = None
    published: Sequence[Published] = ()
    strict: bool = False
    accept_failures: bool = False
    retry_failed: bool = False
    give_up_failed: bool = False
    workers: int | None = None
    executor_of: Callable[[str, Any], Executor | None] = lambda step, settings: None


@dataclass(frozen=True)
class Waits:
    """A step that others have to end.

    Attributes:
      step: its name.
      how: what is to be done.
    """

    step: str
    how: str


def run_plan(
    folder: CurationFolder,
    plan: Plan,
    circumstances: Circumstances,
    *,
    progress: Progress | None = None,
) -> Iterator[StepRecord | Released | Waits]:
    """Does the steps of a plan that are not done yet.

    Args:
      folder: of the curation; made if it is new.
      plan: what is to be done.
      circumstances: where, and how fast.
      progress: where progress is shown.

    Yields:
      What each step did, done now or before; last of all the release, or what is waited for.

    Raises:
      CurationError: a step was begun with other settings, or another order; or what a step raises.
    """
    ledger = Ledger(folder)
    _refuse_other_steps(ledger, plan)
    begun = ledger.begun()
    done = [step.name for step in ledger.steps()]
    plan.refuse_changes(folder, done if begun is None else [*done, begun])
    folder.path.mkdir(parents=True, exist_ok=True)
    write_whole(folder.settings_path, plan.text.encode())
    for step, settings in plan.steps.items():
        if step == REVIEW:
            record = ledger.record(REVIEW)
            if record is None:
                command = f"pass-curate review {folder.path}"
                how = f"people look at the photographs: {command}, then {command} --finish"
                yield Waits(step, how)
                return
            yield record
            continue
        found = _done(folder, step, settings, circumstances, progress)
        if found is None:
            yield Waits(step, "others are at work on it")
            return
        if isinstance(found, Released):
            yield found
            continue
        for name in kind_of(step).says or (step,):
            record = ledger.record(name)
            if record is not None:
                yield record


def _done(
    folder: CurationFolder,
    step: str,
    settings: Any,
    circumstances: Circumstances,
    progress: Progress | None,
) -> StepRecord | Released | None:
    kind = kind_of(step)
    if step == FIRST_STEP and not circumstances.metadata:
        raise CurationError(
            f"{folder.path}: select needs metadata: metadata = [...] in the settings, or METADATA"
        )
    told = {name: getattr(circumstances, name) for name in kind.told}
    if kind.leaves_out:
        told["exclude"] = list_of_filter(folder, circumstances.opt_outs)
    if kind.spread:
        told["executor"] = circumstances.executor_of(step, settings)
    for name in kind.also_spread:
        told[name] = circumstances.executor_of(name, settings)
    found: StepRecord | Released | None = kind.call()(folder, settings, **told, progress=progress)
    return found


def _refuse_other_steps(ledger: Ledger, plan: Plan) -> None:
    """Steps that are done are those that the plan begins with, in its order."""
    says = [name for step in plan.steps for name in kind_of(step).says or (step,)]
    place = -1
    for record in ledger.steps():
        if record.name not in says or says.index(record.name) < place:
            raise CurationError(
                f"{ledger.folder.path}: {record.name} was done after {record.after}; expected "
                f"the steps of {plan.where} in their order: {', '.join(plan.steps)}"
            )
        place = says.index(record.name)
