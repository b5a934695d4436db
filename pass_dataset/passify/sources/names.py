r"""Names of images as text: one line each, UTF-8, and back to the very bytes.

On Linux a file's name is any bytes but ``/`` and NUL: newlines, Latin-1 and all. Nearly every name
is ordinary UTF-8 and stays as it is. The others are escaped in the manner of ``sha256sum``: a text
that begins with a backslash is an escaped name, in which ``\\``, ``\n``, ``\r``, ``\t`` and
``\xHH`` (one byte) stand for what they say. So every name is one line of text, and of each there is
one form: in Parquet columns, in ``kept.txt`` and in opt-out lists alike.
"""

from __future__ import annotations

import re

__all__ = ["line_to_name", "name_to_text", "text_to_name"]

#: What would break a line, or a terminal: control characters, other line ends of Unicode, and bytes
#: that are no UTF-8 (which `surrogateescape` shows as lone surrogates).
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_TO_ESCAPE = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ESCAPED = re.compile(rb"\\(x[0-9a-f]{2}|.|\Z)", re.DOTALL)
_SHORT = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LONG = {short[1:].encode(): char.encode() for char, short in _SHORT.items()}


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


def line_to_name(line: bytes) -> bytes:
    """The name that a line of a list stands for, which may be no UTF-8 if it is not escaped.

    Raises:
      ValueError: as `text_to_name`.
    """
    return _ESCAPED.sub(_unescape, line[1:]) if line.startswith(b"\\") else line


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code.startswith(b"x") and len(code) == 3:
        return bytes.fromhex(code[1:].decode())
    if code not in _LONG:
        raise ValueError(
            "a name that begins with a backslash is an escaped one, in which only \\\\, \\n, \\r, "
            f"\\t and \\xHH may stand; found \\{code.decode(errors='replace')}"
        )
    return _LONG[code]
