"""The funnel of a curation: what came to each stage, what went on, and the causes of the others.

What came to a stage is what went on from the stage before it, and less its causes it is what goes
on: this is checked when a funnel is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pass_dataset.curate.funnel.published import Published
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.errors import CurationError

__all__ = ["Funnel", "Stage", "funnel_of", "stage_of"]


@dataclass(frozen=True)
class Stage:
    """A stage of the funnel.

    Attributes:
      name: of the step.
      came: photographs that came to it.
      causes: those that went no further, by cause, most first.
      settings: of the step.
      finished_at: UTC, as ISO 8601.
      details: what else the step counted.
    """

    name: str
    came: int
    causes: Mapping[str, int]
    settings: Mapping[str, Any]
    finished_at: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """Photographs that went on."""
        return self.came - sum(self.causes.values())


@dataclass(frozen=True)
class Funnel:
    """A funnel that adds up.

    Attributes:
      stages: in the order in which they were done.
      read: rows of metadata that were read; None: it is not told.
      refused: rows that were not selected, by cause.
      begun: the step that is begun and not done.
      published: what others say of theirs.
    """

    stages: tuple[Stage, ...]
    read: int | None = None
    refused: Mapping[str, int] | None = None
    begun: str | None = None
    published: tuple[Published, ...] = ()

    def __post_init__(self) -> None:
        if self.read is not None and self.refused is not None:
            selected = self.read - sum(self.refused.values())
            if selected != self.stages[0].came:
                raise CurationError(
                    f"{self.stages[0].name}: {self.read:,} rows were read and {selected:,} not "
                    f"refused, but {self.stages[0].came:,} are in the ledger: expected the same"
                )
        for before, stage in zip(self.stages, self.stages[1:], strict=False):
            if stage.came != before.left:
                raise CurationError(
                    f"{stage.name}: {stage.came:,} photographs came, {before.left:,} went on from "
                    f"{before.name}: expected the same; a file of the ledger is another's"
                )

    def published_of(self, step: str) -> Sequence[Published]:
        """The published numbers of a step."""
        return [number for number in self.published if number.step == step]

    def with_stage(self, stage: Stage) -> Funnel:
        """The funnel with one more stage."""
        return Funnel((*self.stages, stage), self.read, self.refused, self.begun, self.published)


def funnel_of(ledger: Ledger, published: Sequence[Published] = ()) -> Funnel:
    """The funnel of a curation, as far as it is.

    Raises:
      CurationError: nothing is done yet, the ledger cannot be read, or it does not add up.
    """
    steps = ledger.steps()
    if not steps:
        raise CurationError(f"{ledger.folder.path}: nothing is selected yet")
    read = steps[0].details.get("read")
    refused = steps[0].details.get("refused")
    return Funnel(
        stages=tuple(map(stage_of, steps)),
        read=read if isinstance(read, int) else None,
        refused=refused if isinstance(refused, dict) else None,
        begun=ledger.begun(),
        published=tuple(published),
    )


def stage_of(step: StepRecord) -> Stage:
    """A step as a stage."""
    return Stage(step.name, step.came, step.causes, step.settings, step.finished_at, step.details)
