"""Lists of image hashes: text files, one image a line."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.errors import MetadataError

__all__ = ["is_hash", "parse_hash_list", "read_hash_list"]

#: The MD5 of an address, each of its 16 bytes printed without a leading zero (YFCC-100M).
_HASH = r"^[0-9a-f]{16,32}$"


def is_hash(text: str) -> bool:
    """True if it has the form of an image's hash.

    >>> is_hash("12e4503918276645091827364509182"), is_hash("PASS.0.tar")
    (True, False)
    """
    return re.fullmatch(_HASH, text) is not None


def read_hash_list(path: str | os.PathLike[str]) -> pa.Array:
    """Reads a list of hashes, such as the filter's ``kept.txt``.

    A line is a hash, or the name of an image file that is called so, with or without folders
    before it (``PASS_dataset/0/<hash>.jpg``). Empty lines and lines that begin with ``#`` do not
    count.

    Returns:
      The hashes (Arrow strings), in the order of the file.

    Raises:
      MetadataError: the file cannot be read, or a line is neither.
    """
    path = Path(path)
    try:
        return parse_hash_list(path.read_text(encoding="utf-8-sig"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise MetadataError(f"{path}: cannot be read as a list of hashes: {error}") from error


def parse_hash_list(text: str, where: str) -> pa.Array:
    """The hashes in the text of a list; see `read_hash_list`.

    Args:
      text: the content.
      where: it comes from, for messages.

    Raises:
      MetadataError: a line is neither a hash nor a name.
    """
    # Arrow's texts and not Python's: a list may have a million lines.
    lines = pa.array(text.splitlines(), pa.string())
    lines = pc.utf8_trim_whitespace(lines)
    lines = lines.filter(pc.invert(pc.match_substring_regex(lines, "^(#.*)?$")))
    hashes = pc.replace_substring_regex(lines, pattern=r"^.*/|\.jpe?g$", replacement="")
    fits = pc.match_substring_regex(hashes, _HASH)
    if not pc.all(fits, min_count=0).as_py():
        wrong = lines.filter(pc.invert(fits))[0].as_py()
        raise MetadataError(
            f"{where}: expected a hash (16 to 32 hexadecimal characters) or the name of its .jpg "
            f"on each line, found {wrong!r}"
        )
    return hashes
