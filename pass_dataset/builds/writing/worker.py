"""A process that writes shards of a plan: told which on standard input, answers on standard output.

It imports nothing heavy, neither TensorFlow nor `datasets`: it starts in a fraction of a second and
takes little memory.
Lines in: the number of a shard. Lines out, JSON, one of

    {"bytes": 16777216}                     examples written since the last line
    {"done": 17}                            the shard is whole
    {"error": "ArchiveError", "message": …} the shard cannot be written; the process ends
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any, NoReturn

from pass_dataset.archives.records import OpenTars
from pass_dataset.builds.writing.plan import BuildPlan
from pass_dataset.builds.writing.shard_files import ShardFormat, write_shard
from pass_dataset.errors import PassDatasetError

__all__ = ["main"]


class _Orphaned(Exception):
    """The process that started this one is gone; another may continue its build."""


class _Replies:
    """Tells the process that started this one, as long as it is there."""

    def __init__(self) -> None:
        self._parent = os.getppid()

    def send(self, **content: Any) -> None:
        if os.getppid() != self._parent:
            raise _Orphaned
        try:
            print(json.dumps(content), flush=True)  # noqa: T201  (the other end is no terminal)
        except BrokenPipeError as error:
            raise _Orphaned from error

    def written(self, size_bytes: int) -> None:
        self.send(bytes=size_bytes)


def main(folder: str, pickled_format: str) -> NoReturn:
    """Writes the shards that are asked for until there are no more, and ends the process.

    Args:
      folder: work folder.
      pickled_format: how shards are written, from the process that started this one, as
        hexadecimal text.
    """
    code = _serve(folder, pickle.loads(bytes.fromhex(pickled_format)))
    sys.stdout.flush()
    # All files are closed; taking the interpreter apart would only take time.
    os._exit(code)


def _serve(folder: str, shard_format: ShardFormat) -> int:
    replies = _Replies()
    try:
        plan = BuildPlan.load(Path(folder), shard_format)
        tars = OpenTars(plan.archives, plan.tars)
        for line in sys.stdin:
            number = int(line)
            path = plan.data / plan.names[number]
            write_shard(plan.layout.shard(number), tars, path, shard_format, replies.written)
            replies.send(done=number)
    except PassDatasetError as error:
        replies.send(error=type(error).__name__, message=str(error))
        return 1
    except (_Orphaned, KeyboardInterrupt):
        return 1
    return 0
