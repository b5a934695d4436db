"""Licences: what they are called and where their text is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CC_BY_2", "CC_BY_4", "DATASET_LICENSE", "License", "license_named"]


@dataclass(frozen=True)
class License:
    """A licence.

    Attributes:
      name: how it is called.
      url: where its text is.
    """

    name: str
    url: str


CC_BY_2 = License("CC BY 2.0", "https://creativecommons.org/licenses/by/2.0/")
CC_BY_4 = License("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/")

#: Of PASS as a collection; each image has its own, which is `CC_BY_2` for all of them.
DATASET_LICENSE = CC_BY_4

#: What Flickr, YFCC-100M and so the metadata CSV call it.
_NAMES = {"Attribution License": CC_BY_2}


def license_named(text: str) -> License | None:
    """The licence that a metadata CSV calls so (``licensename``); None: not known here."""
    return _NAMES.get(text)
