"""Shards on a Ray cluster: actors keep networks loaded and take one shard after the other."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from types import ModuleType
from typing import Any, Generic

from pass_dataset.errors import PassDatasetError, SchedulerError
from pass_dataset.executors.attempts import (
    Reply,
    ShardFailure,
    Tries,
    attempt,
    error_of,
    fatal,
)
from pass_dataset.executors.executor import Executor
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.pool import do_shards
from pass_dataset.executors.ray_settings import RaySettings
from pass_dataset.executors.shard_folder import MarkerT, ShardFolder
from pass_dataset.executors.work import ShardDoer, Work, WorkerShare
from pass_dataset.extras import require
from pass_dataset.releases.addresses import public_address, without_secrets
from pass_dataset.version import __version__

__all__ = ["RayExecutor"]

logger = logging.getLogger(__name__)

#: Seconds in which a cluster's head has to take a connection.
_ANSWER_S = 20.0
#: Actors that die before they can take a shard: the cluster is at fault.
_MAX_IDLE_DEATHS = 3


class RayExecutor(Executor):
    """Actors on a Ray cluster.

    All nodes see the folder and the images under the same paths as this machine, and have this
    package installed.
    """

    def __init__(self, settings: RaySettings, work: Work) -> None:
        """Args:
        settings: how shards are spread.
        work: what is done with them, on a node.

        Raises:
          MissingExtraError: Ray is not installed; better known before images are listed.
        """
        _import_ray()
        self._settings = settings
        self._work = work

    def execute(
        self,
        folder: ShardFolder[MarkerT],
        jobs: Sequence[ShardJob],
        told: Callable[[int], None],
    ) -> Iterator[MarkerT | ShardFailure]:
        with _connected(self._settings) as ray:
            crew = _Crew(ray, folder, self._settings, self._work, jobs, told)
            try:
                yield from crew.run()
            finally:
                crew.dismiss()


class _ShardActor:
    """Runs on a node of the cluster; keeps what does shards between them.

    It answers with what `attempt` answers: an error of ours is an answer, not an exception.
    """

    def __init__(self, folder: str, work: Work, share: WorkerShare) -> None:
        self._folder = folder
        self._work = work
        self._share = share
        self._doer: ShardDoer | None = None

    def version(self) -> str:
        """Says that it is there, and with which version of this package."""
        return __version__

    def do(self, job: ShardJob) -> Reply:
        """Does a shard."""
        if job.careful:
            return self._do_carefully(job)
        if self._doer is None:
            try:
                self._doer = self._work.open(self._folder, self._share)
            except (OSError, PassDatasetError) as error:
                return fatal(self._folder, error)
        return attempt(self._folder, self._doer, job, self._work.fatal_errors)

    def _do_carefully(self, job: ShardJob) -> Reply:
        """In a process of its own, so that the image that takes it down is found out."""
        alone = replace(self._work, workers=1, cores=self._share.threads)
        folder = self._work.folder(self._folder)
        try:
            results = do_shards(folder, [job], alone, _tell_nobody, log_name="ray-careful")
            (result,) = results
        except (OSError, PassDatasetError) as error:
            return fatal(self._folder, error)
        if isinstance(result, ShardFailure):
            return {"failed": result.message}
        return {"done": asdict(result)}


class _Crew(Generic[MarkerT]):
    """The actors of one call and the shards that they are at."""

    def __init__(
        self,
        ray: ModuleType,
        folder: ShardFolder[MarkerT],
        settings: RaySettings,
        work: Work,
        jobs: Sequence[ShardJob],
        told: Callable[[int], None],
    ) -> None:
        self._ray: Any = ray
        self._folder = folder
        self._settings = settings
        self._work = work
        self._share = WorkerShare(
            device=work.device if settings.gpus else "cpu",
            threads=settings.cpus,
            on_gpu=settings.gpus > 0,
        )
        self._class = ray.remote(
            num_cpus=settings.cpus, num_gpus=settings.gpus, max_restarts=0, max_task_retries=0
        )(_ShardActor)
        self._waiting = deque(jobs)
        self._told = told
        self._tries = Tries(folder, self._waiting)
        self._idle_deaths = 0
        #: What is being waited for: the actor, and its job; none while it starts.
        self._calls: dict[Any, tuple[Any, ShardJob | None]] = {}

    def run(self) -> Iterator[MarkerT | ShardFailure]:
        for _ in range(min(self._size(), len(self._waiting))):
            self._hire()
        while self._calls:
            # A shard is given only to an actor that is there: the cluster may be small, or grow.
            ready, _ = self._ray.wait(list(self._calls), num_returns=1, timeout=1.0)
            for call in ready:
                actor, job = self._calls.pop(call)
                try:
                    reply = self._ray.get(call)
                except self._ray.exceptions.RayError as error:
                    yield from self._bury(actor, job, error)
                    continue
                if job is None:
                    _check_version(reply)
                else:
                    yield from self._take_in(job, reply)
                self._go_on(actor)

    def dismiss(self) -> None:
        """Ends all actors, whatever they are doing."""
        for actor, _ in self._calls.values():
            self._kill(actor)
        self._calls.clear()

    def _size(self) -> int:
        """Actors to have.

        Raises:
          SchedulerError: no node has room for one, and nobody said how many there will be.
        """
        cpus, gpus = self._settings.cpus, self._settings.gpus
        nodes = [
            (node["Resources"].get("CPU", 0), node["Resources"].get("GPU", 0))
            for node in self._ray.nodes()
            if node["Alive"]
        ]
        room = sum(
            min(int(has_cpus // cpus), int(has_gpus / gpus) if gpus else 1 << 30)
            for has_cpus, has_gpus in nodes
        )
        if self._settings.workers is not None:
            if not room:
                logger.warning("%s; waiting for one that has (Ctrl-C stops)", self._no_room(nodes))
            return self._settings.workers
        if not room:
            raise SchedulerError(
                f"{self._no_room(nodes)}. Ask for less with --ray-cpus and --ray-gpus; where the "
                "cluster grows when it is asked to, say how many actors to wait for with "
                "--ray-workers"
            )
        return room

    def _no_room(self, nodes: Sequence[tuple[float, float]]) -> str:
        listed = Counter(f"{has_cpus:g} CPUs and {has_gpus:g} GPUs" for has_cpus, has_gpus in nodes)
        has = ", ".join(f"{number} with {what}" for what, number in listed.most_common(5))
        return (
            f"no node of the Ray cluster has room for an actor with {self._settings.cpus} CPUs and "
            f"{self._settings.gpus:g} GPUs; its nodes: {has or 'none'}"
        )

    def _hire(self) -> None:
        actor = self._class.remote(str(self._folder.path), self._work, self._share)
        self._calls[actor.version.remote()] = (actor, None)

    def _go_on(self, actor: Any) -> None:
        if not self._waiting:
            self._kill(actor)
            return
        job = self._waiting.popleft()
        job = self._tries.with_care(job)
        self._calls[actor.do.remote(job)] = (actor, job)

    def _kill(self, actor: Any) -> None:
        # It may be gone already, or the cluster.
        with contextlib.suppress(Exception):
            self._ray.kill(actor, no_restart=True)

    # --- what became of a shard -------------------------------------------------------------------

    def _take_in(self, job: ShardJob, reply: Reply) -> Iterator[MarkerT | ShardFailure]:
        if "fatal" in reply:
            raise error_of(reply)
        if "done" in reply:
            self._idle_deaths = 0
            stats = self._folder.marker(reply["done"])
            self._told(stats.images)
            yield stats
            return
        yield from self._tries.again(job, reply["failed"])

    def _bury(self, actor: Any, job: ShardJob | None, error: Exception) -> Iterator[ShardFailure]:
        self._kill(actor)
        how = _how_it_died(error)
        if job is None:
            self._idle_deaths += 1
            if self._idle_deaths > _MAX_IDLE_DEATHS:
                raise SchedulerError(
                    f"Ray's actors die before they can take a shard: {how}. Is this package, with "
                    "the extra ray, installed on all nodes?"
                ) from error
        else:
            # A node that is taken away says nothing about the images.
            if not getattr(error, "preempted", False):
                record = self._folder.crashes(job.shard)
                record.deaths += 1
                self._folder.record_crash(job.shard, record)
            yield from self._tries.again(job, f"its Ray actor died: {how}")
        if self._waiting:
            self._hire()


def _check_version(version: str) -> None:
    if version != __version__:
        raise SchedulerError(
            f"a node of the Ray cluster has pass-dataset {version}, this machine {__version__}; "
            "install the same version on all"
        )


def _how_it_died(error: Exception) -> str:
    """One line of what Ray says in many."""
    text = str(error)
    if "low on memory" in text or type(error).__name__ == "OutOfMemoryError":
        return "its node ran out of memory; fewer --ray-workers, or more --ray-cpus for each, help"
    _, found, detail = text.partition("Worker exit detail: ")
    line = (detail if found else text).strip().splitlines()
    return line[0][:200] if line else type(error).__name__


def _tell_nobody(images: int) -> None:
    """An actor says only when a shard is done."""


def _require_answer(address: str | None) -> None:
    """Asks whether anyone is at an address; Ray itself tries for minutes.

    Raises:
      SchedulerError: nobody is.
    """
    host, colon, port = (address or "").rpartition("://")[2].rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    # A port over 65,535, a name that no network has.
    except (OSError, OverflowError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise SchedulerError(
            f"Ray at {public_address(address or '')} cannot be reached: {said}. ray status, on the "
            "cluster's head, says the address"
        ) from error


def _import_ray() -> ModuleType:
    # What Ray prints of dying workers goes to standard output, where results are; we tell it
    # ourselves. Both are read when Ray is imported.
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    return require("ray", feature="The Ray executor", extra="ray")


@contextlib.contextmanager
def _connected(settings: RaySettings) -> Iterator[ModuleType]:
    """Ray, connected; a connection that was there before is used and left alone.

    Raises:
      SchedulerError: there is no cluster at the address.
    """
    ray = _import_ray()
    if ray.is_initialized():
        yield ray
        return
    _require_answer(settings.address)
    rays_logger = logging.getLogger("ray")
    level = rays_logger.level
    rays_logger.setLevel(logging.ERROR)
    try:
        try:
            ray.init(
                address=settings.address,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise SchedulerError(
                f"Ray at {public_address(settings.address or 'this machine')} cannot be reached: "
                f"{without_secrets(said[0])}"
            ) from error
        try:
            yield ray
        finally:
            ray.shutdown()
    finally:
        rays_logger.setLevel(level)
