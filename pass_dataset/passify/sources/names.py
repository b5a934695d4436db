r"""Names of images as text: one line each, UTF-8, and back to the very bytes.

On Linux a file's name is any bytes but ``/`` and NUL: newlines, Latin-1 and all. Nearly every name
is ordinary UTF-8 and stays as it is. The others are escaped in the manner of ``sha256sum``: a text
that begins with a backslash is an escaped name, in which ``\\``, ``\n``, ``\r``, ``\t`` and
``\xHH`` (one byte) stand for what they say. So every name is one line of text, and of each there is
one form: in Parquet columns, in ``kept.txt`` and in opt-out lists alike.
"""

from __future__ import annotations

import re

from pass_dataset.archives.list_lines import line_to_name

__all__ = ["name_to_text", "text_to_name"]

#: What would break a line, or a terminal: control characters, other line ends of Unicode, and bytes
#: that are no UTF-8 (which `surrogateescape` shows as lone surrogates).
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TO_ESCAPE = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def name_to_text(name: bytes) -> str:
    """The text that stands for a name."""
    text = name.decode("utf-8", "surrogateescape")
    if not text.startswith("\\") and not _UNSAFE.search(text):
        return text
    return "\\" + _TO_ESCAPE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    short = _SHORT.get(char)
    if short is not None:
        return short
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))


def text_to_name(text: str) -> bytes:
    """The name that a text stands for.

    Raises:
      ValueError: it begins with a backslash and has an escape that is none.
    """
    return line_to_name(text.encode("utf-8", "surrogateescape"))
