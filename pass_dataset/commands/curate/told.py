"""What commands say of a step that is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pass_dataset.pages.words import count

if TYPE_CHECKING:
    from pass_dataset.curate.ledger import StepRecord

__all__ = ["print_step"]


def print_step(step: StepRecord) -> None:
    """Prints what came, what went on, and the causes of the others."""
    came = count(step.came, "photograph", "photographs")
    print(f"{step.name}: {came} came, {step.left:,} went on")
    for cause, number in step.causes.items():
        print(f"  {cause} {number:,}")
