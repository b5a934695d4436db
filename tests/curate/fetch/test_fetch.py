"""Fetching: bytes untouched into tars, a cause for each photograph that is not to be had."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import pytest
from PIL import Image

from pass_dataset.curate.fetch.paths import FetchPaths
from pass_dataset.curate.fetch.run import run_fetch
from pass_dataset.curate.fetch.settings import FetchSettings, Pace
from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.downloads.retries import RetryPolicy
from pass_dataset.errors import CurationError, DownloadError
from tests.curate.selections import jpeg, name_of, selected
from tests.support.web import Reply, Web

#: Impatient, as tests are.
POLICY = RetryPolicy(
    max_failures=3, base_delay_s=0.01, max_delay_s=0.05, connect_timeout_s=2.0, speed_window_s=1.0
)
PACE = Pace(4, POLICY)
XML = b'<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>'


def number_of(path: str, numbers: dict[str, int]) -> int:
    return numbers[path.rpartition("/")[2].partition(".")[0]]


def bucket(
    answers: Callable[[int, int], Reply | None] = lambda number, before: None, most: int = 1000
) -> Web:
    """A bucket in which each photograph is, but where `answers` says something else."""
    numbers = {name_of(number): number for number in range(most)}

    def plan(path: str, before: int) -> Reply:
        number = number_of(path, numbers)
        assert path.startswith(f"/images/{name_of(number)[:3]}/{name_of(number)[3:6]}/")
        return answers(number, before) or Reply(jpeg(number))

    return Web(plan)


def settings_of(web: Web, **settings: Any) -> FetchSettings:
    return FetchSettings(bucket=f"{web.url}/images", **settings)


def fetched(folder: CurationFolder) -> list[dict[str, Any]]:
    """What the ledger says of all photographs."""
    ledger = Ledger(folder)
    return [
        row for shard in range(ledger.shards()) for row in ledger.said("fetch", shard).to_pylist()
    ]


def digests(folder: CurationFolder) -> dict[str, str]:
    """Of the tars, and of the ledger's files."""
    paths = sorted([*folder.path.glob("work/fetch/tars/*"), *folder.step_path("fetch").glob("0*")])
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def causes(folder: CurationFolder) -> dict[int, str | None]:
    return {row["row"]: row["cause"] for row in fetched(folder)}


def test_into_tars(tmp_path: Path) -> None:
    folder = selected(tmp_path, [{}] * 5, [{}] * 3)
    with bucket() as web:
        step = run_fetch(folder, settings_of(web), pace=PACE)
        assert (step.came, step.causes, step.left) == (8, {}, 8)
        assert run_fetch(folder, settings_of(web), pace=PACE) == step
        assert set(web.asked.values()) == {1}
    paths = FetchPaths(folder)
    with tarfile.open(paths.tar(1)) as tar:
        assert tar.getnames() == [f"PASS_dataset/1/{name_of(row)}.jpg" for row in (5, 6, 7)]
        assert {(m.mtime, m.uid, m.gid, m.uname, m.mode) for m in tar} == {(0, 0, 0, "", 0o644)}
    for row in fetched(folder):
        assert (row["fetch_status"], row["fetched_from"]) == (200, "bucket")
        with paths.tar(0 if row["row"] < 5 else 1).open("rb") as file:
            body = os.pread(file.fileno(), row["size_bytes"], row["tar_offset"])
        assert body == jpeg(row["row"])
        assert row["sha256"] == hashlib.sha256(body).hexdigest()
    assert not list(folder.work_path("fetch").glob("spool/*"))


def png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (3, 3)).save(file, "PNG")
    return file.getvalue()


WHOLE = jpeg(0, 64)


@pytest.mark.parametrize(
    ("reply", "cause", "tries"),
    [
        (Reply(status=404, body=XML), "missing", 1),
        (Reply(status=410), "gone", 1),
        (
            Reply(
                status=302, headers={"Location": "https://s.yimg.com/pw/photo_unavailable_l.png"}
            ),
            "gone",
            1,
        ),
        (Reply(status=302, headers={"Location": "https://else.where/a.jpg"}), "redirected", 1),
        (Reply(status=302, headers={"Location": "http://[::1/a.jpg"}), "redirected", 1),
        (Reply(status=302, headers={"Location": "file:///etc/passwd"}), "redirected", 1),
        (Reply(status=403, body=XML), "refused", 1),
        (Reply(status=401), "refused", 1),
        (Reply(status=418), "refused", 3),
        (Reply(XML), "not-an-image", 3),
        (Reply(b"<html>log in</html>"), "not-an-image", 3),
        (Reply(b""), "empty", 3),
        (Reply(png()), "not-jpeg", 1),
        (Reply(WHOLE[:-20]), "truncated", 3),
        (Reply(WHOLE[:-20], has_length=False), "truncated", 3),
        (Reply(WHOLE + bytes(5)), None, 1),
        (Reply(WHOLE + bytes(100_001)), "too-large", 1),
        (Reply(WHOLE + bytes(100_001), has_length=False), "too-large", 1),
    ],
)
def test_causes(tmp_path: Path, reply: Reply, cause: str | None, tries: int) -> None:
    folder = selected(tmp_path, [{}, {}])
    with bucket(lambda number, before: reply if number == 0 else None) as web:
        step = run_fetch(folder, settings_of(web, max_bytes=100_000), pace=PACE)
        asked = sorted(web.asked.values())
    assert step.causes == ({cause: 1} if cause else {})
    assert causes(folder) == {0: cause, 1: None}
    assert asked == [1, tries] if tries > 1 else asked == [1, 1]
    row = fetched(folder)[0]
    assert (row["tar_offset"] is None) == (cause is not None)
    assert row["fetched_from"] == "bucket"


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(WHOLE, sent=40, end="close"), "truncated"),
        (Reply(WHOLE, sent=40, end="reset"), "truncated"),
        (Reply(WHOLE, sent=0, end="stall"), "timeout"),
        (Reply(status=500), "unreachable"),
    ],
)
def test_what_may_pass_is_tried_again(tmp_path: Path, reply: Reply, cause: str) -> None:
    folder = selected(tmp_path, [{}, {}], [{}])
    is_well = False

    def answers(number: int, before: int) -> Reply | None:
        return reply if number == 0 and not is_well else None

    with bucket(answers) as web:
        with pytest.raises(
            DownloadError, match=rf"1 photograph could not .*\({cause} 1\); .*again"
        ):
            run_fetch(folder, settings_of(web), pace=PACE)
        assert sorted(web.asked.values()) == [1, 1, 3]
        assert Ledger(folder).record("fetch") is None
        assert not FetchPaths(folder).tar(0).exists()
        assert FetchPaths(folder).tar(1).exists()
        is_well = True
        step = run_fetch(folder, settings_of(web), pace=PACE)
        assert (step.causes, sorted(web.asked.values())) == ({}, [1, 1, 4])


def test_failures_accepted(tmp_path: Path) -> None:
    folder = selected(tmp_path, [{}, {}])
    with bucket(lambda number, before: Reply(status=500) if number == 0 else None) as web:
        with pytest.raises(DownloadError):
            run_fetch(folder, settings_of(web), pace=PACE)
        step = run_fetch(folder, settings_of(web), pace=PACE, accept_failures=True)
    assert step.causes == {"unreachable": 1}


def test_nobody_there(tmp_path: Path) -> None:
    folder = selected(tmp_path, [{}, {}])
    pace = Pace(4, POLICY, failures_of_host=1)
    with bucket() as web:
        settings = settings_of(web)
    with pytest.raises(DownloadError, match=r"2 photographs could not be had \(unreachable 2\)"):
        run_fetch(folder, settings, pace=pace)


def test_stored_is_what_came(tmp_path: Path) -> None:
    """A cut answer, and other bytes the second time: the receipt is of those that are kept."""
    folder = selected(tmp_path, [{}])

    def answers(number: int, before: int) -> Reply:
        return Reply(jpeg(1), sent=100, end="close") if before == 0 else Reply(jpeg(2))

    with bucket(answers) as web:
        run_fetch(folder, settings_of(web), pace=PACE)
    assert fetched(folder)[0]["sha256"] == hashlib.sha256(jpeg(2)).hexdigest()


def test_sources_in_order(tmp_path: Path) -> None:
    own = tmp_path / "own.jpg"
    own.write_bytes(jpeg(77))

    def plan(path: str, before: int) -> Reply:
        found = {
            f"/images/{name_of(1)[:3]}/{name_of(1)[3:6]}/{name_of(1)}.png": Reply(png()),
            "/2.jpg": Reply(status=301, headers={"Location": "/moved/2.jpg?a=1"}),
            "/moved/2.jpg?a=1": Reply(jpeg(2)),
            "/3.jpg": Reply(status=410),
        }
        return found.get(path, Reply(status=404))

    with Web(plan) as web:
        folder = selected(
            tmp_path / "curation",
            [
                {"path": str(own)},
                {"extension": "png", "download_url": f"{web.url}/1.jpg"},
                {"download_url": f"{web.url}/2.jpg"},
                {"download_url": f"{web.url}/3.jpg"},
                {"download_url": "ftp://host/a.jpg"},
                {"download_url": None},
                {"path": str(tmp_path / "nothing.jpg"), "download_url": None},
                {"download_url": f"{web.url}/é 8.jpg"},
            ],
        )
        settings = settings_of(web, sources=("path", "bucket", "download"))
        run_fetch(folder, settings, pace=PACE)
        assert web.asked["/%C3%A9%208.jpg"] == 1
    said = [(row["cause"], row["fetched_from"], row["fetch_status"]) for row in fetched(folder)]
    assert said == [
        (None, "path", None),
        ("not-jpeg", "bucket-extension", 200),
        (None, "download", 200),
        ("gone", "download", 410),
        ("bad-address", "download", None),
        ("no-address", None, None),
        ("missing", "path", None),
        ("missing", "bucket", 404),
    ]


def test_placeholders_by_identity(tmp_path: Path) -> None:
    """Whatever was fetched first, and in whichever shard."""
    folder = selected(tmp_path, [{}] * 4, [{}] * 4)
    same = {1, 2, 5}
    twice = {3, 4}

    def answers(number: int, before: int) -> Reply | None:
        if number in same:
            return Reply(jpeg(500))
        if number in twice:
            return Reply(jpeg(501))
        return Reply(png()) if number in (0, 6, 7) else None

    with bucket(answers) as web:
        step = run_fetch(folder, settings_of(web, placeholder_copies=3), pace=PACE)
    assert step.causes == {"placeholder": 6}
    assert {one["copies"] for one in step.details["placeholders"]} == {3}
    assert {row for row, cause in causes(folder).items() if cause is None} == twice


def test_never_more_connections(tmp_path: Path) -> None:
    folder = selected(tmp_path, [{}] * 60, [{}] * 60)

    def answers(number: int, before: int) -> Reply | None:
        if before == 0 and number % 10 == 0:
            kind = ("close", "reset")[number // 10 % 2]
            return Reply(jpeg(number), sent=50, end=kind, after_s=0.01)
        return Reply(jpeg(number), after_s=0.01)

    with bucket(answers) as web:
        run_fetch(folder, settings_of(web), pace=Pace(5, POLICY))
        assert web.most == 5
        # Kept, but for those that were broken.
        assert web.connections <= 5 + 12
        assert sum(web.asked.values()) == 132
    assert Ledger(folder).steps()[-1].causes == {}


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_left_alone_when_asked(tmp_path: Path, form: str) -> None:
    folder = selected(tmp_path, [{}] * 8)
    at: list[float] = []

    def answers(number: int, before: int) -> Reply | None:
        if sum(web.asked.values()) == 1:
            value = "1" if form == "seconds" else formatdate(time() + 2, usegmt=True)
            return Reply(status=503, headers={"Retry-After": value})
        return None

    with bucket(answers) as web:
        run_fetch(folder, settings_of(web), pace=Pace(1, POLICY))
        at = web.times
    # A date has whole seconds.
    assert at[1] - at[0] > 0.9
    assert len(at) == 9


def test_settings_stay(tmp_path: Path) -> None:
    folder = selected(tmp_path, [{}])
    with bucket() as web:
        run_fetch(folder, settings_of(web), pace=PACE)
        with pytest.raises(CurationError, match="max_bytes: it was begun with 67108864"):
            run_fetch(folder, settings_of(web, max_bytes=7), pace=PACE)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sources": ()}, "sources: expected some"),
        ({"sources": ("path", "path")}, "sources: expected some"),
        ({"bucket": "s3://bucket"}, "bucket: expected an address"),
        ({"max_bytes": 0}, "expected 1 or more"),
        ({"placeholder_copies": 1}, "expected 0 or 2"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FetchSettings(**settings)
