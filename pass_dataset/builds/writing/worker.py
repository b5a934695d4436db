"""A process that writes shards of a plan: told which on standard input, answers on standard output.

It imports nothing heavy, neither TensorFlow nor `datasets`: it starts in a fraction of a second and
takes little memory.
Lines in: the number of a shard. Lines out, JSON, one of

    {"bytes": 16777216}                     examples written since the last line
    {"done": 17, "beside": "incomplete…"}   the shard is whole, under that name
    {"error": "ArchiveError", "message": …} the shard cannot be written; the process ends
"""

from __future__ import annotations

import contextlib
import os
import pickle
from pathlib import Path
from typing import NoReturn

from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.builds.writing.plan import BuildPlan
from pass_dataset.builds.writing.shard_files import ShardFormat, write_beside
from pass_dataset.errors import PassDatasetError
from pass_dataset.workers.giver import Giver

__all__ = ["main"]


def main(folder: str, pickled_format: str) -> NoReturn:
    """Writes the shards that are asked for until there are no more, and ends the process.

    Args:
      folder: work folder.
      pickled_format: how shards are written, from the process that started this one, as
        hexadecimal text.
    """
    code = 1
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        code = _serve(Giver(), Path(folder), pickle.loads(bytes.fromhex(pickled_format)))
    # All files are closed; taking the interpreter apart would only take time.
    os._exit(code)


def _serve(giver: Giver, folder: Path, shard_format: ShardFormat) -> int:
    def written(size_bytes: int) -> None:
        giver.tell(bytes=size_bytes)

    try:
        plan = BuildPlan.load(folder, shard_format)
        tars = OpenTars(plan.archives, plan.tars, plan.marks)
        for line in giver.lines():
            number = int(line)
            path = plan.data / plan.names[number]
            beside = write_beside(
                plan.layout.shard(number),
                tars,
                path,
                shard_format,
                lambda size: giver.tell(bytes=size),
            )
            giver.answer(done=number, beside=beside.name)
    except PassDatasetError as error:
        giver.answer(error=type(error).__name__, message=str(error))
        return 1
    return 0
