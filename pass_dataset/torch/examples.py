"""Examples: what users get for a position of a dataset."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from pass_dataset.errors import ImageError
from pass_dataset.torch.images import Decoder, OnError, lacks_means
from pass_dataset.torch.positions import PositionReader
from pass_dataset.torch.tallies import WorkerTally

if TYPE_CHECKING:
    from pass_dataset.torch.views.making import Views

__all__ = ["SKIPPED", "ExampleMaker", "Target"]

logger = logging.getLogger(__name__)

#: What stands beside an image.
Target: TypeAlias = Literal["metadata", "hash", "index"]


class _Skipped:
    """In the place of an example that was left out."""


SKIPPED = _Skipped()

#: Images left out that each process names in its log; more are only counted.
_NAMED = 20


@dataclass
class ExampleMaker:
    """Makes examples.

    Attributes:
      decoder: makes the image.
      views: make its views instead; None: it is one image.
      target: what stands beside it; None: nothing, the example is the image alone.
      transform: given the image; None: it stays as it is.
      target_transform: given the target.
      on_error: what is done about an image that cannot be decoded.
      skipped: counts those left out, in all processes.
    """

    decoder: Decoder
    target: Target | None
    transform: Callable[[Any], Any] | None
    target_transform: Callable[[Any], Any] | None
    on_error: OnError
    views: Views | None = None
    skipped: WorkerTally = field(default_factory=WorkerTally)

    def __post_init__(self) -> None:
        if self.target is not None and self.target not in get_args(Target):
            raise ValueError(
                f"target: expected 'metadata', 'hash', 'index' or None, found {self.target!r}"
            )
        if self.on_error not in get_args(OnError):
            raise ValueError(f"on_error: expected 'raise' or 'skip', found {self.on_error!r}")
        # Not by their class, which needs packages that other images do not.
        if self.views is not None and not hasattr(self.views, "decode"):
            raise TypeError(
                f"views: expected Views(…), found {type(self.views).__name__}; of a recipe, "
                "Views(recipe, seed=0) makes them"
            )
        if self.views is not None and self.decoder != Decoder():
            raise ValueError(
                "views: they are made from JPEGs, so decode=, min_side_px= and upright= are to be "
                "left as they are; Views(…, upright=False) leaves images as they are stored"
            )
        self._named = 0

    @property
    def changes_nothing(self) -> bool:
        """Whether examples are what was read."""
        return self.decoder.decodes_nothing and self.transform is None and self.target is None

    def make(
        self, reader: PositionReader, position: int, jpeg: Any, epoch: int | None = None
    ) -> Any:
        """An example, or `SKIPPED`.

        Args:
          reader: of the dataset's images.
          position: of the image in the dataset.
          jpeg: what the decoder takes: its bytes, or a `JpegTensor` of them.
          epoch: of the views; None: the one they were told.

        Raises:
          ImageError: it cannot be decoded, and is not to be skipped.
          MemoryError, OSError: this machine lacks memory or file handles, which is no fault of the
            image: the next would fail as well.
        """
        try:
            if self.views is None:
                image = self.decoder(jpeg)
            else:
                image = self.views.decode(jpeg, reader.hash(position), epoch)
        # Pillow raises whatever its parsers do: OSError, SyntaxError, ValueError, struct.error …
        except Exception as error:
            if lacks_means(error):
                raise
            said = str(error).rstrip(".")
            message = f"{reader.place(position)} cannot be decoded: {said}"
            if self.on_error == "raise":
                raise ImageError(
                    f"{message}. pass-dataset verify tells whether the tar is as published; "
                    "on_error='skip' puts the next image in its place."
                ) from error
            self._skip(message)
            return SKIPPED
        if self.views is not None:
            image = self.views.make(image)
        if self.transform is not None:
            image = self.transform(image)
        if self.target is None:
            return image
        target = self._target(reader, position)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def _skip(self, message: str) -> None:
        self.skipped.add_one()
        self._named += 1
        if self._named <= _NAMED:
            logger.warning("left out: %s", message)

    def _target(self, reader: PositionReader, position: int) -> Any:
        if self.target == "index":
            return position
        if self.target == "hash":
            return reader.hash(position)
        return reader.metadata(position)
