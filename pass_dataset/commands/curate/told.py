"""What commands say of a step that is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pass_dataset.pages.words import count, size

if TYPE_CHECKING:
    from pass_dataset.curate.ledger import StepRecord
    from pass_dataset.curate.release.writing import Released

__all__ = ["print_released", "print_step"]


def print_step(step: StepRecord) -> None:
    """Prints what came, what went on, and the causes of the others."""
    came = count(step.came, "photograph", "photographs")
    print(f"{step.name}: {came} came, {step.left:,} went on")
    for cause, number in step.causes.items():
        print(f"  {cause} {number:,}")


def print_released(done: Released) -> None:
    """Prints what is in a release, and what its datasheet still asks."""
    images = count(done.release.num_examples or 0, "photograph", "photographs")
    print(f"{done.folder}: {done.release.label}, {images}, {size(done.release.size_bytes)}, whole")
    for cause, number in done.funnel.stages[-1].causes.items():
        print(f"  {cause} {number:,}")
    questions = count(len(done.open_questions), "question", "questions")
    print(f"DATASHEET.md leaves {questions} to you: {', '.join(done.open_questions)}")
