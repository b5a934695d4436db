"""What the files of an example are called, before the first dot.

In WebDataset a name ends at its first dot, and what follows is the kind of file: ``IMG.01.jpg`` and
``IMG.02.jpg`` would be one example. So a dot in the name of an image is written ``%2E``, and then a
percent sign is ``%25``, as in addresses. Hashes, as those of PASS, stay as they are.
"""

from __future__ import annotations

import re

__all__ = ["image_of_key", "key_of"]

_ESCAPED = re.compile("%2E|%25")


def key_of(image_hash: str) -> str:
    """The key of an image."""
    return image_hash.replace("%", "%25").replace(".", "%2E")


def image_of_key(key: str) -> str:
    """The image that a key is of."""
    return _ESCAPED.sub(lambda found: "." if found[0] == "%2E" else "%", key)
