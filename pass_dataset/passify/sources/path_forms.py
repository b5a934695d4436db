"""Paths of images in one form, so that a list names an image however it spells the path.

Two paths are the same here if they differ in ``./``, in ``//``, in the folder of the source before
them, or in how accents are stored (NFC, NFD). An image of an archive folder is known by its hash,
whatever stands before it.
"""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.hash_lists import AROUND_HASH
from pass_dataset.passify.sources.names import name_to_text, text_to_name
from pass_dataset.passify.sources.opening import SourceSettings

__all__ = ["PathForm", "form_of"]

#: Escaped paths, and those with a part that is empty, ``.`` or ``..``.
_UNUSUAL = r"^\\|(?:^|/)\.{0,2}(?:/|$)"


@dataclass(frozen=True)
class PathForm:
    """How the paths of a source are compared.

    Attributes:
      roots: folders that paths are within, absolute.
      by_hash: images are known by the last part of their path, without its ending.
    """

    roots: tuple[bytes, ...] = ()
    by_hash: bool = False

    def of_name(self, name: bytes) -> str:
        """The form of a path, whatever bytes it has."""
        if self.by_hash:
            last = re.sub(AROUND_HASH, "", os.fsdecode(name))
            return unicodedata.normalize("NFC", name_to_text(os.fsencode(last)))
        plain = posixpath.normpath(name) if name else name
        # Two slashes at the beginning are kept by POSIX.
        plain = b"/" + plain.lstrip(b"/") if plain.startswith(b"/") else plain
        for root in self.roots:
            if plain.startswith(root.rstrip(b"/") + b"/"):
                plain = plain[len(root.rstrip(b"/")) + 1 :]
                break
        return unicodedata.normalize("NFC", name_to_text(plain))

    def of_text(self, text: str) -> str:
        """The form of a path that is given as text."""
        return self.of_name(text_to_name(text))

    def of_column(self, paths: pa.Array) -> pa.Array:
        """The forms of many paths that are given as text."""
        if self.by_hash:
            paths = pc.replace_substring_regex(paths, pattern=AROUND_HASH, replacement="")
        else:
            unusual = pc.match_substring_regex(paths, _UNUSUAL)
            if pc.any(unusual, min_count=0).as_py():
                forms = [self.of_text(text) for text in paths.filter(unusual).to_pylist()]
                paths = pc.replace_with_mask(paths, unusual, pa.array(forms, pa.string()))
        accented = pc.invert(pc.string_is_ascii(paths))
        if not pc.any(accented, min_count=0).as_py():
            return paths
        # Not by Arrow: its NFC (of version 25) is NFD.
        forms = [unicodedata.normalize("NFC", text) for text in paths.filter(accented).to_pylist()]
        return pc.replace_with_mask(paths, accented, pa.array(forms, pa.string()))


def form_of(settings: SourceSettings) -> PathForm:
    """How the paths of a source are compared."""
    root = settings.path if settings.root is None else settings.root
    return PathForm((text_to_name(root),), by_hash=settings.kind == "pass")
