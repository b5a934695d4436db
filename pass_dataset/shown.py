"""Text of others, as it is shown to people: on a terminal, in a log.

Names of files, members and photographers, and what libraries say of a file, may hold anything:
sequences that a terminal obeys, line ends that look like a line of ours, marks that turn the order
of characters round. All of these are shown as what they are, ``\\u001b``; all other text stays.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from os import PathLike, fspath
from typing import Any, TextIO

__all__ = ["ShownFormatter", "ShownText", "shown", "shown_lines"]

#: Control characters but line ends and tabs; marks and overrides of Unicode's bidirectional
#: algorithm (UAX #9); its line and paragraph separators; characters without a width, in which names
#: may differ; and the surrogates that stand for bytes of names that are no UTF-8.
_OBEYED = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
)
_IN_LINES = re.compile(f"[{_OBEYED}]")
_IN_A_LINE = re.compile(f"[{_OBEYED}\t\n]")


def shown(text: object) -> str:
    """A name, or any other text of one line."""
    return _IN_A_LINE.sub(_escaped, str(text))


def shown_lines(text: str) -> str:
    """A message, whose line ends and tabs are ours."""
    return _IN_LINES.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    # As JSON has it: what is shown may be JSON.
    return f"\\u{ord(match[0]):04x}"


class ShownFormatter(logging.Formatter):
    """Lines of a log: what is put into a message stays on its line."""

    def format(self, record: logging.LogRecord) -> str:
        before = record.args
        record.args = _shown_arguments(before)
        try:
            return shown_lines(super().format(record))
        finally:
            record.args = before  # other handlers have the record too


def _shown_arguments(arguments: Any) -> Any:
    if isinstance(arguments, tuple):
        return tuple(_shown_argument(argument) for argument in arguments)
    return arguments


def _shown_argument(argument: object) -> object:
    if isinstance(argument, PathLike):
        argument = fspath(argument)
    return shown(argument) if isinstance(argument, str) else argument


class ShownText:
    """Standard output for people; what is for programs goes to its `buffer`, as it is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        safe = shown_lines(text)
        try:
            self._stream.write(safe)
        except UnicodeEncodeError:  # a terminal of another encoding than UTF-8
            encoding = self._stream.encoding
            self._stream.write(safe.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
