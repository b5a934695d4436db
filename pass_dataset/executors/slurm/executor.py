"""Shards are done by job arrays; this process submits them and waits."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from pass_dataset.errors import SchedulerError
from pass_dataset.executors.attempts import ShardFailure
from pass_dataset.executors.executor import Executor
from pass_dataset.executors.job import ShardJob
from pass_dataset.executors.shard_folder import MarkerT, ShardFolder
from pass_dataset.executors.slurm import scheduler
from pass_dataset.executors.slurm.arrays import submit_array
from pass_dataset.executors.slurm.endings import describe_ending, read_end
from pass_dataset.executors.slurm.queue import active_jobs
from pass_dataset.executors.slurm.scheduler import TaskState
from pass_dataset.executors.slurm.settings import SlurmSettings
from pass_dataset.executors.slurm.shard_task import ShardTask
from pass_dataset.executors.slurm.stages import WHOLE, arrays_to_submit, work_on
from pass_dataset.executors.slurm.submissions import Submission, load_submissions
from pass_dataset.executors.work import Work
from pass_dataset.extras import require

__all__ = ["SlurmExecutor", "Waiting"]

logger = logging.getLogger(__name__)

#: How often a shard is submitted whose task ended without having done it.
_MAX_ROUNDS = 3


@dataclass(frozen=True)
class Waiting:
    """How jobs are waited for.

    Attributes:
      poll_s: seconds between two looks at the folder and the queue, at most.
      settle_s: seconds that a file may take to be seen here after a node has written it. 60 is how
        long NFS keeps the listing of a folder.
      patience_s: seconds for which SLURM may fail to answer; its controller is restarted at times.
      cancel_on_interrupt: cancel the jobs when the waiting is interrupted.
    """

    poll_s: float = 10.0
    settle_s: float = 60.0
    patience_s: float = 3600.0
    cancel_on_interrupt: bool = False


class SlurmExecutor(Executor):
    """Job arrays on a SLURM cluster.

    The nodes see the folder and the images under the same paths as this machine, and the same
    Python environment.
    """

    def __init__(
        self,
        settings: SlurmSettings,
        work: Work,
        waiting: Waiting | None = Waiting(),
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Args:
        settings: what tasks ask for.
        work: what is done with shards, on a node.
        waiting: how this process waits; None: it submits and does not.
        sleep: what it waits with.

        Raises:
          MissingExtraError: submitit is not installed; better known before images are listed.
        """
        require("submitit", feature="The SLURM executor", extra="slurm")
        self._settings = settings
        self._work = work
        self._waiting = waiting
        self._sleep = sleep
        self.waits = waiting is not None

    others_at_work = True

    def execute(
        self,
        folder: ShardFolder[MarkerT],
        jobs: Sequence[ShardJob],
        told: Callable[[int], None],
    ) -> Iterator[MarkerT | ShardFailure]:
        watch = _Watch(folder, jobs, self._settings, self._work)
        waiting = self._waiting or Waiting()
        try:
            yield from watch.look(told, waiting)
            if self._waiting is None:
                return
            pause_s = min(1.0, waiting.poll_s)
            while watch.pending:
                self._sleep(pause_s)
                pause_s = min(pause_s * 1.2, waiting.poll_s)
                yield from watch.look(told, waiting)
        except KeyboardInterrupt:
            watch.interrupted(cancel=waiting.cancel_on_interrupt)
            raise


class _Watch(Generic[MarkerT]):
    """The jobs of one call, and what became of them."""

    def __init__(
        self,
        folder: ShardFolder[MarkerT],
        jobs: Sequence[ShardJob],
        settings: SlurmSettings,
        work: Work,
    ) -> None:
        self.pending = {job.shard: job for job in jobs}
        self._folder = folder
        self._settings = settings
        self._work = work
        self._stages = work.stages(folder)
        #: Those after which another comes.
        self._early = {stage.name for stage in self._stages[:-1]}
        self._submissions = load_submissions(folder.path)
        self._rounds: Counter[int] = Counter()
        self._idle_since: dict[int, float] = {}
        self._silent_since: float | None = None
        self._told_reasons: set[str] = set()
        #: Of shards that are done again: when they were done before.
        self._before = {
            job.shard: None
            if (stats := folder.shard_stats(job.shard)) is None
            else stats.finished_at
            for job in jobs
            if job.again is not None
        }

    def look(
        self, told: Callable[[int], None], waiting: Waiting
    ) -> Iterator[MarkerT | ShardFailure]:
        """Takes in what is done, and submits what nobody does."""
        # Asked first: what a task did that has ended by now is then on the disk.
        states = self._ask(waiting)
        for stats in self._finished():
            told(stats.images)
            yield stats
        if states is None:
            return
        self._tell_stuck(states)
        active = self._active(states)
        idle = [shard for shard in self.pending if shard not in active]
        for shard in active:
            self._idle_since.pop(shard, None)
            # Submitted by an earlier call: that counts.
            self._rounds[shard] = max(self._rounds[shard], 1)
        missing = []
        for shard in idle:
            if self._rounds[shard] and self._may_appear(shard, states, waiting):
                continue
            message = self._failure(shard, states) if self._rounds[shard] else None
            if message is None:
                missing.append(self.pending[shard])
            else:
                del self.pending[shard]
                yield ShardFailure(shard, message)
        if missing:
            first = not self._rounds
            try:
                self._submit(missing)
            except SchedulerError as error:
                if first:
                    raise
                self._be_patient(error, waiting)

    def interrupted(self, *, cancel: bool) -> None:
        """Says what becomes of the jobs."""
        with contextlib.suppress(SchedulerError):
            # As they are on the disk: the last may have been interrupted before it was noted here.
            job_ids = active_jobs(load_submissions(self._folder.path))
            listed = ", ".join(map(str, job_ids))
            if not job_ids:
                return
            if cancel:
                scheduler.cancel(job_ids)
                logger.warning("SLURM jobs %s are cancelled", listed)
                return
            logger.warning(
                "SLURM jobs %s go on. The same command again waits for them; %s",
                listed,
                self._work.how_to_look(str(self._folder.path), job_ids),
            )

    # --- what is done -----------------------------------------------------------------------------

    def _finished(self) -> list[MarkerT]:
        done = self._folder.done()
        found = []
        for shard in sorted(done & self.pending.keys()):
            stats = self._folder.shard_stats(shard)
            if stats is not None and stats.finished_at != self._before.get(shard):
                del self.pending[shard]
                found.append(stats)
        return found

    # --- what SLURM does --------------------------------------------------------------------------

    def _ask(self, waiting: Waiting) -> dict[tuple[int, int], TaskState] | None:
        try:
            states = scheduler.ask_tasks({submission.job_id for submission in self._submissions})
        except SchedulerError as error:
            if not self._rounds:
                raise  # nothing is waited for yet
            self._be_patient(error, waiting)
            return None
        self._silent_since = None
        return states

    def _be_patient(self, error: SchedulerError, waiting: Waiting) -> None:
        now = time.monotonic()
        if self._silent_since is None:
            logger.warning("%s; trying on", error)
            self._silent_since = now
        if now - self._silent_since > waiting.patience_s:
            raise error

    def _tell_stuck(self, states: dict[tuple[int, int], TaskState]) -> None:
        """Warns, once for each reason, of tasks that may wait for ever."""
        stuck = Counter(state.reason for state in states.values() if state.is_stuck)
        for reason, number in stuck.items():
            if reason not in self._told_reasons:
                logger.warning(
                    "SLURM holds %d tasks back: %s. If that does not pass by itself, press Ctrl-C, "
                    "cancel the jobs and choose other options",
                    number,
                    reason,
                )
        self._told_reasons |= set(stuck)

    def _active(self, states: dict[tuple[int, int], TaskState]) -> set[int]:
        """Pending shards that some task has."""
        found = set()
        for submission, shard, index in self._tasks():
            state = states.get((submission.job_id, index))
            if state is not None and state.is_active:
                found.add(shard)
        return found

    def _tasks(self) -> Iterator[tuple[Submission, int, int]]:
        """Submission, shard and index of all tasks that do what is pending, oldest first."""
        for submission in self._submissions:
            for shard, index in submission.shard_tasks():
                job = self.pending.get(shard)
                if job is None:
                    continue
                plain = {WHOLE, *(stage.name for stage in self._stages)}
                if submission.stage in (plain if job.again is None else (job.again,)):
                    yield submission, shard, index

    def _last_task(
        self, shard: int, states: dict[tuple[int, int], TaskState]
    ) -> tuple[Submission, int]:
        """The task that ended last without having done the shard, and did not only wait."""
        tasks = [(submission, index) for submission, its, index in self._tasks() if its == shard]
        started = [
            (submission, index)
            for submission, index in tasks
            if submission.log(self._folder.path, index).exists()
        ]
        return (started or tasks)[-1]

    def _may_appear(
        self, shard: int, states: dict[tuple[int, int], TaskState], waiting: Waiting
    ) -> bool:
        """True if the shard may be done, and only not be seen yet."""
        submission, index = self._last_task(shard, states)
        state = states.get((submission.job_id, index))
        if state is not None and state.state != "COMPLETED":
            return False
        now = time.monotonic()
        if submission.stage in self._early and shard in self._folder.done(submission.stage):
            return False
        return now - self._idle_since.setdefault(shard, now) < waiting.settle_s

    def _failure(self, shard: int, states: dict[tuple[int, int], TaskState]) -> str | None:
        """Why a shard is given up; None if it is tried again."""
        submission, index = self._last_task(shard, states)
        log = submission.log(self._folder.path, index)
        said = self._folder.failure(shard)
        if said is not None:
            return f"{said} (log: {log})"
        on_gpu = submission.stage not in self._early and self._settings.gpu is not None
        prefix = "--slurm-gpu" if on_gpu else "--slurm"
        state = states.get((submission.job_id, index))
        why = describe_ending(
            state,
            read_end(log),
            memory_option=f"more is given with {prefix}-mem-gb",
            time_option=f"more is given with {prefix}-time",
        )
        message = f"SLURM task {submission.job_id}_{index} ended early: {why} (log: {log})"
        # Whoever cancels tasks does not want them back at once.
        if self._rounds[shard] >= _MAX_ROUNDS or (state is not None and state.was_cancelled):
            return message
        logger.warning("shard %d: %s; it is submitted again", shard, message)
        return None

    # --- submitting -------------------------------------------------------------------------------

    def _submit(self, jobs: Sequence[ShardJob]) -> None:
        for job in jobs:
            self._folder.forget_failure(job.shard)
        arrays = arrays_to_submit(
            jobs,
            self._work,
            self._folder,
            self._settings,
            scheduler.ask_max_array_size(),
        )
        before: Submission | None = None
        for array in arrays:
            work = work_on(array.resources, self._work)
            before = submit_array(
                self._folder.path,
                array.stage,
                [ShardTask(str(self._folder.path), task, work) for task in array.tasks],
                array.resources,
                self._settings,
                command=self._work.command,
                after=before if array.follows else None,
            )
            self._submissions.append(before)
        for job in jobs:
            self._rounds[job.shard] += 1
            self._idle_since.pop(job.shard, None)
