"""What is asked of images that are ranked."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RankSettings"]

_TEXT = "text"
_CLASSIFIERS = ("torchvision:", "timm:", "transformers:")


@dataclass(frozen=True)
class RankSettings:
    """What decides what a ranking says.

    Attributes:
      rankers: names of the catalogue, or of entry points.
      vehicles: a detector of passify, such as ``cascade-rcnn``, by which the ranker ``text`` looks
        for vehicles where there is a text like a number plate; none: "".
      classes: a classifier whose classes are stored too, such as
        ``torchvision:mobilenet_v3_large``; none: "".
      max_pixels: larger images are not decoded; None: the decoder's own limit.
    """

    rankers: tuple[str, ...] = ("opennsfw",)
    classes: str = ""
    vehicles: str = ""
    max_pixels: int | None = None

    def __post_init__(self) -> None:
        if self.classes and not self.classes.startswith(_CLASSIFIERS):
            raise ValueError(
                f"classes: expected {', '.join(f'{one}MODEL' for one in _CLASSIFIERS)}, found "
                f"{self.classes!r}"
            )
        if self.vehicles and _TEXT not in self.rankers:
            raise ValueError(
                f"vehicles: expected the ranker {_TEXT!r} among rankers, found "
                f"{', '.join(self.rankers) or 'none'}"
            )
        if not self.names:
            raise ValueError("rankers: expected one or more, found none")
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"rankers: expected each once, found {', '.join(self.names)}")
        if self.max_pixels is not None and self.max_pixels < 1:
            raise ValueError(f"max_pixels: expected 1 or more, found {self.max_pixels}")

    @property
    def names(self) -> tuple[str, ...]:
        """All rankers, the classifier last."""
        looks_for = f"{_TEXT}:{self.vehicles}" if self.vehicles else _TEXT
        rankers = [looks_for if name == _TEXT else name for name in self.rankers]
        return (*rankers, *((self.classes,) if self.classes else ()))
