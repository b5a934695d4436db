"""Bytes at any position, from servers that behave and servers that do not."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pass_dataset.archives.streaming.reader import RangeReader
from pass_dataset.downloads.connections import Connections
from pass_dataset.downloads.retries import Clock, HostGate, RetryPolicy
from pass_dataset.downloads.sources import sources_for
from pass_dataset.errors import DownloadError
from pass_dataset.releases.release import ReleaseFile
from tests.support.bad_server import BadServer, Fault, Kind, seeded_faults

SIZE = 3_000_000
QUICK = RetryPolicy(base_delay_s=0.01, max_delay_s=0.05, stall_timeout_s=0.5, max_failures=10)


@pytest.fixture
def data(tmp_path: Path) -> bytes:
    made = random.Random(5).randbytes(SIZE)
    (tmp_path / "PASS.0.tar").write_bytes(made)
    return made


@pytest.fixture
def server(tmp_path: Path, data: bytes) -> Iterator[BadServer]:
    with BadServer(tmp_path) as running:
        yield running


def reader(
    server: BadServer,
    *mirrors: str,
    stop: int = SIZE,
    size: int = SIZE,
    gate: HostGate | None = None,
) -> RangeReader:
    file = ReleaseFile("PASS.0.tar", size, "0" * 64, f"{server.url}/PASS.0.tar")
    sources = sources_for(file, mirrors, Connections(QUICK))
    return RangeReader(
        file,
        sources,
        policy=QUICK,
        gate=gate or HostGate(),
        connection=threading.Lock(),
        stop=stop,
        first_bytes=100_000,
    )


def test_forward(server: BadServer, data: bytes) -> None:
    tar = reader(server)
    for position in range(0, SIZE, 77_777):
        assert tar.read(77_777, position) == data[position : position + 77_777]
        tar.forget(position)
    assert tar.read(10, SIZE) == b""
    assert tar.read(10, SIZE - 3) == data[-3:]
    # Small, larger, and the rest: few requests, each byte once.
    assert [(answer.start, answer.stop) for answer in server.answers] == [
        (0, 100_000),
        (100_000, 500_000),
        (500_000, 2_100_000),
        (2_100_000, SIZE),
    ]
    assert server.sent_bytes == SIZE


def test_no_more_is_asked_for_than_will_be_read(server: BadServer, data: bytes) -> None:
    tar = reader(server, stop=50_000)
    assert tar.read(512, 10_240) == data[10_240:10_752]
    assert tar.read(512, 49_900) == data[49_900:50_412]
    assert tar.read(512, 2_000_000) == data[2_000_000:2_000_512]
    assert [(answer.start, answer.stop) for answer in server.answers] == [
        (10_240, 50_000),
        (50_000, 50_412),
        (2_000_000, 2_000_512),
    ]


def test_backward_until_told_to_forget(server: BadServer, data: bytes) -> None:
    tar = reader(server)
    assert tar.read(20_000, 50_000) == data[50_000:70_000]
    assert tar.read(10, 50_000) == data[50_000:50_010]
    assert len(server.answers) == 1
    tar.forget(60_000)
    assert tar.read(10, 60_000) == data[60_000:60_010]
    assert len(server.answers) == 1


def test_memory_holds_little(server: BadServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pass_dataset.archives.streaming.reader.MOST_BYTES", 200_000)
    tar = reader(server)
    largest = 0
    for position in range(0, SIZE, 1000):
        tar.read(1000, position)
        tar.forget(position)
        largest = max(largest, len(tar.memory))
    # A quarter more where a request is the last one; and what is read next.
    assert largest <= 252_000


@pytest.mark.parametrize("seed", range(6))
def test_through_faults(seed: int, tmp_path: Path, data: bytes) -> None:
    weights = {
        Kind.RESET: 4.0,
        Kind.CUT: 4.0,
        Kind.STALL: 0.5,
        Kind.SHORT: 2.0,
        Kind.TOO_MANY: 1.0,
        Kind.TOO_MANY_DATE: 0.5,
        Kind.UNAVAILABLE: 2.0,
        Kind.NO_RANGE: 0.5,
        Kind.HTML_PAGE: 1.0,
        Kind.HTML_AS_BYTES: 1.0,
        Kind.OTHER_RANGE: 0.2,
        Kind.LONG: 1.0,
    }
    faults = seeded_faults(seed, 100_000, 0.85, weights)
    with BadServer(tmp_path, faults) as server:
        tar = reader(server)
        for position in range(0, SIZE, 250_000):
            assert tar.read(250_000, position) == data[position : position + 250_000]
            tar.forget(position)
        assert server.num_faults >= 1


def test_retry_after_is_heeded(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    asked: list[float] = []

    def sleep(delay_s: float) -> bool:
        now[0] += delay_s
        return False

    def once(path: str, start: int | None) -> Fault | None:
        asked.append(now[0])
        return Fault(Kind.TOO_MANY, seconds=200) if len(asked) == 1 else None

    monkeypatch.setattr("pass_dataset.archives.streaming.reader._sleep", sleep)
    gate = HostGate(Clock(now=lambda: now[0]))
    with BadServer(tmp_path, once) as server:
        assert reader(server, gate=gate).read(10, 5) == data[5:15]
    assert asked == [0, 200]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Kind.NO_RANGE, "does not serve byte ranges, which streaming needs"),
        (Kind.NOT_FOUND, "HTTP 404"),
        (Kind.HTML_PAGE, "an HTML page in place of the file"),
        (Kind.OTHER_RANGE, "sent bytes from 250,000 on, asked from 500,000 on"),
        (Kind.UNAVAILABLE, "no progress in 10 tries.*HTTP 503"),
    ],
)
def test_what_never_passes_is_told(kind: Kind, message: str, tmp_path: Path, data: bytes) -> None:
    with BadServer(tmp_path, lambda path, start: Fault(kind)) as server:
        tar = reader(server)
        with pytest.raises(DownloadError, match=rf"PASS\.0\.tar: .*{message}"):
            tar.read(10, 500_000)
        assert len(server.answers) <= 10


def test_another_file_is_told(server: BadServer) -> None:
    with pytest.raises(DownloadError, match="is 3,000,000 bytes there, expected 2,999,999"):
        reader(server, size=SIZE - 1).read(10, 500)


def test_mirrors(server: BadServer, tmp_path: Path, data: bytes) -> None:
    """The first that has it; the next one where it fails."""
    tar = reader(server, tmp_path.as_uri())
    assert tar.read(100, 1_000_000) == data[1_000_000:1_000_100]
    assert server.answers == []
    tar = reader(server, (tmp_path / "nowhere").as_uri())
    assert tar.read(100, 1_000_000) == data[1_000_000:1_000_100]
    assert len(server.answers) == 1


def test_the_connection_is_kept(server: BadServer, data: bytes) -> None:
    file = ReleaseFile("PASS.0.tar", SIZE, "0" * 64, f"{server.url}/PASS.0.tar")
    with Connections(QUICK) as connections:
        for start in (0, 1_000_000):
            sources = sources_for(file, (), connections)
            tar = RangeReader(
                file,
                sources,
                policy=QUICK,
                gate=HostGate(),
                connection=threading.Lock(),
                stop=start + 200_000,
            )
            assert tar.read(200_000, start) == data[start : start + 200_000]
        (pool,) = connections.session.adapters["http://"].poolmanager.pools._container.values()
        assert pool.num_connections == 1
        assert pool.num_requests == 2


def test_a_stretch_begins_with_all_its_sources(tmp_path: Path, data: bytes) -> None:
    """Who did not have the file for a while is asked again, in a tar of hours."""
    is_away = True

    def fault(path: str, start: int) -> Fault | None:
        return Fault(Kind.NOT_FOUND) if is_away else None

    with BadServer(tmp_path, fault) as mirror, BadServer(tmp_path) as server:
        tar = reader(server, mirror.url)
        assert tar.read(100, 1_000_000) == data[1_000_000:1_000_100]
        assert (len(mirror.answers), len(server.answers)) == (1, 1)
        is_away = False
        assert tar.read(100, 10) == data[10:110]
        assert (len(mirror.answers), len(server.answers)) == (1, 2)
        tar.begin_again()
        assert tar.read(100, 2_500_000) == data[2_500_000:2_500_100]
        assert (len(mirror.answers), len(server.answers)) == (2, 2)
