"""Addresses (URLs): whether one is sound, and how it is shown and kept where others may read it.

An address may hold what opens a door: a name and a password before the host, a token in the query.
Whatever is printed, logged or written down goes through `public_address`, or for text in which
addresses may stand through `without_secrets`.
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Sequence

__all__ = ["address_in", "addresses", "check_address", "public_address", "without_secrets"]

#: Names in a query whose values say which file is meant. What others are for is not known: one that
#: is left out makes an address less exact, one that is shown may be a password.
_OPEN_NAMES = frozenset({"download", "file", "filename", "format", "id", "name", "path", "version"})
#: Of the values too, as a token can have any name.
_LONGEST_OPEN_VALUE = 64

_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_QUERY_IN_TEXT = re.compile(r"\?[^\s?=&]+=\S+")
_PORT = re.compile(r"[^:]*(:\d*)?|\[[^\]]*\](:\d*)?")


def public_address(url: str) -> str:
    """An address without what opens doors: for messages, logs, and files that are passed on.

    >>> public_address("https://me:secret@host/folder/PASS.0.tar?token=abc&download=1")
    'https://host/folder/PASS.0.tar?download=1'

    It leaves out what stands before the host, the fragment, and of the query all but the names that
    say which file is meant. It takes any text, and never fails.
    """
    found = _ADDRESS.fullmatch(url)
    if found is None or found["scheme"].lower() == "file":
        return url
    before, question, query = _without_user(found["rest"]).partition("#")[0].partition("?")
    kept = "&".join(piece for piece in query.split("&") if _is_open(piece))
    return f"{found['scheme']}://{before}{question if kept else ''}{kept}"


def without_secrets(text: object) -> str:
    """Text, such as an error of a library, with its addresses made public.

    >>> without_secrets("no answer from http://me:secret@host/?key=1, port 80")
    'no answer from http://host/ port 80'
    """
    public = _IN_TEXT.sub(lambda found: public_address(found[0]), str(text))
    return _QUERY_IN_TEXT.sub(lambda found: public_address(f"x://{found[0]}")[4:], public)


def check_address(url: str) -> urllib.parse.SplitResult:
    """An http or https address in its parts.

    Raises:
      ValueError: it is none; the message says why, and does not have the address.
    """
    try:
        parsed = urllib.parse.urlsplit(url)
        port = parsed.port
    except ValueError as error:
        raise ValueError(without_secrets(error)[:200]) from error
    if parsed.scheme.lower() not in ("http", "https"):
        raise ValueError("it begins with neither http:// nor https://")
    if not parsed.hostname:
        raise ValueError("it names no host")
    if port == 0:
        raise ValueError("there is no port 0")
    return parsed


def address_in(base: str, filename: str) -> str:
    """The address of a file in a folder; a query of the folder's goes with each file.

    >>> address_in("https://host/folder/?token=abc", "PASS.0.tar")
    'https://host/folder/PASS.0.tar?token=abc'
    """
    before, question, query = base.partition("#")[0].partition("?")
    return f"{before.rstrip('/')}/{urllib.parse.quote(filename)}{question}{query}"


def addresses(given: str | Sequence[str]) -> tuple[str, ...]:
    """Addresses as an argument gives them: some, or a single one as text."""
    return (given,) if isinstance(given, str) else tuple(given)


def _without_user(rest: str) -> str:
    """What follows ``://`` without name and password, in which a slash may stand by mistake."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return rest[authority.rindex("@") + 1 :]
    if "@" in rest and not _PORT.fullmatch(authority):
        return rest[rest.rindex("@") + 1 :]
    return rest


def _is_open(piece: str) -> bool:
    name, _, value = piece.partition("=")
    return name.lower() in _OPEN_NAMES and len(value) <= _LONGEST_OPEN_VALUE
