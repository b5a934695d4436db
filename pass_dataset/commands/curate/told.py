"""What commands say of steps that are done, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.command_line import print_json
from pass_dataset.pages.words import count, size

if TYPE_CHECKING:
    from pass_dataset.curate.release.writing import Released
    from pass_dataset.curate.step_record import StepRecord

__all__ = ["print_released", "print_step", "print_steps", "print_submitted", "released_content"]


def print_steps(steps: Sequence[StepRecord], *, as_json: bool) -> None:
    """Prints steps; for programs the one, or an object that has all as ``steps``."""
    if as_json:
        content = [asdict(step) for step in steps]
        print_json(content[0] if len(content) == 1 else {"steps": content})
        return
    for step in steps:
        print_step(step)


def print_step(step: StepRecord) -> None:
    """Prints what came, what went on, and the causes of the others."""
    came = count(step.came, "photograph", "photographs")
    print(f"{step.name}: {came} came, {step.left:,} went on")
    for cause, number in step.causes.items():
        print(f"  {cause} {number:,}")


def print_submitted(*, as_json: bool) -> None:
    """Prints that a cluster has the work now."""
    if as_json:
        print_json({"submitted": True})
    else:
        print("the shards are submitted; the same command, when they are done, ends the step")


def print_released(done: Released, *, as_json: bool = False) -> None:
    """Prints what is in a release, and what its datasheet still asks."""
    if as_json:
        print_json(released_content(done))
        return
    images = count(done.release.num_examples or 0, "photograph", "photographs")
    print(f"{done.folder}: {done.release.label}, {images}, {size(done.release.size_bytes)}, whole")
    for cause, number in done.funnel.stages[-1].causes.items():
        print(f"  {cause} {number:,}")
    questions = count(len(done.open_questions), "question", "questions")
    print(f"DATASHEET.md leaves {questions} to you: {', '.join(done.open_questions)}")


def released_content(done: Released) -> dict[str, Any]:
    """The same for programs."""
    return {
        "folder": str(done.folder),
        "release": done.release.label,
        "images": done.release.num_examples,
        "size_bytes": done.release.size_bytes,
        "causes": dict(done.funnel.stages[-1].causes),
        "open_questions": list(done.open_questions),
    }
