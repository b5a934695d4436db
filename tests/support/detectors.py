"""Detectors of what tests paint into images: bright squares, found by real arithmetic on pixels.

`passify run --face-detector python:tests.support.detectors:Faces` runs one in worker processes.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

import numpy as np

from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.settings import DetectorSettings, Target


class Squares:
    """The share of pixels in which one colour is far over the others is the score; one box."""

    name = "squares"
    target: Target
    class_names: tuple[str, ...]
    store_threshold = 0.02
    image_reader = "opencv"
    channel: int

    def __init__(self, settings: DetectorSettings) -> None:
        self._settings = settings

    @property
    def weights_sha256(self) -> str:
        return f"{self.channel:064x}"

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        return [self._detect(image) for image in images]

    def _detect(self, image: np.ndarray) -> Detections:
        others = np.delete(image, self.channel, axis=2).max(axis=2).astype(np.int16)
        marked = image[:, :, self.channel] > others + 60
        score = float(np.float32(marked.mean()))
        if score <= self.store_threshold:
            empty = np.zeros((0, 4), np.float32)
            return Detections(empty, np.zeros(0, np.float32), np.zeros(0, np.int64), score)
        rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
        box = np.array([[columns[0], rows[0], columns[-1], rows[-1]]], np.float32)
        classes = np.array([self.class_names.index(self.target)])
        return Detections(box, np.array([score], np.float32), classes, score)


class Faces(Squares):
    """Red is a face."""

    target: Target = "face"
    class_names = ("face",)
    channel = 2


class People(Squares):
    """Blue is a person."""

    target: Target = "person"
    class_names = ("chair", "person")
    channel = 0


class Raising(Faces):
    """Fails on wide images, and on whatever comes with one."""

    def _detect(self, image: np.ndarray) -> Detections:
        if image.shape[1] > 2 * image.shape[0]:
            raise FloatingPointError("an image wider than it should be")
        return super()._detect(image)


class AlwaysRaising(Faces):
    """Fails on all."""

    def _detect(self, image: np.ndarray) -> Detections:
        raise FloatingPointError("the network is broken")


class Deadly(Faces):
    """Is killed by wide images, as by the system when memory runs out."""

    def _detect(self, image: np.ndarray) -> Detections:
        if image.shape[1] > 2 * image.shape[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._detect(image)


class Slow(Faces):
    """Takes 20 ms an image, or as long as it is told, so that there is time to interrupt it."""

    def _detect(self, image: np.ndarray) -> Detections:

        time.sleep(float(os.environ.get("TESTS_DELAY_S", "0.02")))
        return super()._detect(image)


class Hungry(Faces):
    """Takes 700 MB."""

    def _detect(self, image: np.ndarray) -> Detections:
        if not hasattr(self, "_food"):
            self._food = np.ones(700 << 17)
            # SLURM looks once a second.
            time.sleep(3)
        return super()._detect(image)


class Telling(Raising):
    """Says in its process's log how many images it was given at once."""

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        print(f"given {len(images)} images", file=sys.stderr, flush=True)
        return super().detect(images)
