"""How far a run is, told from its folder alone."""

from __future__ import annotations

from dataclasses import dataclass

from pass_dataset.folders.lock import holder
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.run_folder import RunFolder

__all__ = ["RunStatus", "read_status"]

#: The rate is that of the shards that ended in this time before the last one.
_RECENT_S = 600.0


@dataclass(frozen=True)
class RunStatus:
    """How far a run is.

    Attributes:
      images: images of the source; None: not listed yet.
      images_done: images in shards that are done.
      shards, shards_done: number of shards.
      outcomes: images by outcome, at the run's own thresholds.
      failed_shards: shards that could not be done, with the reason.
      running: who works on it from the machine where it was begun; None: nobody.
      images_per_s: over the last minutes of work; None: too little is done to tell.
      left_out: files that are no images by their name, by ending, with numbers.
      unreadable: places that could not be listed.
    """

    images: int | None
    images_done: int
    shards: int
    shards_done: int
    outcomes: dict[str, int]
    failed_shards: dict[int, str]
    running: str | None
    images_per_s: float | None
    left_out: dict[str, int]
    unreadable: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Whether all shards are done."""
        return self.images is not None and self.shards_done == self.shards


def read_status(folder: RunFolder) -> RunStatus:
    """Reads how far a run is.

    Raises:
      RunError: there is no run.
    """
    folder.settings()
    plan = Plan.load(folder)
    stats = list(folder.stats())
    outcomes: dict[str, int] = {}
    for shard in stats:
        for outcome, number in shard.outcomes.items():
            outcomes[outcome] = outcomes.get(outcome, 0) + number
    return RunStatus(
        images=None if plan is None else plan.images,
        images_done=sum(shard.images for shard in stats),
        shards=0 if plan is None else plan.num_shards,
        shards_done=len(stats),
        outcomes=outcomes,
        failed_shards=folder.failures(),
        running=holder(folder.path),
        images_per_s=_rate([(shard.finished_at, shard.worked_on) for shard in stats]),
        left_out={} if plan is None else plan.left_out,
        unreadable=() if plan is None else plan.unreadable,
    )


def _rate(ends: list[tuple[float, int]]) -> float | None:
    """Images a second, from when shards ended and how many images each had."""
    if not ends:
        return None
    last = max(ended for ended, _ in ends)
    recent = sorted(end for end in ends if end[0] >= last - _RECENT_S)
    seconds = last - recent[0][0]
    # What the first of them took is not known; it only starts the clock.
    return sum(images for _, images in recent[1:]) / seconds if seconds > 0 else None
