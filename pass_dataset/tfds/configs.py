"""TFDS configs of `pass`: one for every selection that is not a whole published release.

A whole release has none: it lies in ``pass/3.0.0``. Everything else is stored under the name of
its selection: ``pass/parts_0_3-5/3.0.0``, ``pass/first_1000/3.0.0``, ``pass/birds_1f3a90c2/1.0.0``.
"""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow_datasets as tfds

from pass_dataset.releases.selection import Selection

__all__ = ["PassConfig", "config_of"]


@dataclass(eq=False, repr=False)
class PassConfig(tfds.core.BuilderConfig):
    """A part of a release, or a release of the user's own.

    Attributes:
      selection: the records.
    """

    selection: Selection | None = None

    def __repr__(self) -> str:
        # TFDS logs it.
        return f"PassConfig({self.name!r}, version={str(self.version)!r})"


def config_of(selection: Selection) -> PassConfig | None:
    """The TFDS config of a selection; None for a whole published release."""
    if selection.name is None:
        return None
    return PassConfig(
        name=selection.name,
        version=selection.release.version,
        description=selection.description,
        selection=selection,
    )
