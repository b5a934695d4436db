"""Lists of image hashes: text files, one image a line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.errors import MetadataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_hash_list"]

_HASH = r"^[0-9a-f]{28,32}$"


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
    import pyarrow as pa
    import pyarrow.compute as pc

    path = Path(path)
    try:
        # Arrow's texts and not Python's: a list may have a million lines.
        lines = pa.array(path.read_text(encoding="utf-8-sig").splitlines(), pa.string())
    except (OSError, UnicodeDecodeError) as error:
        raise MetadataError(f"{path}: cannot be read as a list of hashes: {error}") from error
    lines = pc.utf8_trim_whitespace(lines)
    lines = lines.filter(pc.invert(pc.match_substring_regex(lines, "^(#.*)?$")))
    hashes = pc.replace_substring_regex(lines, pattern=r"^.*/|\.jpe?g$", replacement="")
    is_hash = pc.match_substring_regex(hashes, _HASH)
    if not pc.all(is_hash, min_count=0).as_py():
        wrong = lines.filter(pc.invert(is_hash))[0].as_py()
        raise MetadataError(
            f"{path}: expected a hash (28 to 32 hexadecimal characters) or the name of its .jpg "
            f"on each line, found {wrong!r}"
        )
    return hashes
