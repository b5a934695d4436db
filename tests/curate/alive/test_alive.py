"""Whether photographs are still public: asked politely, once each, and never by their bytes."""

from __future__ import annotations

import os
import signal
import warnings
from pathlib import Path
from typing import Any

import pytest

from pass_dataset import PassArchive
from pass_dataset.curate.alive.run import run_alive
from pass_dataset.curate.alive.settings import AliveSettings, Politeness
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.release.settings import ReleaseSettings
from pass_dataset.curate.release.writing import run_release
from pass_dataset.downloads.retries import RetryPolicy
from pass_dataset.errors import DownloadError
from tests.curate.selections import selected
from tests.support.curation import Curation, photograph
from tests.support.web import Reply, Web

POLICY = RetryPolicy(max_failures=3, base_delay_s=0.01, max_delay_s=0.05, speed_window_s=1.0)
FAST = Politeness(500.0, 2, POLICY)


def pages(web: Web, path: Path, *shards: list[str | None]) -> CurationFolder:
    """A curation of photographs with these pages."""
    return selected(
        path,
        *([{"page_url": page and f"{web.url}{page}"} for page in shard] for shard in shards),
    )


def said(folder: CurationFolder) -> list[tuple[str | None, int | None]]:
    ledger = Ledger(folder)
    rows = [row for n in range(ledger.shards()) for row in ledger.said("alive", n).to_pylist()]
    return [(row["cause"], row["alive_status"]) for row in rows]


GONE = "no-longer-public"


def test_what_answers_say(tmp_path: Path) -> None:
    def plan(path: str, before: int) -> Reply:
        replies = {
            "/photos/a/1/": Reply(b"a page", headers={"Content-Length": "6"}),
            "/photos/a/2/": Reply(status=404),
            "/photos/a/3/": Reply(status=301, headers={"Location": "/photos/alias/3"}),
            "/photos/alias/3": Reply(b"a page"),
            "/photos/a/4/": Reply(status=302, headers={"Location": "/signin?to=/photos/a/4/"}),
            "/photos/a/5/": Reply(status=403),
            "/photos/a/6/": Reply(status=410),
            "/photos/a/7/": Reply(status=301, headers={"Location": "http://else.where/7/"}),
            "/photos/a/8/": Reply(status=405) if before == 0 else Reply(bytes(1 << 22)),
            "/photos/a/9/": Reply(status=429, headers={"Retry-After": "0"})
            if before == 0
            else Reply(b"a page"),
        }
        return replies[path]

    with Web(plan) as web:
        folder = pages(
            web, tmp_path, [f"/photos/a/{n}/" for n in range(1, 6)], ["/photos/a/6/", None],
            [f"/photos/a/{n}/" for n in range(7, 10)],
        )  # fmt: skip
        step = run_alive(folder, AliveSettings(), politeness=FAST)
        assert run_alive(folder, AliveSettings(), politeness=FAST) == step
    assert said(folder) == [
        (None, 200), (GONE, 404), (None, 200), (GONE, 302), (GONE, 403),
        (GONE, 410), (None, None),
        (GONE, 301), (None, 200), (None, 200),
    ]  # fmt: skip
    assert step.causes == {GONE: 5}
    assert step.details["asked"] == 9
    assert step.details["asked_from"] <= step.details["asked_until"]
    assert [head[:4] for head in web.heads].count("GET ") == 1
    assert web.most <= 2
    assert not list(folder.work_path("alive").iterdir())


def test_so_many_a_second(tmp_path: Path) -> None:
    with Web(lambda path, before: Reply()) as web:
        folder = pages(web, tmp_path, [f"/{n}" for n in range(10)])
        run_alive(folder, AliveSettings(), politeness=Politeness(20.0, 2, POLICY))
    gaps = [later - earlier for earlier, later in zip(web.times, web.times[1:], strict=False)]
    assert sum(gaps) >= 0.9 * 9 / 20


def test_download_addresses(tmp_path: Path) -> None:
    def plan(path: str, before: int) -> Reply:
        location = "https://s.yimg.com/pw/images/en-us/photo_unavailable.png"
        return Reply() if path == "/0.jpg" else Reply(status=302, headers={"Location": location})

    with Web(plan) as web:
        urls = [{"download_url": f"{web.url}/{n}.jpg"} for n in range(2)]
        folder = selected(tmp_path, urls)
        run_alive(folder, AliveSettings("download"), politeness=FAST)
    assert said(folder) == [(None, 200), (GONE, 302)]


def test_a_host_that_refuses_this_machine(tmp_path: Path) -> None:
    with Web(lambda path, before: Reply(status=403)) as web:
        folder = pages(web, tmp_path, [f"/{n}" for n in range(9)])
        polite = Politeness(500.0, 1, POLICY, refusals=4)
        with pytest.raises(DownloadError, match="answered HTTP 403 to all of the last 4 questions"):
            run_alive(folder, AliveSettings(), politeness=polite)
        assert sum(web.asked.values()) == 4
        with pytest.raises(DownloadError, match="answered HTTP 403 to all of the last 9 questions"):
            run_alive(folder, AliveSettings(), politeness=FAST)


def test_what_is_not_known_is_asked_again(tmp_path: Path) -> None:
    is_well = False

    def plan(path: str, before: int) -> Reply:
        return Reply() if is_well or path != "/1" else Reply(status=500)

    with Web(plan) as web:
        folder = pages(web, tmp_path, ["/0", "/1"], ["/2"])
        with pytest.raises(DownloadError, match=r"of 1 photograph it could not .*unreachable 1"):
            run_alive(folder, AliveSettings(), politeness=FAST)
        is_well = True
        run_alive(folder, AliveSettings(), politeness=FAST)
        assert web.asked == {"/0": 1, "/1": 4, "/2": 1}
    assert said(folder) == [(None, 200)] * 3


def test_a_release_says_whether_and_when(tmp_path: Path) -> None:
    replies = {"/1": Reply(status=404), "/2": Reply(status=500)}
    photographs = [photograph(number) for number in range(6)]
    with Web(lambda path, before: replies.get(path, Reply())) as web:
        for number, row in enumerate(photographs):
            row["page_url"] = f"{web.url}/{number}" if number < 4 else None
        curation = Curation(tmp_path / "curation", photographs).fetch()
        step = run_alive(curation.folder, AliveSettings(), politeness=FAST, accept_failures=True)
    run_release(curation.folder, ReleaseSettings("birds", "1.0.0", tars=1), tmp_path / "birds")
    assert len(PassArchive(tmp_path / "birds")) == 4
    sheet = (tmp_path / "birds" / "DATASHEET.md").read_text()
    days = sorted({step.details[name][:10] for name in ("asked_from", "asked_until")})
    when = "on {}" if len(days) == 1 else "from {} to {}"
    assert (
        f"Yes, {when.format(*days)}: 4 were asked for, 1 were no longer public and are left out, "
        "as are 1 of which no answer was to be had. The other 2 have no address."
    ) in sheet
    assert "1 no longer public, 1 " in sheet  # among the causes


def test_failures_accepted(tmp_path: Path) -> None:
    with Web(lambda path, before: Reply(status=500)) as web:
        folder = pages(web, tmp_path, ["/0"])
        run_alive(folder, AliveSettings(), politeness=FAST, accept_failures=True)
    assert said(folder) == [("unreachable", 500)]


def test_killed(tmp_path: Path) -> None:
    """Each photograph is asked for once, but for those in flight."""
    kills = 0
    with Web(lambda path, before: Reply()) as web:
        folder = pages(web, tmp_path, [f"/{n}" for n in range(60)])
        while Ledger(folder).record("alive") is None:
            begun = sum(web.answered.values())
            pid = _forked(folder)
            ended = 0
            while not ended and sum(web.answered.values()) < begun + 15:
                ended, _ = os.waitpid(pid, os.WNOHANG)
            if not ended:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                kills += 1
        assert kills >= 3
        assert sum(web.asked.values()) <= 60 + 2 * kills
    assert said(folder) == [(None, 200)] * 60


def _forked(folder: CurationFolder, **arguments: Any) -> int:
    with warnings.catch_warnings():
        # Of forking where there are threads: only this one goes on in the child.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            run_alive(folder, AliveSettings(), politeness=FAST, **arguments)
        finally:
            os._exit(0)
    return pid
