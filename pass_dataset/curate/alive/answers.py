"""What an answer says of a photograph: pure decisions."""

from __future__ import annotations

import urllib.parse
from enum import Enum
from typing import NamedTuple

from pass_dataset.curate.fetch.answers import Answer, Means, judge
from pass_dataset.curate.fetch.candidates import host_of

__all__ = ["Says", "Told", "told_by"]

#: What servers answer that do not know HEAD.
_NO_HEAD = frozenset({405, 501})


class Says(Enum):
    """What an answer says."""

    PUBLIC = "it is there"
    GONE = "it is not there"
    FORBIDDEN = "it is not there, or this machine may not ask"
    MOVED = "it may be there, at another address"
    NOT_LIKE_THIS = "it has to be asked with GET"
    THROTTLED = "too much is asked"
    NOTHING = "something went wrong that may pass"


class Told(NamedTuple):
    """An answer's meaning.

    Attributes:
      says: it.
      address: where the photograph may be instead.
      retry_after_s: how long the host wants to be left alone, if it said so.
    """

    says: Says
    address: str = ""
    retry_after_s: float | None = None


def told_by(answer: Answer, address: str, wall_s: float) -> Told:
    """What an answer says.

    A redirect that keeps the last part of the path, which is the photograph's number or name, leads
    to the same photograph, such as from http to https, or from a number to a name of its owner. Any
    other leads to a page that stands for it: a login, a search, an image "unavailable".

    Args:
      answer: to the request.
      address: that was asked.
      wall_s: seconds since the epoch, by which dates are read.
    """
    status = answer.status
    if status is None or answer.cause:
        return Told(Says.GONE if answer.cause == "bad-address" else Says.NOTHING)
    if status == 200:
        return Told(Says.PUBLIC)
    if status in _NO_HEAD:
        return Told(Says.NOT_LIKE_THIS)
    verdict = judge(answer, wall_s)
    if verdict.means is Means.REDIRECTED:
        target = _same_photograph(address, verdict.location)
        return Told(Says.MOVED, target) if target else Told(Says.GONE)
    if verdict.means is Means.THROTTLED:
        return Told(Says.THROTTLED, retry_after_s=verdict.retry_after_s)
    if verdict.means is Means.AGAIN:
        return Told(Says.NOTHING)
    return Told(Says.FORBIDDEN if verdict.cause == "refused" else Says.GONE)


def _same_photograph(address: str, location: str) -> str | None:
    """Where a redirect leads, if that is the same photograph on the same site."""
    try:
        target = urllib.parse.urljoin(address, location.strip())
    except ValueError:
        return None
    asked, found = host_of(address), host_of(target)
    if not found or _site(asked) != _site(found):
        return None
    return target if _last_part(address) == _last_part(target) else None


def _site(host: str) -> str:
    return host.partition("://")[2].rpartition(":")[0].removeprefix("www.")


def _last_part(address: str) -> str:
    return urllib.parse.urlsplit(address).path.rstrip("/").rpartition("/")[2]
