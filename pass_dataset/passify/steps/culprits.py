"""Images that took a process down with them, or hold one up: known, and put on record.

Each image is announced before it is touched where a job is careful, so that whoever buries a
process knows which one it was.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from pass_dataset.executors.shard_folder import CrashRecord, ShardFolder
from pass_dataset.passify.runs.outcomes import PROCESS_DIED, TOO_SLOW
from pass_dataset.passify.steps.record import Examined
from pass_dataset.passify.steps.watch import LIMIT_S

__all__ = ["announced", "end_process", "give_up"]

logger = logging.getLogger(__name__)


def announced(
    records: Iterable[Examined], begins: Callable[[int], None] | None
) -> Iterator[Examined]:
    """Images, each of which `begins` is told of by its position."""
    for record in records:
        if begins is not None:
            begins(record.position)
        yield record


def give_up(crashes: CrashRecord, todo: list[Examined]) -> Iterator[Examined]:
    """Takes the images out of `todo` that are on record; each has its reason and message."""
    why = {position: (PROCESS_DIED, how) for position, how in crashes.culprits.items()}
    why |= {position: (TOO_SLOW, how) for position, how in crashes.slow.items()}
    for record in [record for record in todo if record.position in why]:
        todo.remove(record)
        record.result.reason, record.result.message = why[record.position]
        yield record


def end_process(folder: ShardFolder[Any], shard: int, position: int) -> NoReturn:
    """Puts on record that an image takes too long, and ends this process: another goes on."""
    record = folder.crashes(shard)
    record.slow[position] = f"decoding it took more than {LIMIT_S:.0f} s of processor time"
    folder.record_crash(shard, record)
    logger.error("shard %d, image %d: %s", shard, position, record.slow[position])
    os._exit(1)
