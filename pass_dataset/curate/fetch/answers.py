"""What an answer means for a photograph: pure decisions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from pass_dataset.downloads.retries import parse_retry_after
from pass_dataset.images.containers import read_frame
from pass_dataset.images.jpeg_headers import JpegHeaderError, segments
from pass_dataset.images.outcomes import BadImageError

__all__ = ["Answer", "Means", "Verdict", "judge"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: What Flickr's address of a photograph that was taken away leads to.
_UNAVAILABLE = re.compile(r"/photo_unavailable[^/]*$")
#: Too many requests, and what S3 says when it is asked too much (SlowDown).
_TOO_MANY = frozenset({429, 503})
_PASSING_4XX = frozenset({408, 425})


@dataclass(slots=True)
class Answer:
    """An answer, or that there was none.

    Attributes:
      status: of HTTP; None: there was none, or it was a file.
      body: what came.
      headers: by lower-case names.
      cause: why there is no whole answer, as the ledger calls it; empty: there is one.
      said: what happened, for people.
      is_permanent: asking again is no use.
    """

    status: int | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cause: str = ""
    said: str = ""
    is_permanent: bool = False


class Means(Enum):
    """What is to be done."""

    KEEP = "it is the photograph"
    REFUSE = "it is not to be had here"
    DOUBT = "it is not to be had here, if it is said again"
    AGAIN = "something went wrong that may pass"
    THROTTLED = "too much is asked"
    REDIRECTED = "it is elsewhere"


class Verdict(NamedTuple):
    """A decision.

    Attributes:
      means: what is to be done.
      cause: of the ledger, for all that are no photograph.
      said: what was seen, for people.
      retry_after_s: how long the host wants to be left alone, if it said so.
      location: of a redirect.
    """

    means: Means
    cause: str = ""
    said: str = ""
    retry_after_s: float | None = None
    location: str = ""


def judge(answer: Answer, wall_s: float) -> Verdict:
    """What an answer means.

    Args:
      answer: to the request for a photograph.
      wall_s: seconds since the epoch, by which dates are read.
    """
    if answer.cause:
        means = Means.REFUSE if answer.is_permanent else Means.AGAIN
        return Verdict(means, answer.cause, answer.said)
    if answer.status in (200, None):
        return _judge_body(answer.body)
    return _judge_status(answer, wall_s)


def _judge_status(answer: Answer, wall_s: float) -> Verdict:
    status = answer.status or 0
    said = f"HTTP {status}"
    if status in _REDIRECTS and "location" in answer.headers:
        location = answer.headers["location"]
        if _UNAVAILABLE.search(location.partition("?")[0]):
            return Verdict(Means.REFUSE, "gone", said)
        return Verdict(Means.REDIRECTED, "redirected", said, location=location)
    retry_after_s = parse_retry_after(answer.headers.get("retry-after"), wall_s)
    if status in _TOO_MANY or (status >= 500 and retry_after_s is not None):
        return Verdict(Means.THROTTLED, "unreachable", said, retry_after_s)
    if status >= 500 or status in _PASSING_4XX:
        return Verdict(Means.AGAIN, "unreachable", said)
    named = {401: "refused", 403: "refused", 404: "missing", 410: "gone", 451: "refused"}
    if status in named:
        return Verdict(Means.REFUSE, named[status], said)
    return Verdict(Means.DOUBT, "refused", said)


def _judge_body(body: bytes) -> Verdict:
    if not body:
        return Verdict(Means.DOUBT, "empty", "no bytes")
    if body.startswith(b"\xff\xd8\xff"):
        if _has_end(body):
            return Verdict(Means.KEEP)
        return Verdict(Means.DOUBT, "truncated", "a JPEG without its end")
    try:
        read_frame(body)
    except BadImageError as error:
        if error.outcome == "not-an-image":
            return Verdict(Means.DOUBT, "not-an-image", str(error))
        if error.outcome == "truncated":
            return Verdict(Means.DOUBT, "truncated", str(error))
    return Verdict(Means.REFUSE, "not-jpeg", "an image of another format")


def _has_end(jpeg: bytes) -> bool:
    """True unless the end of a JPEG is missing; what else is wrong with it is found out later.

    Cameras put bytes behind the end, and images of their own before the coded data.
    """
    if jpeg.endswith(b"\xff\xd9"):
        return True
    try:
        for last in segments(jpeg):
            scan = last.end
    except JpegHeaderError as error:
        return not error.is_truncated
    return jpeg.rfind(b"\xff\xd9", scan) >= 0
