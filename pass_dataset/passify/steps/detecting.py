"""One detector on the images that need it."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Collection, Iterable, Iterator

from pass_dataset.errors import DetectorError, MissingExtraError, WeightsError
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.detector import Detector
from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import DETECTOR_FAILED, TARGETS, Thresholds, outcome_of
from pass_dataset.passify.runs.schema import Box, ImageResult
from pass_dataset.passify.runs.settings import DetectorChoice
from pass_dataset.passify.steps.record import Examined

__all__ = ["Detecting", "needs"]

logger = logging.getLogger(__name__)

#: Images that are given to a detector at once take at most this much; one may be larger.
_WINDOW_BYTES = 64 << 20
#: What has nothing to do with the images that a detector was given, and ends a run.
_NO_IMAGES_FAULT = (DetectorError, MissingExtraError, WeightsError)


def needs(
    result: ImageResult,
    target: Target,
    targets: Collection[Target],
    thresholds: Thresholds,
    run_all: bool,
) -> bool:
    """Whether an image that is sound so far is to be given to a detector.

    Args:
      result: its row.
      target: what the detector looks for.
      targets: what all detectors of the run look for.
      thresholds: decide whether a face is one.
      run_all: run each detector whatever the others found.
    """
    if _stands(result) or getattr(result, f"{target}_max_score") is not None:
        return False
    earlier = [other for other in TARGETS[: TARGETS.index(target)] if other in targets]
    if run_all or "face" not in earlier:
        return True
    return result.face_max_score is not None and not thresholds.has_face(result.face_max_score)


def _stands(result: ImageResult) -> bool:
    """Whether the reason against an image does not come from its scores."""
    return result.reason not in (None, *TARGETS) and outcome_of(result.reason) != "undecided"


class Detecting:
    """Gives images to a detector, some at a time, and fills in scores and boxes."""

    def __init__(
        self,
        detector: Detector,
        choice: DetectorChoice,
        targets: Collection[Target],
        thresholds: Thresholds,
        run_all: bool,
        images_at_once: int,
    ) -> None:
        """Args:
        detector: finds what `choice` says.
        choice: what goes into the rows.
        targets, thresholds, run_all: see `needs`.
        images_at_once: how many it is given; it sorts them by size itself.
        """
        self._detector = detector
        self._choice = choice
        self._targets = targets
        self._thresholds = thresholds
        self._run_all = run_all
        self._images_at_once = images_at_once
        self.seconds = 0.0
        #: Images that it was given, and those it raised on, with what it said of the last.
        self.tried = self.failed = 0
        self.last_failure = ""
        self._was_too_many = False

    @property
    def target(self) -> Target:
        return self._choice.target

    @property
    def name(self) -> str:
        return self._choice.name

    def run(self, records: Iterable[Examined]) -> Iterator[Examined]:
        target = self._choice.target
        window: list[Examined] = []
        size_bytes = 0
        for record in records:
            if record.image is None or not needs(
                record.result, target, self._targets, self._thresholds, self._run_all
            ):
                yield record
                continue
            window.append(record)
            size_bytes += record.size_bytes
            if len(window) >= self._images_at_once or size_bytes >= _WINDOW_BYTES:
                self._detect(window)
                yield from window
                window, size_bytes = [], 0
        if window:
            self._detect(window)
            yield from window

    def _detect(self, window: list[Examined]) -> None:
        started = time.perf_counter()
        self.tried += len(window)
        try:
            self._give(window)
        except _NO_IMAGES_FAULT:
            raise
        except Exception as error:
            self._let_go_of(error)
            if len(window) > 1:
                logger.debug("%s on %d images; one by one", error, len(window), exc_info=True)
            before = self.failed
            self._detect_each(window, error)
            if len(window) > 1 and self.failed == before:
                self._warn_of_too_many(len(window), error)
        self.seconds += time.perf_counter() - started

    def _detect_each(self, window: list[Examined], error: Exception) -> None:
        """One by one: a single image must not cost the others their scores."""
        for record in window:
            if len(window) > 1:
                try:
                    self._give([record])
                    continue
                except _NO_IMAGES_FAULT:
                    raise
                except Exception as its_own:
                    self._let_go_of(its_own)
                    error = its_own
            logger.warning(
                "%s: %s failed: %s", record.result.path, self._choice.name, error, exc_info=error
            )
            self.failed += 1
            self.last_failure = f"{type(error).__name__}: {error}"
            record.result.reason = DETECTOR_FAILED
            record.result.message = f"{self._choice.name}: {self.last_failure}"

    @staticmethod
    def _let_go_of(error: Exception) -> None:
        """Of what the detector had made so far: a GPU whose memory was full would stay full."""
        traceback.clear_frames(error.__traceback__)

    def _warn_of_too_many(self, count: int, error: Exception) -> None:
        """The first time: a run may go on like this for a night, at a fraction of its speed."""
        if not self._was_too_many:
            logger.warning(
                "%s: failed on %d images at once and on none of them alone, which is slower: %s: "
                "%s; if it lacks memory, a smaller --batch-size helps",
                *(self._choice.name, count, type(error).__name__, error),
            )
        self._was_too_many = True

    def _give(self, window: list[Examined]) -> None:
        reader = self._detector.image_reader
        seen = [record.image.pixels_by(reader) for record in window if record.image is not None]
        images = [pixels for pixels in seen if pixels is not None]
        found = self._detector.detect(images)
        if len(found) != len(images):
            raise ValueError(f"expected detections of {len(images)} images, found {len(found)}")
        for record, detections in zip(window, found, strict=True):
            self._fill_in(record.result, detections)

    def _fill_in(self, result: ImageResult, detections: Detections) -> None:
        target = self._choice.target
        setattr(result, f"{target}_max_score", float(detections.max_score))
        setattr(result, f"{target}_boxes", self._boxes(detections))
        setattr(result, f"{target}_detector", self._choice.name)
        setattr(result, f"{target}_weights_sha256", self._choice.weights_sha256)

    def _boxes(self, detections: Detections) -> list[Box]:
        names = self._detector.class_names
        return [
            Box(x1=x1, y1=y1, x2=x2, y2=y2, score=score)
            for (x1, y1, x2, y2), score, number in zip(
                detections.boxes.tolist(),
                detections.scores.tolist(),
                detections.classes.tolist(),
                strict=True,
            )
            if names[number] == self._choice.target
        ]
