"""Where shards are done; the same shards and the same results everywhere.

executor  the run loop, and the interface: do these shards
local     worker processes on this machine
pool      the worker processes of one machine, which the other executors use on theirs
worker    what runs in such a process
"""

from __future__ import annotations

from pass_dataset.passify.executors.executor import Executor, RunReport, fill_run, run_filter
from pass_dataset.passify.executors.local import LocalExecutor
from pass_dataset.passify.executors.pool import ShardFailure, do_shards

__all__ = [
    "Executor",
    "LocalExecutor",
    "RunReport",
    "ShardFailure",
    "do_shards",
    "fill_run",
    "run_filter",
]
