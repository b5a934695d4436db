"""The text of a removal list that is written here: an end that vouches for the lines before it.

    # Images that every reader of this folder leaves out: a name a line (pass-dataset remove).
    # To add: pass-dataset remove --list FILE. After changes by hand: shorten the last line to …
    00b2b4d2fc1a1e7b8f3c9a
    # End of the list. 1 names, SHA-256 8c1f…

A flipped bit would turn a name into another one, and bring its image back without a word; so the
end has the number of names and the SHA-256 of all that is before it. Who edits such a list cuts the
end back to ``# End of the list.``, and it counts as it stands. So do the lists that earlier
versions wrote, with that end or (0.9) with none, and those that were written by other means.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

__all__ = ["damage", "with_lines"]

_HEADER = (
    "# Images that every reader of this folder leaves out: a name a line (pass-dataset remove).\n"
)
#: What the lists of version 0.9 begin with; the last that they have is a line's end.
_OLD_HEADER = (
    "# Images that every reader of this folder leaves out: a hash a line (pass-dataset remove).\n"
)
_END = "# End of the list."
#: Stands in all lists that have been written to here.
_HOW_TO_EDIT = (
    "# To add: pass-dataset remove --list FILE. After changes by hand: shorten the last line to "
    f"'{_END}'.\n"
)
_SEAL = re.compile(rf"{re.escape(_END)} ([0-9]+) names, SHA-256 ([0-9a-f]{{64}})")

_BACK = "put the names back, from a copy"
_CUT = (
    f"is a removal list that was cut: expected the line {_END!r} behind its last name. If all "
    f"names are there, add it; else {_BACK}"
)


def damage(text: str) -> str | None:
    """What is wrong with a list that was written here, for a message; None: nothing.

    Args:
      text: of the list, in which there is a name.
    """
    text = text.replace("\r\n", "\n")
    if text.startswith(_OLD_HEADER):
        return None if text.endswith("\n") else _CUT
    before, found, rest = text.rpartition(f"\n{_END}")
    if not found:
        return _CUT if text.startswith(_HEADER) or _HOW_TO_EDIT in text else None
    told, _, behind = rest.partition("\n")
    if not told.strip():
        return None  # edited, or of an earlier version
    end = f"{_END}{told.rstrip()}"
    seal = _SEAL.fullmatch(end)
    if seal is None:
        return (
            f"is a removal list whose last line is damaged: {end[:120]!r}. If the names are "
            f"right, shorten it to {_END!r}; else {_BACK}"
        )
    if behind.strip():
        return (
            f"is a removal list with lines behind its last one. Move them before it, and shorten "
            f"it to {_END!r}"
        )
    before += "\n"
    if _sha256(before) == seal[2]:
        return None
    return (
        f"is a removal list that was damaged, or changed by hand: expected {seal[1]} names, lines "
        f"with SHA-256 {seal[2]}, found {_count(before.splitlines())} names, {_sha256(before)}. If "
        f"it was changed by hand, shorten its last line to {_END!r}; else {_BACK}"
    )


def with_lines(text: str, new: Sequence[str]) -> str:
    """A list with more lines, and its end.

    Args:
      text: of the list that is there, which is not damaged; empty if there is none.
      new: names as lines of lists, and comments.
    """
    ours = (_HEADER, _OLD_HEADER, _HOW_TO_EDIT)
    is_ours = not text or text.startswith(ours)
    old = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    kept = [line for line in old if f"{line}\n" not in ours and not line.startswith(_END)]
    head = _HEADER + _HOW_TO_EDIT if is_ours else ""
    below = "" if is_ours else _HOW_TO_EDIT
    lines = head + _joined(kept if text else []) + below + _joined(new)
    return f"{lines}{_END} {_count(lines.split(chr(10)))} names, SHA-256 {_sha256(lines)}\n"


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _count(lines: Iterable[str]) -> int:
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in lines)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
