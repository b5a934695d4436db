"""The steps `sound` and `filter`: passify run over what was fetched, its verdicts in the ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from pass_dataset.curate.filter.fetched import FetchedPhotographs
from pass_dataset.curate.filter.opt_outs import OptOuts
from pass_dataset.curate.filter.settings import FilterSettings
from pass_dataset.curate.filter.verdicts import Verdicts, require_examined, verdicts_of
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.step_record import StepRecord
from pass_dataset.curate.step_writer import StepWriter, begin_step
from pass_dataset.errors import CurationError
from pass_dataset.executors.executor import Executor
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.passify.filtering import run_filter as run_passify
from pass_dataset.passify.runs.results import Results
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import DetectorChoice, RunSettings
from pass_dataset.passify.sources.opening import SourceSettings
from pass_dataset.passify.steps.execution import Execution
from pass_dataset.passify.steps.loading import open_named
from pass_dataset.progress import Progress

__all__ = ["FETCH", "FILTER", "SOUND", "run_filter"]

logger = logging.getLogger(__name__)

#: Steps of the ledger.
FETCH, SOUND, FILTER = "fetch", "sound", "filter"


def run_filter(
    folder: CurationFolder,
    settings: FilterSettings,
    *,
    execution: Execution | None = None,
    executor: Executor | None = None,
    exclude: Path | None = None,
    strict: bool = False,
    retry_failed: bool = False,
    give_up_failed: bool = False,
    progress: Progress | None = None,
) -> StepRecord | None:
    """Does the steps `sound` and `filter`, or what is missing of them.

    Args:
      folder: the curation, of which what was fetched is there.
      settings: what decides; without detectors there is no step `filter`.
      execution: how fast, and with which weights; None: as this machine can.
      executor: where, made with that execution; None: on this machine.
      exclude: opt-out list; photographs on it are not looked at, with the cause ``opted-out``.
      strict: refuse the list if lines of it name no photograph.
      retry_failed: begin anew with photographs that could not be examined.
      give_up_failed: leave those out that still could not, with passify's reason as their cause.
      progress: where progress is shown.

    Returns:
      The record of the last of both steps; None: others are still at work (`Executor.waits`), and
      the same call, later, ends the steps.

    Raises:
      CurationError: a step was begun with other settings, photographs could not be examined, or the
        tars are not those that were fetched.
      SourceError: the opt-out list cannot be read.
      RunError: the run cannot go on.
      WeightsError: weights cannot be had.
      FolderLockedError: another process has the curation.
      OSError: the folder cannot be written.
    """
    execution = execution or Execution()
    with folder.held():
        steps = _Steps(folder, settings, execution, OptOuts.load(exclude, _tars(folder)))
        done = steps.done()
        if done is not None:
            return done
        steps.begin(strict=strict)
        whole = steps.examine(executor or LocalExecutor(execution), retry_failed, progress)
        return steps.write(give_up_failed) if whole else None


def _tars(folder: CurationFolder) -> Path:
    return folder.work_path(FETCH) / "tars"


class _Steps:
    """Both steps of one call, of a curation that is held."""

    def __init__(
        self,
        folder: CurationFolder,
        settings: FilterSettings,
        execution: Execution,
        opt_outs: OptOuts,
    ) -> None:
        self._settings = settings
        self._detectors = _detectors(settings, execution)
        self._opt_outs = opt_outs
        self._ledger = Ledger(folder)
        if self._ledger.record(FETCH) is None:
            raise CurationError(f"{folder.path}: {SOUND} needs {FETCH} to be done first")
        sound = self._ledger.record(SOUND)
        after = self._ledger.steps()[-1].name if sound is None else sound.after
        assert after is not None  # fetch comes first
        self._photographs = FetchedPhotographs(_tars(folder), self._ledger, after, opt_outs)
        # Each its own: whoever looks for people later begins no other run's folder anew.
        self._run = RunFolder(folder.work_path(FILTER if self._detectors else SOUND))
        self._to_examine = 0

    def done(self) -> StepRecord | None:
        """The record of the last step, if there is nothing left to do."""
        if self._ledger.record(SOUND) is None or self._sound().record is None:
            return None
        if not self._detectors:
            return self._ledger.record(SOUND)
        if self._ledger.record(FILTER) is None:
            return None
        self._filter()
        return self._ledger.record(FILTER)

    def begin(self, *, strict: bool) -> None:
        """Begins the first step, if it is not begun."""
        self._to_examine = self._photographs.count()
        unmatched = self._opt_outs.unmatched()
        if unmatched is not None and strict:
            raise CurationError(f"{unmatched}. Nothing was written")
        if unmatched is not None:
            logger.warning("%s", unmatched)
        self._sound()

    def examine(self, executor: Executor, retry_failed: bool, progress: Progress | None) -> bool:
        """Does what is missing of the run; False if others are still at it."""
        if not self._to_examine:
            return True
        source = SourceSettings(SourceSettings.of(self._photographs.tars).path, "tar")
        report = run_passify(
            self._run,
            RunSettings(
                source,
                self._detectors,
                self._settings.thresholds(),
                self._settings.run_all,
                max_pixels=self._settings.max_pixels,
            ),
            executor,
            source=self._photographs,
            retry_failed=retry_failed,
            progress=progress,
        )
        return not report.shards_left

    def write(self, give_up_failed: bool) -> StepRecord:
        """Writes what is missing of both steps."""
        results = Results(self._run) if self._to_examine else None
        if results is not None and not give_up_failed:
            require_examined(results)
        sound = self._sound()
        if sound.record is None:
            self._write(sound, results, Verdicts.sound)
            sound.finish({"examined": self._to_examine})
        if self._detectors:
            writer = self._filter()
            self._write(writer, results, Verdicts.filtered)
            return writer.finish()
        record = self._ledger.record(SOUND)
        assert record is not None
        return record

    def _write(
        self,
        writer: StepWriter,
        results: Results | None,
        said: Callable[[Verdicts], pa.Table],
    ) -> None:
        missing = set(writer.missing())
        if not missing:
            return
        thresholds = self._settings.thresholds()
        for verdicts in verdicts_of(self._photographs, results, thresholds):
            if verdicts.shard in missing:
                writer.write(verdicts.shard, said(verdicts))

    def _sound(self) -> StepWriter:
        content = {
            "max_pixels": self._settings.max_pixels,
            "opt_outs_sha256": self._opt_outs.sha256,
        }
        return begin_step(self._ledger, SOUND, content, needs=[FETCH])

    def _filter(self) -> StepWriter:
        content = {
            "detectors": [asdict(choice) for choice in self._detectors],
            **asdict(self._settings.thresholds()),
            "run_all": self._settings.run_all,
        }
        return begin_step(self._ledger, FILTER, content, needs=[SOUND])


def _detectors(settings: FilterSettings, execution: Execution) -> tuple[DetectorChoice, ...]:
    """The detectors with the hashes of their weights, which are fetched if need be."""
    choices = []
    for target in settings.detectors:
        name = settings.detector(target)
        detector = open_named(name, execution.loading().settings(target))
        choices.append(DetectorChoice(target, name, detector.weights_sha256))
    return tuple(choices)
