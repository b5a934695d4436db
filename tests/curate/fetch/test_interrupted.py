"""Fetching that is killed, interrupted, or has no room: nothing is lost but what was in flight."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.curate.fetch.paths import FetchPaths
from pass_dataset.curate.fetch.run import run_fetch
from pass_dataset.curate.fetch.settings import FetchSettings, Pace
from pass_dataset.curate.fetch.spool import Receipt, Spool
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.errors import CurationError, DiskSpaceError
from tests.curate.fetch.test_fetch import PACE, POLICY, bucket, digests, fetched, settings_of
from tests.curate.selections import jpeg, selected
from tests.support.disks import fill_up, small_disk
from tests.support.processes import heed_interrupts
from tests.support.waiting import wait_until
from tests.support.web import Reply, Web

CONNECTIONS = 4
SHARDS = ([{}] * 50, [{}] * 50, [{}] * 50)


def misbehaving(number: int, before: int) -> Reply:
    """Faults of all kinds, of which most are over when it is tried again."""
    body = jpeg(500) if number % 20 == 3 else jpeg(number)
    if number % 30 == 7:
        return Reply(status=404, after_s=0.005)
    if before == 0 and number % 8 == 1:
        return Reply(body, sent=30, end=("close", "reset")[number // 8 % 2], after_s=0.005)
    if before == 0 and number % 9 == 2:
        return Reply(status=(503, 500)[number // 9 % 2], after_s=0.005)
    if before == 0 and number % 25 == 4:
        return Reply(b"<?xml ?><Error/>", after_s=0.005)
    return Reply(body, after_s=0.005)


def settings_for(web: Web) -> FetchSettings:
    return settings_of(web, placeholder_copies=5)


#: Digests of the tars, and what the ledger says.
Outcome = tuple[dict[str, str], list[dict[str, Any]]]


def outcome(folder: CurationFolder) -> Outcome:
    """What came of a fetch. (Files of the ledger have the settings' digest: another port each.)"""
    tars = {name: digest for name, digest in digests(folder).items() if name.endswith(".tar")}
    return tars, fetched(folder)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Of a fetch from a server where all is well."""
    folder = selected(tmp_path_factory.mktemp("well"), *SHARDS)
    with bucket(lambda number, before: misbehaving(number, 1), most=150) as web:
        run_fetch(folder, settings_for(web), pace=PACE)
    assert Ledger(folder).steps()[-1].causes == {"missing": 5, "placeholder": 8}
    return outcome(folder)


def forked(folder: CurationFolder, settings: FetchSettings) -> int:
    with warnings.catch_warnings():
        # Of forking where there are threads: only this one goes on in the child.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            run_fetch(folder, settings, pace=Pace(CONNECTIONS, POLICY))
            code = 0
        finally:
            os._exit(code)
    return pid


@pytest.mark.slow
def test_twenty_kills(tmp_path: Path, undisturbed: Outcome) -> None:
    folder = selected(tmp_path, *SHARDS)
    kills, done = 0, False
    with bucket(misbehaving, most=150) as web:
        while not done:
            begun = sum(web.answered.values())
            pid = forked(folder, settings_for(web))
            # Some answers later, or at its end.
            while not done and sum(web.answered.values()) < begun + 6 + kills % 3:
                ended, status = os.waitpid(pid, os.WNOHANG)
                done = ended == pid
            if done:
                assert os.waitstatus_to_exitcode(status) == 0
            else:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                kills += 1
        asked = sum(web.asked.values())
        most = web.most
    assert kills >= 15
    assert outcome(folder) == undisturbed
    faults = sum(misbehaving(number, 0) != misbehaving(number, 1) for number in range(150))
    assert asked <= 150 + faults + 2 * 6 + kills * CONNECTIONS
    assert most <= CONNECTIONS
    again = selected(tmp_path / "again", *SHARDS)
    with bucket(misbehaving, most=150) as web:
        run_fetch(again, settings_for(web), pace=PACE)
    assert outcome(again) == undisturbed


def test_interrupted(tmp_path: Path) -> None:
    folder = selected(tmp_path, [{}] * 200)
    with bucket(lambda number, before: Reply(jpeg(number), after_s=0.02)) as web:
        command = [sys.executable, "-m", "pass_dataset.curate", "fetch", str(tmp_path)]
        command += ["--bucket", f"{web.url}/images", "--connections", "4"]
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
        )
        wait_until(lambda: sum(web.answered.values()) >= 20)
        process.send_signal(signal.SIGINT)
        assert "interrupted; what was done is kept" in process.communicate()[1]
        assert process.returncode == 130
        run_fetch(folder, settings_of(web), pace=PACE)
        assert sum(web.asked.values()) <= 200 + 4


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = selected(tmp_path, [{}] * 30)
    written = 0
    pwritev = os.pwritev

    def full(file: int, pieces: list[bytes], at: int) -> int:
        nonlocal written
        written += 1
        if written > 10:
            os.pwrite(file, b"".join(pieces)[:9], at)  # as much as there is room for
            raise OSError(errno.ENOSPC, "No space left on device")
        return pwritev(file, pieces, at)

    with bucket() as web:
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwritev", full)
            with pytest.raises(DiskSpaceError, match=r"000000.spool: the disk is full; what was"):
                run_fetch(folder, settings_of(web), pace=PACE)
        step = run_fetch(folder, settings_of(web), pace=PACE)
        assert step.left == 30
        assert sum(web.asked.values()) <= 30 + 4 + 1


def from_files(path: Path, own: Path, shards: int = 2) -> CurationFolder:
    """A curation of photographs that are files of this machine."""
    own.mkdir(exist_ok=True)
    photographs = []
    for number in range(30 * shards):
        file = own / f"{number}.jpg"
        file.write_bytes(jpeg(number))
        photographs.append({"path": str(file), "download_url": None})
    return selected(path, *(photographs[n * 30 : n * 30 + 30] for n in range(shards)))


@pytest.mark.slow
def test_killed_at_every_step(tmp_path: Path) -> None:
    """Of those that change a name: a tar, receipts, a spool that goes, the ledger."""
    expected = from_files(tmp_path / "expected", tmp_path / "own")
    run_fetch(expected, FetchSettings())
    for step in range(1, 100):
        folder = from_files(tmp_path / str(step), tmp_path / "own")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            steps = iter(range(1, step))

            def killed(event: str, arguments: object, steps: Any = steps) -> None:
                is_step = event in ("os.rename", "os.remove") and next(steps, None) is None
                if is_step:
                    os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(killed)
            run_fetch(folder, FetchSettings())
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
        run_fetch(folder, FetchSettings())
        assert digests(folder) == digests(expected)
        assert not list(folder.work_path("fetch").glob("spool/*"))
        if status == 0:
            break
    assert step > 10


@pytest.mark.parametrize("room", [20_000, 60_000, 100_000, 400_000])
def test_disk_that_fills_up(tmp_path: Path, room: int) -> None:
    """In the spool, in a tar, in the ledger: said, and gone on with when there is room."""
    expected = from_files(tmp_path / "expected", tmp_path / "own", 4)
    run_fetch(expected, FetchSettings())
    with small_disk(tmp_path / "disk") as disk:
        folder = from_files(disk / "curation", tmp_path / "own", 4)
        filler = fill_up(disk, room)
        try:
            run_fetch(folder, FetchSettings())
        except (DiskSpaceError, OSError) as error:
            assert isinstance(error, DiskSpaceError) or error.errno == errno.ENOSPC
            is_full = True
        else:
            is_full = False
        filler.unlink()
        run_fetch(folder, FetchSettings())
        assert digests(folder) == digests(expected)
    assert is_full == (room < 400_000)


def receipt(row: int, body: bytes) -> Receipt:
    digest = hashlib.sha256(body).hexdigest()
    return Receipt(row, None, 200, "bucket", len(body), digest, True, 1, "")


def test_spool_is_cut_off_where_it_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    with Spool(path) as spool:
        spool.add(receipt(3, b"three"), b"three")
        spool.add(Receipt(4, "missing", 404, "bucket", None, None, False, 2, "HTTP 404"))
        whole = path.stat().st_size
        spool.add(receipt(5, b"five!"), b"five!")
    for size in range(whole, path.stat().st_size):
        copy = tmp_path / f"{size}.spool"
        copy.write_bytes(path.read_bytes()[:size])
        with Spool(copy) as spool:
            assert sorted(spool.receipts) == [3, 4]
            assert copy.stat().st_size == whole
            assert spool.body(3) == b"three"
    for size in range(60):
        copy.write_bytes(path.read_bytes()[:size])
        with Spool(copy) as spool:
            assert not spool.receipts
            spool.add(receipt(3, b"three"), b"three")
        with Spool(copy) as spool:
            assert spool.body(3) == b"three"


def test_spool_after_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that were not brought to the disk are found out once the machine was started anew."""
    path = tmp_path / "a.spool"
    with Spool(path) as spool:
        for row in range(3):
            spool.add(receipt(row, b"body %d" % row), b"body %d" % row)
    path.write_bytes(path.read_bytes().replace(b"body 1", b"\0\0\0\0\0\0"))
    with Spool(path) as spool:
        assert sorted(spool.receipts) == [0, 1, 2]
    boot = tmp_path / "boot"
    boot.write_text("another")
    monkeypatch.setattr("pass_dataset.curate.fetch.spool._BOOT", boot)
    with Spool(path) as spool:
        assert sorted(spool.receipts) == [0]


def test_spool_of_another_kind(tmp_path: Path) -> None:
    path = FetchPaths(CurationFolder(tmp_path)).spool(0)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a" * 100)
    with pytest.raises(
        CurationError, match="expected photographs that were fetched, found another"
    ):
        Spool(path)
    assert path.read_bytes() == b"a" * 100
