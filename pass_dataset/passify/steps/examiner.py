"""What is done with a shard, wherever that is."""

from __future__ import annotations

import datetime
import functools
import logging
import socket
import time
from collections.abc import Callable, Iterable, Iterator

from pass_dataset.errors import DetectorError, RunError, WeightsError
from pass_dataset.passify.detectors.detector import Detector
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.exclusions import Exclusions, exclusions_of
from pass_dataset.passify.runs.outcomes import Thresholds, outcome_of
from pass_dataset.passify.runs.plan import Plan
from pass_dataset.passify.runs.results import read_results, write_results
from pass_dataset.passify.runs.run_folder import RunFolder, ShardStats
from pass_dataset.passify.runs.schema import ImageResult
from pass_dataset.passify.sources.opening import open_source
from pass_dataset.passify.sources.source import SourceItem
from pass_dataset.passify.steps.culprits import announced, end_process, give_up
from pass_dataset.passify.steps.decoding import Decoding
from pass_dataset.passify.steps.detecting import Detecting, needs
from pass_dataset.passify.steps.job import FilterJob
from pass_dataset.passify.steps.loading import Loading
from pass_dataset.passify.steps.record import Examined

__all__ = ["Examiner"]

logger = logging.getLogger(__name__)

#: How often what is done of a shard is written, so that a death costs no more than this.
_CHECKPOINT_S = 60.0
#: A detector that raises on this many images and succeeds on none is at fault, not the images.
_ALL_FAILED = 8


class Examiner:
    """Does shards of a run, one after the other; detectors are loaded once.

    It has a process of its own, which it ends where an image holds it up for too long.
    """

    def __init__(self, folder: RunFolder, loading: Loading) -> None:
        """Opens a run that is planned.

        Raises:
          RunError: there is no run, or no plan.
          SourceError: the source is not there.
        """
        self.folder = folder
        self.settings = folder.settings()
        plan = Plan.load(folder)
        if plan is None:
            raise RunError(f"{folder.path}: the images are not listed yet")
        self._plan = plan
        self._loading = loading
        self._source = open_source(self.settings.source)
        self._exclusions = exclusions_of(folder) or Exclusions()
        self._detectors: dict[Target, Detector] = {}

    def run(
        self,
        job: FilterJob,
        told: Callable[[int], None],
        begins: Callable[[int], None] | None = None,
    ) -> ShardStats:
        """Does a shard and marks it.

        Args:
          job: what is to be done.
          told: is told of images as they are done, those that were done before first.
          begins: with a careful job, is told of each image's position before it is touched.

        Raises:
          RunError: a detector failed on every image.
          DetectorError, MissingExtraError: a detector cannot be had.
          WeightsError: its weights cannot, or are others than those that the run was begun with.
          OSError: the results cannot be written.
        """
        started = time.monotonic()
        items = self._plan.items(self.folder, job.shard)
        rows = self._existing(job, items)
        thresholds = job.thresholds or self.settings.thresholds
        todo = [
            Examined(position, item, self._fresh(item, rows[position]))
            for position, item in enumerate(items)
            if self._needs_work(rows[position], job, thresholds)
        ]
        for record in give_up(self.folder.crashes(job.shard), todo):
            record.result.processed_at = datetime.datetime.now(datetime.timezone.utc)
            rows[record.position] = record.result
        told(len(items) - len(todo))
        decoding, detecting, steps = self._steps(job, thresholds, announced(todo, begins))
        checkpoint = started
        for record in steps:
            record.image = None
            record.result.processed_at = datetime.datetime.now(datetime.timezone.utc)
            rows[record.position] = record.result
            told(1)
            if time.monotonic() - checkpoint > _CHECKPOINT_S:
                self._write(job, rows, partial=True)
                checkpoint = time.monotonic()
        _check_detectors(detecting)
        stage = self._stage(rows)
        outcomes = self._write(job, rows, partial=stage is not None)
        stats = ShardStats(
            shard=job.shard,
            images=len(items),
            outcomes=outcomes,
            worked_on=len(todo),
            seconds=time.monotonic() - started,
            decode_s=decoding.seconds,
            detect_s={step.target: step.seconds for step in detecting},
            host=socket.gethostname(),
            finished_at=time.time(),
        )
        self.folder.mark_done(stats, stage)
        return stats

    # --- rows -------------------------------------------------------------------------------------

    def _existing(self, job: FilterJob, items: list[SourceItem]) -> list[ImageResult | None]:
        """Rows that are there from before, by position."""
        rows: list[ImageResult | None] = [None] * len(items)
        stored: list[ImageResult] = []
        # What was done last: a checkpoint is removed when the shard is marked.
        for path in (self.folder.partial_path(job.shard), self.folder.results_path(job.shard)):
            try:
                stored = read_results(path)
                break
            except FileNotFoundError:
                continue
            except RunError as error:
                logger.warning("%s; what it held is done again", error)
        # Both are in the order of the list, though rows may be missing.
        position = 0
        for row in stored:
            while position < len(items) and items[position].path != row.path:
                position += 1
            if position == len(items):
                raise RunError(
                    f"{self.folder.path}: results of shard {job.shard} are not of its images; "
                    "remove them and run again"
                )
            rows[position] = row
            position += 1
        return rows

    def _needs_work(self, row: ImageResult | None, job: FilterJob, thresholds: Thresholds) -> bool:
        if row is None or (job.retry_failed and outcome_of(row.reason) == "failed"):
            return True
        return any(self._needs(row, target, thresholds) for target in self._targets(job))

    def _needs(self, row: ImageResult, target: Target, thresholds: Thresholds) -> bool:
        return needs(row, target, self.settings.targets, thresholds, self.settings.run_all)

    def _targets(self, job: FilterJob) -> list[Target]:
        return [target for target in self.settings.targets if target in job.targets]

    def _fresh(self, item: SourceItem, row: ImageResult | None) -> ImageResult:
        """A row to fill in: what is known of the image stays, what failed is forgotten."""
        if row is None or outcome_of(row.reason) == "failed":
            return ImageResult(self.settings.source.path, item.path)
        row.reason = None
        return row

    def _stage(self, rows: list[ImageResult | None]) -> Target | None:
        """What the rows are through with, if another detector is still to come; None: all."""
        thresholds = self.settings.thresholds
        wanted = {
            target
            for target in self.settings.targets
            for row in rows
            if row is not None and self._needs(row, target, thresholds)
        }
        return "face" if wanted else None

    def _write(
        self, job: FilterJob, rows: list[ImageResult | None], partial: bool
    ) -> dict[str, int]:
        path = (self.folder.partial_path if partial else self.folder.results_path)(job.shard)
        there = [row for row in rows if row is not None]
        return write_results(path, there, self.settings.thresholds, self.settings.targets)

    # --- steps ------------------------------------------------------------------------------------

    def _steps(
        self, job: FilterJob, thresholds: Thresholds, records: Iterable[Examined]
    ) -> tuple[Decoding, list[Detecting], Iterator[Examined]]:
        targets = self._targets(job)
        at_once = {
            target: 1 if job.careful else self._loading.at_once(target) for target in targets
        }
        reader = self._source.reader(self._plan.files)
        decoding = Decoding(
            reader,
            self._exclusions,
            self.settings.max_pixels,
            threads=0 if job.careful else self._loading.decode_threads,
            ahead=2 * max(at_once.values(), default=self._loading.at_once("face")),
            stuck=functools.partial(end_process, self.folder, job.shard),
        )
        detecting = [
            Detecting(
                self._detector(target),
                self.settings.choice(target),
                self.settings.targets,
                thresholds,
                self.settings.run_all,
                at_once[target],
            )
            for target in targets
        ]

        def run() -> Iterator[Examined]:
            stream = decoding.run(records)
            for step in detecting:
                stream = step.run(stream)
            try:
                yield from stream
            finally:
                reader.close()

        return decoding, detecting, run()

    def _detector(self, target: Target) -> Detector:
        if target not in self._detectors:
            choice = self.settings.choice(target)
            detector = self._loading.open(target, choice.name)
            if detector.target != target:
                raise DetectorError(f"{choice.name}: looks for {detector.target}, not for {target}")
            if detector.weights_sha256 != choice.weights_sha256:
                raise WeightsError(
                    f"{choice.name}: expected the weights that the run was begun with, SHA-256 "
                    f"{choice.weights_sha256}, found {detector.weights_sha256}"
                )
            self._detectors[target] = detector
        return self._detectors[target]


def _check_detectors(steps: list[Detecting]) -> None:
    """Refuses a shard on all of whose images a detector failed."""
    for step in steps:
        if step.failed == step.tried >= _ALL_FAILED:
            raise RunError(
                f"the detector {step.name} failed on all {step.tried} images that it was given; "
                f"the last time: {step.last_failure}"
            )
