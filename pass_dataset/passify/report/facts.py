"""How a run was made: its settings, the work it took, the software at hand."""

from __future__ import annotations

import importlib.metadata
import platform
from dataclasses import dataclass

from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.runs.settings import RunSettings
from pass_dataset.passify.sources.source import IMAGE_SUFFIXES
from pass_dataset.version import __version__

__all__ = ["Work", "describe_settings", "measure_work", "software"]

_PACKAGES = (
    "numpy",
    "pyarrow",
    "pillow",
    "simplejpeg",
    "ncnn",
    "onnxruntime",
    "torch",
    "torchvision",
)


@dataclass(frozen=True)
class Work:
    """What the shards that are done took, as far as their last worker tells it.

    Attributes:
      shards: number of them.
      images: images that were worked on.
      seconds: sum over workers, from start to end of their shards.
      decode_s: processor time of reading and decoding, summed over threads.
      detect_s: time in detectors, by target.
      hosts: names of the machines.
      started_at, ended_at: of the first and the last shard, seconds since 1970.
    """

    shards: int
    images: int
    seconds: float
    decode_s: float
    detect_s: dict[str, float]
    hosts: tuple[str, ...]
    started_at: float
    ended_at: float

    @property
    def elapsed_s(self) -> float:
        """From the first shard's start to the last one's end, pauses included."""
        return max(0.0, self.ended_at - self.started_at)


def measure_work(folder: RunFolder) -> Work | None:
    """Sums what the shards' markers say; None if no shard is done.

    Raises:
      RunError: a marker cannot be read.
    """
    shards = images = 0
    seconds = decode_s = 0.0
    detect_s: dict[str, float] = {}
    hosts: set[str] = set()
    started_at, ended_at = float("inf"), 0.0
    for stats in folder.stats():
        shards += 1
        images += stats.worked_on
        seconds += stats.seconds
        decode_s += stats.decode_s
        for target, spent in stats.detect_s.items():
            detect_s[target] = detect_s.get(target, 0.0) + spent
        hosts.add(stats.host)
        started_at = min(started_at, stats.finished_at - stats.seconds)
        ended_at = max(ended_at, stats.finished_at)
    if not shards:
        return None
    return Work(
        shards, images, seconds, decode_s, detect_s, tuple(sorted(hosts)), started_at, ended_at
    )


def describe_settings(settings: RunSettings) -> list[tuple[str, str]]:
    """Names and values of all that decides the rows, but for the detectors."""
    source = settings.source
    rows = [
        ("Kind of source", str(source.kind or "told from the path")),
        ("Release", source.release),
        ("Root of the list", source.root),
        ("Column", source.column),
        ("Endings of names", _endings(source.suffixes)),
        (
            "Thresholds of the run",
            f"face over {settings.thresholds.face:g}, person from {settings.thresholds.person:g}",
        ),
        ("Detectors see", "every image" if settings.run_all else "what is left, faces first"),
        ("Opt-out list", settings.exclusions_sha256 and f"SHA-256 {settings.exclusions_sha256}"),
        ("Largest image", settings.max_pixels and f"{settings.max_pixels:,} pixels"),
        ("Images in a shard", settings.shard_size and f"{settings.shard_size:,}"),
    ]
    return [(name, value) for name, value in rows if value]


def _endings(suffixes: tuple[str, ...] | None) -> str:
    if suffixes is None:
        return "any"
    return "all of image files" if suffixes == tuple(IMAGE_SUFFIXES) else ", ".join(suffixes)


def software() -> list[tuple[str, str]]:
    """Names and versions of what is installed here."""
    found = [("pass-dataset", __version__), ("Python", platform.python_version())]
    for package in _PACKAGES:
        try:
            found.append((package, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
