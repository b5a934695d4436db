"""JSON files that programs write for programs, with a checksum of what they say.

A flipped bit leaves most JSON readable, with another number or another name in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xxhash

from pass_dataset.files.whole import write_whole

__all__ = ["load_json", "save_json"]

_CHECKSUM = "checksum"


def save_json(path: Path, content: Mapping[str, Any], *, indent: int | None = None) -> None:
    """Writes a file whole, to stay.

    Args:
      path: the file.
      content: what JSON knows; the key ``checksum`` is added.
      indent: for files that people look at.

    Raises:
      OSError: it cannot be written.
    """
    text = json.dumps({**content, _CHECKSUM: _checksum(content)}, indent=indent)
    write_whole(path, (text + "\n").encode())


def load_json(path: Path) -> dict[str, Any]:
    """What `save_json` wrote, or a former version, which added no checksum.

    Raises:
      FileNotFoundError: there is none.
      OSError: it cannot be read.
      ValueError: it is damaged, or no such file.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError:
        raise ValueError("it nests too deep") from None
    if not isinstance(content, dict):
        raise ValueError(f"expected an object, found {type(content).__name__}")
    saved = content.pop(_CHECKSUM, None)
    if saved is not None and saved != _checksum(content):
        raise ValueError("it is damaged: what it says does not fit its checksum")
    return content


def _checksum(content: Mapping[str, Any]) -> str:
    # As it is read back: tuples are lists then.
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return xxhash.xxh3_128_hexdigest(text.encode())
