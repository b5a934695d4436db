"""Answers to requests for a range of bytes, whatever a server says in them."""

from __future__ import annotations

import io
from typing import Any

import requests
from hypothesis import example, given
from hypothesis import strategies as st

from pass_dataset.downloads.connections import Connections
from pass_dataset.downloads.retries import Clock, Failure, RetryPolicy, parse_retry_after
from pass_dataset.downloads.sources import HttpSource

SIZE_BYTES = 1000


class Session(requests.Session):
    """Gives one answer to everything."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__()
        self._status, self._headers = status, headers

    def get(self, url: str | bytes, **options: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code = self._status
        answer.headers.update(self._headers)
        answer.raw = io.BytesIO()
        return answer


def opened(status: int, headers: dict[str, str], start: int) -> int:
    """Where the stream begins."""
    clock = Clock(wall=lambda: 0.0)
    connections = Connections(RetryPolicy(), clock)
    connections.session = Session(status, headers)
    source = HttpSource("http://host/file", SIZE_BYTES, connections)
    return source.open(start, SIZE_BYTES).start


starts = st.integers(0, SIZE_BYTES - 1)
#: What http.client makes of a header's bytes.
values = st.text(st.characters(max_codepoint=255), max_size=60)
many_digits = "9" * 5000


@given(starts, st.integers(0, SIZE_BYTES - 1), st.sampled_from(["*", str(SIZE_BYTES)]))
def test_the_right_range(start: int, stop: int, whole: str) -> None:
    headers = {"Content-Range": f"bytes {start}-{stop}/{whole}"}
    assert opened(206, headers, start) == start


@given(st.integers(100, 599), values, values, values, values, starts)
@example(206, f"bytes 0-9/{many_digits}", "", "", "", 0)
@example(206, f"bytes {many_digits}-9/*", "", "", "", 0)
@example(206, "bytes \N{SUPERSCRIPT TWO}-9/*", "", "", "", 0)
@example(200, "", many_digits, "", "", 0)
@example(200, "", "\N{SUPERSCRIPT TWO}", "", "", 0)
@example(429, "", "", "", many_digits, 0)
@example(503, "", "", "", "Thu, 01 Jan 1970 00:00:00 +99999999999999999999", 0)
@example(503, "", "", "", "Fri, 31 Dec 9999 23:59:59 -2359", 0)
def test_any_answer(
    status: int, content_range: str, length: str, kind: str, retry_after: str, start: int
) -> None:
    headers = {
        "Content-Range": content_range,
        "Content-Length": length,
        "Content-Type": kind,
        "Retry-After": retry_after,
    }
    try:
        found = opened(status, headers, start)
    except Failure as failure:
        assert len(str(failure)) < 300
    else:
        assert (status, found) in ((206, start), (200, 0))


numbers = st.one_of(st.integers(), st.integers(0, 2 * SIZE_BYTES))


@given(numbers, numbers, numbers, starts)
def test_any_numbers_in_a_range(first: int, last: int, whole: int, start: int) -> None:
    headers = {"Content-Range": f"bytes {first}-{last}/{whole}"}
    try:
        assert opened(206, headers, start) == start
    except Failure:
        assert (first, whole) != (start, SIZE_BYTES) or last < 0
    else:
        assert (first, whole) == (start, SIZE_BYTES)


@given(st.text(max_size=60))
@example("Thu, 01 Jan 1970 00:00:00 +99999999999999999999")
@example("Thu, 01 Jan 0001 00:00:00 +2359")
@example("Thu, 99 Jan 1970 00:00:00 GMT")
@example(many_digits)
def test_any_wait(value: str) -> None:
    found = parse_retry_after(value, 0.0)
    assert found is None or found >= 0.0
