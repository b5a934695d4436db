from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from pass_dataset.archives.integrity import FileState, verify
from pass_dataset.downloads import Action, Downloader, RetryPolicy, download
from pass_dataset.downloads.connections import Connections
from pass_dataset.downloads.partfile import PartFile
from pass_dataset.downloads.retries import Clock, HostGate, Passing, parse_retry_after
from pass_dataset.downloads.sources import HttpSource
from pass_dataset.downloads.turns import Turns
from pass_dataset.errors import DiskSpaceError, DownloadError, FolderError, FolderLockedError
from pass_dataset.files.parts import part_path
from pass_dataset.folders.lock import hold
from pass_dataset.releases.release import Release, ReleaseFile
from tests.support.bad_server import BadServer, Fault, Faults, Kind
from tests.support.collection import random_release
from tests.support.waiting import held_by_another, wait_until

MIB = 1 << 20
#: Waits short enough for tests; otherwise the behaviour of the defaults.
QUICK = RetryPolicy(base_delay_s=0.01, max_delay_s=0.02, stall_timeout_s=0.3, max_failures=6)


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return random_release(tmp_path / "source", [3 * MIB, 2 * MIB + 17, 5000])


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[Faults], BadServer]]:
    servers: list[BadServer] = []

    def start(faults: Faults = lambda path, start: None) -> BadServer:
        servers.append(BadServer(tmp_path / "source", faults).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__(None, None, None)


def once(fault: Fault, name: str = "PASS.0.tar", times: int = 1) -> Faults:
    """The fault for the first answers about one file, then none."""
    left = [fault] * times

    def faults(path: str, start: int | None) -> Fault | None:
        return left.pop() if path == name and left else None

    return faults


def always(kind: Kind, name: str = "PASS.0.tar") -> Faults:
    return lambda path, start: Fault(kind) if path == name else None


def fetch(
    folder: Path,
    release: Release,
    *mirrors: str,
    parts: Sequence[int] | None = None,
    policy: RetryPolicy = QUICK,
    **settings: bool,
) -> Downloader:
    downloader = Downloader(
        folder, release, tuple(parts) if parts else None, mirrors=mirrors, policy=policy, **settings
    )
    downloader.run()
    return downloader


# --- the whole way --------------------------------------------------------------------------------


def test_fetches_verifies_and_keeps_a_receipt(tmp_path: Path, release: Release, serve) -> None:
    server = serve()
    report = download(tmp_path / "new" / "folder", release, mirrors=[server.url])
    assert sorted(report.fetched) == ["PASS.0.tar", "PASS.1.tar", "pass_metadata.csv"]
    assert report.received_bytes == release.size_bytes == server.sent_bytes
    assert verify(tmp_path / "new" / "folder", quick=True).is_whole
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
        ".pass.lock",
        "PASS.0.tar",
        "PASS.1.tar",
        "pass_metadata.csv",
        "pass_receipt.json",
    ]


def test_second_run_asks_for_nothing(tmp_path: Path, release: Release, serve) -> None:
    server = serve()
    fetch(tmp_path / "out", release, server.url)
    asked = len(server.answers)
    fetch(tmp_path / "out", release, server.url)
    assert len(server.answers) == asked


def test_parts(tmp_path: Path, release: Release, serve) -> None:
    fetch(tmp_path / "out", release, serve().url, parts=[1])
    assert not (tmp_path / "out" / "PASS.0.tar").exists()
    assert verify(tmp_path / "out", release, parts=[1]).is_whole
    assert not verify(tmp_path / "out", release).is_whole


@pytest.mark.parametrize("kind", list(Kind)[:13], ids=lambda kind: kind.name)
@pytest.mark.parametrize("after_bytes", [0, 700_001])
def test_one_fault_does_no_damage(
    tmp_path: Path, release: Release, serve, kind: Kind, after_bytes: int
) -> None:
    server = serve(once(Fault(kind, after_bytes, seconds=1.0 if "Retry" not in kind.value else 0)))
    fetch(tmp_path / "out", release, server.url)
    assert server.num_faults == 1
    assert verify(tmp_path / "out", release).is_whole


@pytest.mark.parametrize(
    "kind",
    [
        Kind.RESET,
        Kind.CUT,
        Kind.STALL,
        Kind.SHORT,
        Kind.WRONG,
        Kind.LONG,
        Kind.NO_RANGE,
        Kind.HTML_PAGE,
        Kind.HTML_AS_BYTES,
        Kind.OTHER_RANGE,
        Kind.UNAVAILABLE,
    ],
    ids=lambda kind: kind.name,
)
def test_what_was_fetched_is_kept(tmp_path: Path, release: Release, serve, kind: Kind) -> None:
    """Two good megabytes are on disk; whatever the next answer is, they are not fetched again."""
    file = release.tars[0]
    out = tmp_path / "out"
    out.mkdir()
    data = (tmp_path / "source" / file.filename).read_bytes()
    part_path(out / file.filename).write_bytes(data[: 2 * MIB])
    server = serve(once(Fault(kind, 300_000, 1.0)))
    fetch(out, release, server.url)
    assert (out / file.filename).read_bytes() == data
    assert server.num_faults == 1
    starts = [answer.start for answer in server.answers if answer.path == file.filename]
    assert all(start is not None and start >= 2 * MIB for start in starts)


@pytest.mark.parametrize("kind", [Kind.MARKED_PAGE, Kind.CLOSED_PAGE])
@pytest.mark.parametrize("had", [0, 2 * MIB])
def test_a_page_in_place_of_the_file_is_no_part_of_it(
    tmp_path: Path, release: Release, serve, kind: Kind, had: int
) -> None:
    """Its bytes at the beginning would be found wrong only when the whole file is there."""
    file = release.tars[0]
    out = tmp_path / "out"
    out.mkdir()
    data = (tmp_path / "source" / file.filename).read_bytes()
    part_path(out / file.filename).write_bytes(data[:had])
    server = serve(once(Fault(kind)))
    fetch(out, release, server.url)
    assert (out / file.filename).read_bytes() == data
    asked = [answer for answer in server.answers if answer.path == file.filename]
    assert [answer.start for answer in asked] == [had or None] * 2


def test_encoded_bodies_are_refused(tmp_path: Path, release: Release, serve) -> None:
    server = serve(always(Kind.ENCODED))
    with pytest.raises(DownloadError, match=r"Content-Encoding 'gzip'"):
        fetch(tmp_path / "out", release, server.url)
    assert not part_path(tmp_path / "out" / "PASS.0.tar").read_bytes()
    server.faults = lambda path, start: None
    fetch(tmp_path / "out", release, server.url)
    assert verify(tmp_path / "out", release).is_whole


def test_wrong_bytes_cost_only_the_answer_that_had_them(
    tmp_path: Path, release: Release, serve
) -> None:
    faults = iter([Fault(Kind.RESET, 2 * MIB), Fault(Kind.WRONG, 1000)])
    server = serve(lambda path, start: next(faults, None) if path == "PASS.0.tar" else None)
    fetch(tmp_path / "out", release, server.url)
    starts = [answer.start for answer in server.answers if answer.path == "PASS.0.tar"]
    assert starts == [None, 2 * MIB, 2 * MIB]
    assert verify(tmp_path / "out", release).is_whole


def test_wrong_bytes_early_are_found_too(tmp_path: Path, release: Release, serve) -> None:
    faults = iter(
        [Fault(Kind.RESET, MIB), Fault(Kind.OTHER_RANGE), None, Fault(Kind.RESET, MIB // 2)]
    )
    server = serve(lambda path, start: next(faults, None) if path == "PASS.0.tar" else None)
    out = tmp_path / "out"
    out.mkdir()
    data = (tmp_path / "source" / "PASS.0.tar").read_bytes()
    part_path(out / "PASS.0.tar").write_bytes(b"\0" * 1000 + data[1000:MIB])
    fetch(out, release, server.url)
    assert verify(out, release).is_whole


@pytest.mark.parametrize("rest", [0, 1000])
def test_part_file_that_is_complete_or_too_long(
    tmp_path: Path, release: Release, serve, rest: int
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    data = (tmp_path / "source" / "PASS.0.tar").read_bytes()
    part_path(out / "PASS.0.tar").write_bytes(data + b"x" * rest)
    server = serve()
    fetch(out, release, server.url)
    assert not [answer for answer in server.answers if answer.path == "PASS.0.tar"]
    assert verify(out, release).is_whole


def test_a_server_without_ranges_is_read_through(tmp_path: Path, release: Release, serve) -> None:
    faults = iter([Fault(Kind.RESET, 2 * MIB)])
    server = serve(
        lambda path, start: next(faults, Fault(Kind.NO_RANGE)) if path == "PASS.0.tar" else None
    )
    fetch(tmp_path / "out", release, server.url)
    assert verify(tmp_path / "out", release).is_whole


def test_wrong_bytes_always(tmp_path: Path, release: Release, serve) -> None:
    server = serve(always(Kind.WRONG))
    with pytest.raises(DownloadError, match=r"PASS\.0\.tar: wrong bytes 3 times .*SHA-256"):
        fetch(tmp_path / "out", release, server.url)
    found = {v.filename: v.state for v in verify(tmp_path / "out", release).files}
    assert found["PASS.0.tar"] is FileState.MISSING
    assert found["PASS.1.tar"] is FileState.WHOLE


# --- sources --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Kind.NOT_FOUND, Kind.FORBIDDEN, Kind.GONE])
def test_next_mirror_at_once(tmp_path: Path, release: Release, serve, kind: Kind) -> None:
    bad, good = serve(always(kind)), serve()
    fetch(tmp_path / "out", release, bad.url, good.url)
    assert [answer.path for answer in bad.answers].count("PASS.0.tar") == 1
    assert [answer.path for answer in good.answers] == ["PASS.0.tar"]


@pytest.mark.parametrize("kind", [Kind.NOT_FOUND, Kind.FORBIDDEN, Kind.GONE])
def test_last_mirror_fails_at_once(tmp_path: Path, release: Release, serve, kind: Kind) -> None:
    server = serve(always(kind))
    with pytest.raises(DownloadError, match=rf"no source is left .*HTTP {kind.value}") as caught:
        fetch(tmp_path / "out", release, server.url)
    assert "1 of 3 files could not be fetched" in str(caught.value)
    assert server.num_faults == 1


def test_mirror_that_is_down_is_left_for_the_next(tmp_path: Path, release: Release, serve) -> None:
    bad, good = serve(lambda path, start: Fault(Kind.UNAVAILABLE)), serve()
    fetch(tmp_path / "out", release, bad.url, good.url)
    assert verify(tmp_path / "out", release).is_whole
    assert len(bad.answers) == 3 * QUICK.failures_per_source


def test_mirrors_come_before_the_published_place(tmp_path: Path, release: Release, serve) -> None:
    mirror, published = serve(), serve()
    files = tuple(
        ReleaseFile(f.filename, f.size_bytes, f.sha256, f"{published.url}/{f.filename}?download=1")
        for f in release.files
    )
    with_urls = Release("1.0.0", files)
    fetch(tmp_path / "a", with_urls, mirror.url)
    assert not published.answers
    fetch(tmp_path / "b", with_urls)
    assert len(published.answers) == 3


def test_redirect_is_followed_with_the_range(tmp_path: Path, release: Release, serve) -> None:
    server = serve(once(Fault(Kind.RESET, MIB)))
    fetch(tmp_path / "out", release, server.redirecting_url)
    starts = [answer.start for answer in server.answers if answer.path == "PASS.0.tar"]
    assert starts == [None, MIB]


def test_folder_as_a_mirror(tmp_path: Path, release: Release) -> None:
    fetch(tmp_path / "out", release, (tmp_path / "source").as_uri())
    assert verify(tmp_path / "out", release).is_whole


def test_folder_without_the_file_or_with_another(tmp_path: Path, release: Release, serve) -> None:
    other = tmp_path / "other mirror"
    other.mkdir()
    (other / "PASS.0.tar").write_bytes(b"another release's")
    server = serve()
    fetch(tmp_path / "out", release, other.as_uri(), server.url)
    assert len(server.answers) == 3
    with pytest.raises(DownloadError, match=r"PASS\.0\.tar: is 17 bytes, expected 3,145,728"):
        fetch(tmp_path / "out2", release, other.as_uri())


@pytest.mark.parametrize("url", ["ftp://host/x", "host/x", "file://elsewhere/x", "http:///x"])
def test_bad_mirror_is_explained(tmp_path: Path, release: Release, url: str) -> None:
    with pytest.raises(DownloadError, match="expected a mirror such as https://"):
        fetch(tmp_path / "out", release, url)


def test_published_nowhere(tmp_path: Path, release: Release) -> None:
    with pytest.raises(DownloadError, match="published nowhere; give a mirror"):
        fetch(tmp_path / "out", release)


def test_mirror_with_another_release_is_not_asked_for_long(
    tmp_path: Path, release: Release, serve
) -> None:
    (tmp_path / "source" / "PASS.0.tar").write_bytes(b"z" * 4 * MIB)
    server = serve()
    with pytest.raises(DownloadError, match=r"is 4,194,304 bytes there, expected 3,145,728"):
        fetch(tmp_path / "out", release, server.url)
    assert [answer.path for answer in server.answers].count("PASS.0.tar") == QUICK.max_misfits


# --- waiting and giving up ------------------------------------------------------------------------


def test_gives_up_after_failures_without_progress(tmp_path: Path, release: Release, serve) -> None:
    server = serve(always(Kind.UNAVAILABLE))
    with pytest.raises(DownloadError, match="no progress in 6 tries") as caught:
        fetch(tmp_path / "out", release, server.url)
    assert server.num_faults == 6
    assert "HTTP 503" in str(caught.value)
    assert "the same call continues" in str(caught.value)


def test_progress_keeps_it_going(tmp_path: Path, release: Release, serve) -> None:
    server = serve(once(Fault(Kind.RESET, 64 << 10), times=30))
    fetch(tmp_path / "out", release, server.url)
    assert server.num_faults == 30


@pytest.mark.parametrize("kind", [Kind.TOO_MANY, Kind.TOO_MANY_DATE])
def test_retry_after_is_obeyed(tmp_path: Path, release: Release, serve, kind: Kind) -> None:
    server = serve(once(Fault(kind, seconds=3000)))
    now = [0.0]
    waits: list[float] = []
    downloader = Downloader(
        tmp_path / "out",
        release,
        mirrors=(server.url,),
        policy=QUICK,
        connections=1,
        clock=Clock(now=lambda: now[0]),
    )

    def wait(delay_s: float) -> bool:
        waits.append(delay_s)
        now[0] += delay_s
        return False

    downloader._stop.wait = wait  # type: ignore[assignment]
    downloader.run()
    # By the date, some of it may be gone already: the server's clock and ours go on.
    assert max(waits) == 3000 if kind is Kind.TOO_MANY else 1000 < max(waits) <= 3000
    assert verify(tmp_path / "out", release).is_whole


def test_retry_after_holds_for_the_whole_host() -> None:
    clock = Clock(now=lambda: 0.0)
    gate = HostGate(clock)
    waits: dict[str, list[float]] = {"one": [], "other": []}

    def turns(name: str, url: str) -> Turns:
        source = HttpSource(url, 100, Connections(QUICK, clock))
        return Turns(name, [source], QUICK, clock, gate, lambda s: bool(waits[name].append(s)))

    one, other = turns("one", "https://host/one"), turns("other", "https://host/other")
    one.failed(one.next(), Passing("HTTP 429", retry_after_s=200), gained_bytes=0)
    other.next()
    assert waits == {"one": [0, 200], "other": [200]}


def test_asked_to_wait_too_long(tmp_path: Path, release: Release, serve) -> None:
    bad, good = serve(once(Fault(Kind.TOO_MANY, seconds=9999), times=9)), serve()
    fetch(tmp_path / "out", release, bad.url, good.url)
    assert bad.num_faults == 1
    with pytest.raises(DownloadError, match="429"):
        fetch(tmp_path / "out2", release, bad.url)


def test_nobody_listens(tmp_path: Path, release: Release, serve) -> None:
    server = serve()
    url = server.url
    server.__exit__(None, None, None)
    with pytest.raises(DownloadError, match=r"no answer: .*refused"):
        fetch(tmp_path / "out", release, url)


def test_waits_grow_and_have_jitter_and_a_bound() -> None:
    policy = RetryPolicy(base_delay_s=1, max_delay_s=300)
    longest = [policy.delay_s(n, jitter=1.0) for n in range(1, 12)]
    assert longest == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert [policy.delay_s(n, jitter=0.0) for n in (1, 4, 99)] == [0.5, 4, 150]


def test_default_policy_outlasts_an_hour() -> None:
    policy = RetryPolicy()
    waits = [policy.delay_s(n, jitter=0.5) for n in range(1, policy.max_failures)]
    assert sum(waits) > 0.7 * 3600
    assert policy.stall_timeout_s == 60


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 1970 00:02:00 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, wall_s=100.0) == seconds


def test_gate_keeps_the_later_time() -> None:
    now = [0.0]
    gate = HostGate(Clock(now=lambda: now[0]))
    gate.close("h", 10)
    gate.close("h", 3)
    assert (gate.wait_s("h"), gate.wait_s("other")) == (10, 0)
    now[0] = 11
    assert gate.wait_s("h") == 0


@pytest.mark.parametrize("setting", [{"max_failures": 0}, {"base_delay_s": -1.0}])
def test_policy_checks_itself(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"failures|negative"):
        RetryPolicy(**setting)  # type: ignore[arg-type]


# --- the folder -----------------------------------------------------------------------------------


def test_files_that_are_there_are_hashed_once(tmp_path: Path, release: Release) -> None:
    downloader = Downloader(tmp_path / "source", release)
    assert downloader.plan().having(Action.CHECK) == list(release.files)
    downloader.run()
    assert downloader.plan().having(Action.KEEP) == list(release.files)
    os.utime(tmp_path / "source" / "PASS.0.tar", ns=(1, 1))
    assert [f.filename for f in downloader.plan().having(Action.CHECK)] == ["PASS.0.tar"]


@pytest.mark.parametrize("data", [b"short", b"z" * 3 * MIB])
def test_other_files_are_not_touched_unless_asked(
    tmp_path: Path, release: Release, serve, data: bytes
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "PASS.0.tar").write_bytes(data)
    server = serve()
    with pytest.raises(FolderError, match=r"0\.tar has (another|other) .*--replace"):
        fetch(out, release, server.url)
    assert (out / "PASS.0.tar").read_bytes() == data
    assert not server.answers
    fetch(out, release, server.url, replace=True)
    assert verify(out, release).is_whole


def test_too_little_disk_is_refused_with_both_numbers(tmp_path: Path, release: Release) -> None:
    huge = Release("1.0.0", (ReleaseFile("PASS.0.tar", 10**18, "0" * 64), release.metadata))
    free = Downloader(tmp_path / "out", huge).plan().free_bytes
    with pytest.raises(DiskSpaceError, match=r"1,000,000,000,000,005,000 bytes .*bytes free") as e:
        fetch(tmp_path / "out", huge, "http://127.0.0.1:9/")
    assert f"{free:,}"[:3] in str(e.value)
    assert not (tmp_path / "out").exists()


def test_plan_counts_what_is_there(tmp_path: Path, release: Release) -> None:
    out = tmp_path / "out"
    out.mkdir()
    part_path(out / "PASS.0.tar").write_bytes(b"x" * 1000)
    plan = Downloader(out, release).plan()
    assert plan.fetch_bytes == release.size_bytes - 1000


def test_second_process_says_who_holds_the_folder(tmp_path: Path, release: Release, serve) -> None:
    out = tmp_path / "out"
    out.mkdir()
    server = serve()
    said = rf"in use by process {os.getpid()} on"
    with held_by_another(out), pytest.raises(FolderLockedError, match=said):
        fetch(out, release, server.url, wait=False)
    fetch(out, release, server.url, wait=False)


def test_second_process_waits(
    tmp_path: Path, release: Release, serve, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    server = serve()
    thread = threading.Thread(target=fetch, args=(out, release, server.url))
    with caplog.at_level(logging.WARNING), hold(out):
        thread.start()
        wait_until(lambda: "waiting for it" in caplog.text)
        assert not server.answers
    thread.join()
    assert f"process {os.getpid()} on" in caplog.text
    assert verify(out, release, quick=True).is_whole


def test_folder_that_cannot_be_made(tmp_path: Path, release: Release) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match=r"file.*: cannot be used"):
        fetch(tmp_path / "file" / "out", release, "http://127.0.0.1:9/")


def test_number_of_connections(tmp_path: Path, release: Release) -> None:
    with pytest.raises(DownloadError, match="connections: expected at least 1, found 0"):
        Downloader(tmp_path, release, connections=0)


# --- the part file --------------------------------------------------------------------------------


def test_roll_back_goes_further_each_time(tmp_path: Path) -> None:
    part = PartFile(tmp_path / "f", 100)
    for _ in range(8):
        part.mark()
        part.append(b"0123456789")
    sizes = []
    while part.size_bytes:
        sizes.append(part.roll_back())
    assert sizes == [70, 60, 30, 0]
    assert part.hexdigest() == hashlib.sha256(b"").hexdigest()
    part.append(b"new")
    assert part.hexdigest() == hashlib.sha256(b"new").hexdigest()
    part.close()
    assert part_path(tmp_path / "f").read_bytes() == b"new"


def test_never_more_than_expected(tmp_path: Path) -> None:
    counted: list[int] = []
    part = PartFile(tmp_path / "f", 5, counted.append)
    part.append(b"123")
    part.append(b"4567")
    assert part.missing_bytes == 0
    part.commit()
    part.close()
    assert (tmp_path / "f").read_bytes() == b"12345"
    assert sum(counted) == 5
