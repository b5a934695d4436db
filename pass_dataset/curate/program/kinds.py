"""The steps that there are: their settings, what does them, and what it is told besides.

A step is imported when its turn comes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pass_dataset.errors import CurationError

__all__ = ["REVIEW", "STEPS", "StepKind", "kind_of"]

_CURATE = "pass_dataset.curate"
#: The step that people do.
REVIEW = "review"


@dataclass(frozen=True)
class StepKind:
    """A step.

    Attributes:
      settings: its dataclass, ``module:Class`` below `pass_dataset.curate`.
      function: what does it, likewise; it takes the folder and the settings. None: people do it.
      told: what it is told besides, of `pass_dataset.curate.program.running.Circumstances`.
      says: its steps of the ledger, where they are not called as it is.
      spread: whether it takes an executor, which does its shards.
      also_spread: arguments that take executors of further works of it; each is asked for by that
        name.
      leaves_out: whether it is told the opt-out list, as a file.
    """

    settings: str
    function: str | None
    told: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    spread: bool = False
    also_spread: tuple[str, ...] = ()
    leaves_out: bool = False

    def settings_class(self) -> type[Any]:
        """The dataclass of its settings."""
        found: type[Any] = _named(self.settings)
        return found

    def call(self) -> Callable[..., Any]:
        """What does it. Raises ValueError for a step that people do."""
        if self.function is None:
            raise ValueError("people do this step")
        found: Callable[..., Any] = _named(self.function)
        return found


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    # By name: a step brings what it needs, and most curations have not all steps.
    return getattr(importlib.import_module(f"{_CURATE}.{module}"), name)


STEPS: Mapping[str, StepKind] = {
    "select": StepKind(
        "select.settings:SelectSettings",
        "select.step:run_select",
        ("metadata", "strict", "workers"),
    ),
    "fetch": StepKind(
        "fetch.settings:FetchSettings", "fetch.run:run_fetch", ("accept_failures",), spread=True
    ),
    "filter": StepKind(
        "filter.settings:FilterSettings",
        "filter.run:run_filter",
        ("retry_failed", "give_up_failed"),
        says=("sound", "filter"),
        spread=True,
        leaves_out=True,
    ),
    "rank": StepKind("ranking.settings:RankSettings", "ranking.step:run_rank", ("workers",)),
    "classes": StepKind("sampling.classes:ClassesSettings", "sampling.classes:run_classes"),
    "balance": StepKind("sampling.balance:BalanceSettings", "sampling.balance:run_balance"),
    REVIEW: StepKind("review.settings:ReviewSettings", None),
    "duplicates": StepKind(
        "duplicates.finding:DuplicatesSettings",
        "duplicates.step:run_duplicates",
        ("workers",),
        spread=True,
        also_spread=("describing",),
    ),
    "alive": StepKind("alive.settings:AliveSettings", "alive.run:run_alive", ("accept_failures",)),
    "draw": StepKind("sampling.draw:DrawSettings", "sampling.draw:run_draw"),
    "release": StepKind(
        "release.settings:ReleaseSettings",
        "release.writing:run_release",
        ("out", "exclude", "published"),
    ),
}


def kind_of(step: str) -> StepKind:
    """A step by its name.

    Raises:
      CurationError: there is none.
    """
    try:
        return STEPS[step]
    except KeyError:
        raise CurationError(f"{step!r} is no step; there are: {', '.join(STEPS)}") from None
