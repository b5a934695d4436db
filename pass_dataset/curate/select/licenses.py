"""Licences: what metadata calls them, and which are asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["FLICKR", "License", "Licenses", "short_name"]


@dataclass(frozen=True)
class License:
    """A licence as YFCC100M's metadata has it.

    Attributes:
      short: such as by-nc.
      name: as in the metadata.
      url: its address there.
    """

    short: str
    name: str

    @property
    def url(self) -> str:
        return f"http://creativecommons.org/licenses/{self.short}/2.0/"


#: All that YFCC100M has, exactly (the README of the dataset).
FLICKR = (
    License("by", "Attribution License"),
    License("by-sa", "Attribution-ShareAlike License"),
    License("by-nd", "Attribution-NoDerivs License"),
    License("by-nc", "Attribution-NonCommercial License"),
    License("by-nc-sa", "Attribution-NonCommercial-ShareAlike License"),
    License("by-nc-nd", "Attribution-NonCommercial-NoDerivs License"),
)
_NAMES = {one.name.lower(): one.short for one in FLICKR}
_SHORT = r"by|by-sa|by-nd|by-nc|by-nc-sa|by-nc-nd"
_ADDRESS = re.compile(
    rf"https?://(?:www\.)?creativecommons\.org/(?:licenses/({_SHORT})|publicdomain/(zero|mark))"
    r"(?:/.*)?"
)
#: As people write them: CC BY-SA 4.0, cc-by-2.0, CC0.
_WRITTEN = re.compile(rf"cc[ _-]?({_SHORT}|0|zero)(?:[ _-]?v?\d(?:\.\d)?)?(?: [a-z]+)?")


def short_name(text: str) -> str | None:
    """The short name of a Creative Commons licence, whatever its version, or None.

    Args:
      text: its short name, name or address: ``by``, ``Attribution License``, ``CC BY 4.0``.
    """
    text = text.strip().lower()
    if text in _NAMES:
        return _NAMES[text]
    if re.fullmatch(rf"{_SHORT}|cc0|zero", text):
        return "zero" if text == "cc0" else text
    found = _ADDRESS.fullmatch(text)
    if found is not None:
        return found[1] or found[2]
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    return "zero" if found[1] == "0" else found[1]


def _plain(text: str) -> str:
    """An address as it is compared."""
    text = text.strip()
    if not text.lower().startswith(("http://", "https://")):
        return text
    return "http" + text[text.index(":") :].rstrip("/")


class Licenses:
    """Which licences are asked for."""

    def __init__(self, asked: Sequence[str]) -> None:
        """Takes what was asked for.

        Args:
          asked: short names and names of Creative Commons licences, which stand for all their
            versions; addresses, which stand for themselves; any other text, as the metadata has
            it, such as the name of a licence of one's own. None at all: any licence will do.
        """
        self.asked = tuple(asked)
        self._exact = {_plain(text) for text in asked}
        self._shorts = {
            short_name(text) for text in asked if "://" not in text and short_name(text) is not None
        }

    def accepts(self, name: str, url: str) -> bool:
        """True if a licence of this name and address is asked for."""
        if not self.asked or _plain(url) in self._exact or name.strip() in self._exact:
            return True
        # The address is the licence; the name is what it is called.
        return short_name(url if url.strip() else name) in self._shorts
