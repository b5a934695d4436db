"""Servers that send anything, at any pace, for ever: each request has an end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pass_dataset.curate.fetch.run import run_fetch
from pass_dataset.curate.fetch.settings import FetchSettings, Pace
from pass_dataset.curate.ledger import Ledger
from tests.curate.fetch.test_fetch import POLICY
from tests.curate.selections import jpeg, selected
from tests.support.raw_server import Answer, RawServer, drip, flood, head

BODY = jpeg(0, 64)
CHUNKED = head("Transfer-Encoding: chunked")


def once(data: bytes) -> Answer:
    return lambda request: request.send(data)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (drip(b"HTTP/1.1 200 OK\r\nX: ", every_s=0.2), "timeout"),
        (drip(b"X: y\r\n", b"HTTP/1.1 200 OK\r\n", every_s=0.1), "timeout"),
        (drip(b"a", head("Content-Length: 100000"), every_s=0.1), "timeout"),
        (flood(b"X: " + b"y" * 1000 + b"\r\n", b"HTTP/1.1 200 OK\r\n"), "unreachable"),
        (flood(b"HTTP/1.1 100 Continue\r\n\r\n"), "unreachable"),
        (flood(b"a", head()), "too-large"),
        (flood(b"1\r\na\r\n", CHUNKED), "too-large"),
        (flood(b"a", head("Content-Length: 99999999999999999999999999")), "too-large"),
        (once(b"220 mail.example.org\r\n"), "unreachable"),
        (once(b""), "unreachable"),
        (once(CHUNKED + b"ffffffffffffffffffff\r\nabc"), "unreachable"),
        (once(CHUNKED + b"3\r\nabc\r\n"), "truncated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_comes_to_an_end(tmp_path: Path, answer: Answer, cause: str) -> None:
    folder = selected(tmp_path, [{}])
    # libcurl measures its floor of speed by the second.
    policy = replace(POLICY, max_failures=1)
    with RawServer(answer) as server:
        settings = FetchSettings(bucket=server.url, max_bytes=1 << 20, doubtful_tries=1)
        run_fetch(folder, settings, pace=Pace(1, policy), accept_failures=True)
    assert Ledger(folder).steps()[-1].causes == {cause: 1}


def test_chunks_are_taken(tmp_path: Path) -> None:
    folder = selected(tmp_path, [{}])
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (BODY[:100], BODY[100:]))
    with RawServer(once(CHUNKED + chunks + b"0\r\n\r\n")) as server:
        run_fetch(folder, FetchSettings(bucket=server.url), pace=Pace(1, POLICY))
    assert Ledger(folder).said("fetch", 0)["size_bytes"].to_pylist() == [len(BODY)]
