"""Where the shards of steps are done: `--executor` for each step, with its own kind of work."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pass_dataset.commands.executors import chosen_executor

if TYPE_CHECKING:
    from pass_dataset.curate.duplicates.finding import DuplicatesSettings
    from pass_dataset.curate.fetch.settings import FetchSettings
    from pass_dataset.curate.fetch.work import Fetching
    from pass_dataset.curate.folder import CurationFolder
    from pass_dataset.executors.executor import Executor

__all__ = ["add_device", "add_failed", "describing", "device_here", "fetching", "spread"]

#: Actors that fetch, where none are asked for.
_RAY_WORKERS = 4


def add_failed(parser: argparse.ArgumentParser) -> None:
    """What becomes of photographs that the filter could not examine."""
    failed = parser.add_mutually_exclusive_group()
    failed.add_argument(
        "--retry-failed",
        action="store_true",
        help="let the filter begin anew with photographs that could not be examined",
    )
    failed.add_argument(
        "--give-up-failed",
        action="store_true",
        help="let it leave those out, with the reason as their cause",
    )


def fetching(
    options: argparse.Namespace,
    folder: CurationFolder,
    settings: FetchSettings,
    *,
    connections: int,
    tries: int,
) -> Fetching:
    """The work of fetching; all tasks together have no more connections than one process would.

    Args:
      options: with those of `add_executor`, and ``accept_failures``. There are no more tasks then
        than connections and shards.
      folder: the curation, of which photographs are selected.
      settings: of the step.
      connections: to a host.
      tries: for a photograph.
    """
    from pass_dataset.curate.fetch.work import Fetching
    from pass_dataset.curate.ledger import Ledger
    from pass_dataset.curate.settings import as_content

    tasks = 1
    if options.executor != "local":
        tasks = max(1, min(connections, Ledger(folder).shards()))
        options.slurm_parallel = min(tasks, options.slurm_parallel)
        options.ray_workers = min(tasks, options.ray_workers or _RAY_WORKERS)
        tasks = options.slurm_parallel if options.executor == "slurm" else options.ray_workers
    return Fetching(
        settings=as_content(settings),
        connections=connections // tasks,
        tries=tries,
        accept_failures=options.accept_failures,
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Adds where images are described, and descriptors compared."""
    parser.add_argument(
        "--device",
        help="where --crops computes: cpu, cuda or cuda:N (default: cuda where there is one)",
    )


def device_here(options: argparse.Namespace) -> str | None:
    """The option of `add_device`, for what this machine computes; None: CUDA where there is one."""
    device: str | None = options.device
    # A cluster's GPUs say nothing of this machine's: one that submits jobs may have none.
    return device if options.executor == "local" or device == "cpu" else None


def describing(options: argparse.Namespace, settings: DuplicatesSettings) -> Executor | None:
    """Where images are described, by options of `add_executor`; None: crops are not asked for."""
    if settings.crops is None:
        return None
    from pass_dataset.curate.duplicates.crop_search import describing_work
    from pass_dataset.curate.duplicates.crops.weights import crop_weights

    weights = crop_weights(Path(settings.crops), settings.crops_sha256)
    device = getattr(options, "device", None)
    work = describing_work(weights, workers=options.workers, device=device)
    # A copy: hashing asks for its own of the same cluster.
    return chosen_executor(argparse.Namespace(**vars(options)), work)


def spread(
    options: argparse.Namespace, folder: CurationFolder
) -> Callable[[str, Any], Executor | None]:
    """Says where the shards of a step are done, when its turn comes; see `Circumstances`."""

    def executor_of(step: str, settings: Any) -> Executor | None:
        # A copy: what is asked of a cluster for one step says nothing of the next.
        own = argparse.Namespace(**vars(options))
        if step == "filter":
            from pass_dataset.passify.steps.execution import Execution

            return chosen_executor(own, Execution(workers=options.workers))
        if step == "fetch" and options.executor != "local":
            from pass_dataset.curate.fetch.settings import Pace

            pace = Pace()
            tries = pace.policy.max_failures
            work = fetching(own, folder, settings, connections=pace.connections, tries=tries)
            return chosen_executor(own, work)
        if step == "duplicates":
            from pass_dataset.curate.duplicates.hash_work import Hashing

            return chosen_executor(own, Hashing(workers=options.workers))
        if step == "describing":
            return describing(own, settings)
        return None

    return executor_of
