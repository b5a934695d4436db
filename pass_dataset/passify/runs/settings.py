"""What decides the rows of a run, written into its folder once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pass_dataset.passify.detectors.settings import Target
from pass_dataset.passify.runs.outcomes import TARGETS, Thresholds
from pass_dataset.passify.sources.opening import SourceSettings

__all__ = ["DetectorChoice", "RunSettings", "differences"]


@dataclass(frozen=True)
class DetectorChoice:
    """A detector of a run.

    Attributes:
      target: what it looks for.
      name: what `open_detector` knows it by.
      weights_sha256: hash of its weights file.
    """

    target: Target
    name: str
    weights_sha256: str

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise ValueError(f"target: expected face or person, found {self.target!r}")


@dataclass(frozen=True)
class RunSettings:
    """All that decides what the rows of a run say; where and how fast it runs is not here.

    Attributes:
      source: the images.
      detectors: one for a target, faces first; none: whether images are sound is all that is asked.
      thresholds: decide, with faces first, on which images people are looked for.
      run_all: run each detector on every image, whatever the others found.
      exclusions_sha256: hash of the opt-out list, which lies in the run folder; None: no list.
      max_pixels: larger images are not decoded; None: the decoder's own limit.
      shard_size: images in a shard; None: by the number of images.
    """

    source: SourceSettings
    detectors: tuple[DetectorChoice, ...]
    thresholds: Thresholds = field(default_factory=Thresholds)
    run_all: bool = False
    exclusions_sha256: str | None = None
    max_pixels: int | None = None
    shard_size: int | None = None

    def __post_init__(self) -> None:
        targets = [choice.target for choice in self.detectors]
        if len(set(targets)) < len(targets):
            raise ValueError(
                f"detectors: expected at most one for faces and one for people, found {targets}"
            )
        for name in ("max_pixels", "shard_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected a number of 1 or more, found {value}")
        ordered = tuple(sorted(self.detectors, key=lambda choice: TARGETS.index(choice.target)))
        object.__setattr__(self, "detectors", ordered)

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is looked for, in order."""
        return tuple(choice.target for choice in self.detectors)

    def choice(self, target: Target) -> DetectorChoice:
        """The detector for one of `targets`."""
        return next(choice for choice in self.detectors if choice.target == target)

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> RunSettings:
        """The settings that a text holds.

        Raises:
          ValueError, KeyError, TypeError: it holds none.
        """
        content: dict[str, Any] = json.loads(text)
        source = dict(content.pop("source"))
        if source["suffixes"] is not None:
            source["suffixes"] = tuple(source["suffixes"])
        detectors = tuple(DetectorChoice(**choice) for choice in content.pop("detectors"))
        thresholds = Thresholds(**content.pop("thresholds"))
        return cls(SourceSettings(**source), detectors, thresholds, **content)


def differences(stored: RunSettings, asked: RunSettings) -> list[str]:
    """What differs, a line each, by name."""
    before, now = _flat(asdict(stored)), _flat(asdict(asked))
    return [
        f"{name}: the run has {before.get(name)!r}, asked for is {now.get(name)!r}"
        for name in sorted({**before, **now})
        if before.get(name) != now.get(name)
    ]


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if name == "detectors":
            for choice in value:
                flat |= _flat(choice, f"{prefix}{choice['target']} detector ")
        elif isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name} ")
        else:
            flat[prefix + name] = value
    return flat
