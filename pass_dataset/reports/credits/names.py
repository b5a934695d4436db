"""Names of photographers: as people read them, and where they are filed in a list."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote_to_bytes

__all__ = ["OTHER_SCRIPTS", "SIGNS", "decode_name", "section_of", "sort_key"]

#: Sections of a list of names, beside the letters A to Z.
SIGNS = "0–9 and signs"
OTHER_SCRIPTS = "Other scripts"

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SECTIONS = (SIGNS, *_LETTERS, OTHER_SCRIPTS)


def decode_name(text: str) -> str:
    """A name as people read it, of its URL-encoded form in the metadata.

    What would not be a name then, since its bytes are no UTF-8, or blank, or hold control
    characters, is left as it is.
    """
    if "%" not in text and "+" not in text:
        return text
    try:
        name = unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeDecodeError:
        return text
    if not name.strip() or any(unicodedata.category(character) == "Cc" for character in name):
        return text
    return name


def section_of(name: str) -> str:
    """The section of a list under which a name is filed: of its first letter, without accents."""
    first = _plain(name)[:1].upper()
    if first and first in _LETTERS:
        return first
    return OTHER_SCRIPTS if first.isalpha() else SIGNS


def sort_key(name: str) -> tuple[int, str, str]:
    """Puts names in order: section by section, capitals and accents as if they were not there."""
    return _SECTIONS.index(section_of(name)), _plain(name).casefold(), name


def _plain(name: str) -> str:
    parts = unicodedata.normalize("NFKD", name.lstrip())
    return "".join(character for character in parts if not unicodedata.combining(character))
