"""Servers that never come to an end: they are left, and the good mirror is asked."""

from __future__ import annotations

import logging
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pass_dataset.archives.integrity import verify
from pass_dataset.archives.streaming.reader import RangeReader
from pass_dataset.downloads import Downloader, RetryPolicy
from pass_dataset.downloads.connections import Connections
from pass_dataset.downloads.retries import HostGate
from pass_dataset.downloads.single_file import fetch_file
from pass_dataset.downloads.sources import sources_for
from pass_dataset.errors import DownloadError
from pass_dataset.files.parts import part_path
from pass_dataset.releases.release import Release
from tests.support.bad_server import BadServer
from tests.support.collection import random_release
from tests.support.raw_server import Answer, RawServer, Request, drip, flood, head

SIZE = 300_000
#: As the defaults, in shorter times.
QUICK = RetryPolicy(
    max_failures=4,
    failures_per_source=2,
    base_delay_s=0.01,
    max_delay_s=0.02,
    stall_timeout_s=0.5,
    speed_window_s=0.3,
)
_FILE = head(f"Content-Length: {SIZE}")
_CHUNKED = head("Transfer-Encoding: chunked")

#: Each goes on for ever, or as long as it is let.
ENDLESS = {
    "continue": flood(head(status="100 Continue")),
    "continue with headers": flood(head("X: y", status="100 Continue")),
    "early hints": flood(head("Link: </x>", status="103 Early Hints")),
    "continue, drop by drop": drip(head(status="100 Continue")),
    "a status line": flood(b"HTTP/1.1 200 OK "),
    "a header": flood(b"x" * 1000, head()[:-2] + b"X: "),
    "headers": flood(b"X: y\r\n", head()[:-2]),
    "headers, drop by drop": drip(b"X", head()[:-2]),
    "nothing after the head": drip(b"", _FILE),
    "a body, drop by drop": drip(b"PA", _FILE),
    "a body, drop by drop, with ends": drip(b"PA", _FILE, times=3),
    "chunks, drop by drop": drip(b"1\r\nP\r\n", _CHUNKED),
    "extensions of chunks": flood(b"1;" + b"x" * 60_000 + b"\r\nP\r\n", _CHUNKED),
    "the size of a chunk": flood(b"0" * 1000, _CHUNKED),
    "trailers": flood(b"X: y\r\n", _CHUNKED + b"1\r\nP\r\n0\r\n"),
    "trailers, drop by drop": drip(b"X: y\r\n", _CHUNKED + b"1\r\nP\r\n0\r\n"),
}
endless = pytest.mark.parametrize("answer", ENDLESS.values(), ids=ENDLESS)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return random_release(tmp_path / "source", [SIZE, 5000])


@pytest.fixture
def good(tmp_path: Path, release: Release) -> Iterator[BadServer]:
    with BadServer(tmp_path / "source") as server:
        yield server


@endless
def test_download_goes_to_the_good_mirror(
    tmp_path: Path, release: Release, good: BadServer, answer: Answer
) -> None:
    with RawServer(answer) as bad:
        downloader = Downloader(
            tmp_path / "out", release, mirrors=(bad.url, good.url), policy=QUICK, connections=1
        )
        downloader.run()
        assert bad.requests
    assert verify(tmp_path / "out", release).is_whole


@endless
def test_streaming_goes_to_the_good_mirror(
    tmp_path: Path, release: Release, good: BadServer, answer: Answer
) -> None:
    file = release.tars[0]
    with RawServer(answer) as bad, Connections(QUICK) as connections:
        reader = RangeReader(
            file,
            sources_for(file, (bad.url, good.url), connections),
            policy=QUICK,
            gate=HostGate(),
            connection=threading.Lock(),
            stop=SIZE,
        )
        data = (tmp_path / "source" / file.filename).read_bytes()
        assert reader.read(1000, 200_000) == data[200_000:201_000]
        assert bad.requests


@endless
@pytest.mark.parametrize("size_bytes", [SIZE, None], ids=["size known", "size asked for"])
def test_single_file_ends_in_a_sentence(
    tmp_path: Path, answer: Answer, size_bytes: int | None
) -> None:
    with RawServer(answer) as bad, pytest.raises(DownloadError) as caught:
        url = f"{bad.url}/weights.pth"
        fetch_file(url, tmp_path / "w", sha256="0" * 64, size_bytes=size_bytes, policy=QUICK)
    assert url in str(caught.value) or "weights" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_what_a_slow_mirror_sent_is_kept(
    tmp_path: Path, release: Release, good: BadServer, caplog: pytest.LogCaptureFixture
) -> None:
    file = release.tars[0]
    data = (tmp_path / "source" / file.filename).read_bytes()

    def slow(request: Request) -> None:
        request.send(_FILE + data[:100_000])
        for at in range(100_000, len(data), 2):
            request.send(data[at : at + 2])
            if request.closing.wait(0.05):
                break

    caplog.set_level(logging.INFO, "pass_dataset")
    with RawServer(slow) as bad:
        out = tmp_path / "out"
        # One tar, so that what is asked is about it.
        Downloader(
            out, release, (0,), mirrors=(bad.url, good.url), policy=QUICK, connections=1
        ).run()
    asked = [answer.start for answer in good.answers if answer.path == file.filename]
    assert len(asked) == 1
    assert asked[0] is not None and asked[0] >= 100_000
    assert "bytes/s in" in caplog.text and "expected at least 2,000" in caplog.text


def test_slow_is_fine_where_it_was_asked_for(tmp_path: Path, release: Release) -> None:
    data = (tmp_path / "source" / "pass_metadata.csv").read_bytes()
    policy = RetryPolicy(stall_timeout_s=0.5, speed_window_s=0.1, min_bytes_per_s=0)

    def slow(request: Request) -> None:
        request.send(head(f"Content-Length: {len(data)}"))
        drip_all(request, data)

    with RawServer(slow) as server:
        url = f"{server.url}/pass_metadata.csv"
        fetch_file(url, tmp_path / "t", sha256=None, size_bytes=len(data), policy=policy)
        assert len(server.requests) == 1
    assert (tmp_path / "t").read_bytes() == data


def drip_all(request: Request, data: bytes) -> None:
    """All of it in ten pieces, each a little after the other."""
    step = len(data) // 10
    for at in range(0, len(data), step):
        request.send(data[at : at + step])
        request.closing.wait(0.05)


def test_bodies_of_redirects_are_not_read(
    tmp_path: Path, release: Release, good: BadServer
) -> None:
    big = 400_000_000

    def redirect(request: Request) -> None:
        name = request.head.split()[1]
        request.send(
            head(f"Location: {good.url}{name}", f"Content-Length: {big}", status="302 Found")
        )
        for _ in range(big // 1_000_000):
            request.send(b"x" * 1_000_000)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with RawServer(redirect) as server:
        Downloader(tmp_path / "out", release, mirrors=(server.url,), policy=QUICK).run()
        assert len(server.requests) == len(release.files)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB
    assert verify(tmp_path / "out", release).is_whole


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://127.0.0.1:99999/x", "out of range"),
        ("http://[::1/x", "Invalid IPv6"),
        ("http://me:secret@[zz]:1/x", "cannot be asked for"),
        ("ftp://host/x", "neither http"),
        ("file:///etc/passwd", "neither http"),
        ("/again", "redirects more than 20 times"),
        ("http://" + "a" * 300 + "/x", "cannot be asked for"),
    ],
)
def test_redirects_to_nowhere_end_in_a_sentence(
    tmp_path: Path, release: Release, location: str, said: str
) -> None:
    answer = drip(b"", head(f"Location: {location}", status="301 Moved"), times=0)
    with RawServer(answer) as server, pytest.raises(DownloadError, match=said) as caught:
        Downloader(
            tmp_path / "out", release, (0,), mirrors=(server.url,), policy=QUICK, connections=1
        ).run()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kept", [True, False], ids=["same host", "another host"])
def test_name_and_password_stay_with_their_host(
    tmp_path: Path, release: Release, kept: bool
) -> None:
    data = (tmp_path / "source" / "pass_metadata.csv").read_bytes()

    def second(request: Request) -> None:
        request.send(head(f"Content-Length: {len(data)}") + data)

    def first(request: Request) -> None:
        if "/moved" in request.head:
            second(request)
            return
        where = server.url if kept else other.url
        request.send(head(f"Location: {where}/moved", "Content-Length: 0", status="302 Found"))

    with RawServer(first) as server, RawServer(second) as other:
        url = server.url.replace("http://", "http://me:secret@")
        fetch_file(f"{url}/f", tmp_path / "f", sha256=None, size_bytes=len(data), policy=QUICK)
        last = (server if kept else other).requests[-1]
    assert ("Authorization: Basic" in last.head) is kept


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["Content-Length: " + "9" * 5000], r"Content-Length '9+…' \(5,000 char|9999… \(5,000"),
        (["Content-Length: -5"], "Content-Length '-5'"),
        (["Content-Length: five"], "Content-Length 'five'"),
        (["Content-Length: 5, 6"], "Content-Length|no answer"),
        (["Content-Encoding: gzip", "Content-Length: 100"], "Content-Encoding 'gzip'"),
        (["Content-Type: text/html", "Content-Length: 100"], "HTML page"),
        ([], "without the size"),
    ],
)
def test_sizes_that_are_none(tmp_path: Path, lines: list[str], said: str) -> None:
    answer = drip(b"x" * 100, head(*lines), times=1)
    with RawServer(answer) as server, pytest.raises(DownloadError, match=said):
        fetch_file(f"{server.url}/f", tmp_path / "f", sha256=None, policy=QUICK)
    assert not (tmp_path / "f").exists() and not part_path(tmp_path / "f").exists()


def test_a_file_larger_than_the_disk_is_refused(tmp_path: Path) -> None:
    answer = drip(b"", head("Content-Length: 9000000000000000000"), times=0)
    with RawServer(answer) as server, pytest.raises(DownloadError, match="bytes free"):
        fetch_file(f"{server.url}/f", tmp_path / "f", sha256=None, policy=QUICK)


@pytest.mark.parametrize(
    "url",
    [
        "http://host:99999/x",
        "http://[::1",
        "http://me:secret@[::zz]/x",
        "http://me:secret@host:port/",
        "http://",
        "http://host:0/",
        "nonsense",
    ],
)
def test_addresses_that_are_none(tmp_path: Path, release: Release, url: str) -> None:
    with pytest.raises(DownloadError, match="expected a mirror") as caught:
        Downloader(tmp_path / "out", release, (0,), mirrors=(url,), policy=QUICK).run()
    assert "secret" not in str(caught.value)
    with pytest.raises(DownloadError, match="expected https") as caught:
        fetch_file(url, tmp_path / "f", sha256=None, policy=QUICK)
    assert "secret" not in str(caught.value)


def test_retries_are_said_louder_from_the_second_on(
    tmp_path: Path, release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "pass_dataset")
    answer = drip(b"", head("Content-Length: 0", status="503 Busy"), times=0)
    with RawServer(answer) as server, pytest.raises(DownloadError):
        Downloader(tmp_path / "out", release, (0,), mirrors=(server.url,), policy=QUICK).run()
    for name in ("PASS.0.tar", "pass_metadata.csv"):
        levels = [
            record.levelname
            for record in caplog.records
            if "next try in" in record.getMessage() and record.getMessage().startswith(name)
        ]
        assert levels == ["INFO", "WARNING", "WARNING"]


def test_mirror_with_a_query(tmp_path: Path, release: Release) -> None:
    source = tmp_path / "source"

    def answer(request: Request) -> None:
        target = request.head.split()[1]
        name, _, query = target.partition("?")
        assert name.startswith("/folder/") and query == "token=a/b&x=1"
        data = (source / name.removeprefix("/folder/")).read_bytes()
        request.send(head(f"Content-Length: {len(data)}") + data)

    with RawServer(answer) as server:
        mirror = f"{server.url}/folder/?token=a/b&x=1"
        Downloader(tmp_path / "out", release, mirrors=(mirror,), policy=QUICK).run()
        assert len(server.requests) == len(release.files)
    assert verify(tmp_path / "out", release).is_whole
