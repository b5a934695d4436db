"""What happened to one photograph, and why: what each step said of it, with its settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from pass_dataset.archives.hash_lists import spellings
from pass_dataset.curate.funnel.words import cause_in_words
from pass_dataset.curate.ledger import KEYS, Ledger
from pass_dataset.curate.photographs import PHOTOGRAPHS
from pass_dataset.curate.step_record import StepRecord

__all__ = ["Story", "Told", "story_lines", "story_of"]


@dataclass(frozen=True)
class Told:
    """What a step said.

    Attributes:
      step: its name.
      cause: why the photograph went no further; None: it went on.
      found: what the step found, by column.
      settings: of the step.
    """

    step: str
    cause: str | None
    found: Mapping[str, Any]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """A photograph from beginning to end.

    Attributes:
      row, shard: which it is in the ledger.
      photograph: identity and credit, see `pass_dataset.curate.photographs`.
      told: what the steps said, in order, to the one where it stopped.
    """

    row: int
    shard: int
    photograph: Mapping[str, Any]
    told: tuple[Told, ...]

    @property
    def cause(self) -> str | None:
        """Why it stopped; None: it is among those that are left."""
        return self.told[-1].cause


def story_of(ledger: Ledger, name: str) -> Story | None:
    """What happened to a photograph.

    Args:
      ledger: of the curation.
      name: its hash, also as others print MD5 sums.

    Returns:
      Its story; None if it was never selected.

    Raises:
      CurationError: the ledger cannot be read.
    """
    place = next((at for one in spellings(name) if (at := ledger.find(one)) is not None), None)
    if place is None:
        return None
    shard, row = place
    told: list[Told] = []
    photograph: dict[str, Any] = {}
    for step in ledger.steps():
        found = _said(ledger, step, shard, row)
        if found is None:
            break
        cause = found.pop("cause")
        if not told:
            photograph = {name: found.pop(name) for name in PHOTOGRAPHS.names if name in found}
        told.append(Told(step.name, cause, found, step.settings))
    return Story(row, shard, photograph, tuple(told))


def _said(ledger: Ledger, step: StepRecord, shard: int, row: int) -> dict[str, Any] | None:
    said = ledger.said(step.name, shard)
    place = pc.index(said["row"], row).as_py()
    if place < 0:
        return None
    found: dict[str, Any] = said.slice(place, 1).to_pylist()[0]
    del found[KEYS.names[0]]
    return found


def story_lines(story: Story) -> Iterator[str]:
    """The story as text."""
    photograph = story.photograph
    yield f"{photograph['hash']}: row {story.row:,}, shard {story.shard}"
    for name, value in photograph.items():
        if value is not None and name != "hash":
            yield f"  {name}: {value}"
    for told in story.told:
        if told.cause is None:
            yield f"{told.step}: went on"
        else:
            yield f"{told.step}: stopped: {told.cause} ({cause_in_words(told.cause)})"
        for name, value in told.found.items():
            if value is not None:
                yield f"  {name}: {value}"
        settings = ", ".join(f"{name} = {value}" for name, value in told.settings.items())
        if settings:
            yield f"  settings: {settings}"
    yield "It is left." if story.cause is None else f"It stopped at {story.told[-1].step}."
