"""The server: who gets in, what is refused, and that it gives no file that is not an image."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from tests.curate.review.conftest import ODD_NAMES, make_pictures
from tests.curate.review.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    source = make_pictures(folder / "photographs", 9, ODD_NAMES)
    (source / "broken.jpg").write_bytes(b"\xff\xd8\xff and no more")
    server = Served(source, folder / "review", "--block", "12")
    yield server
    code, said = server.stop()
    assert (code, said) == (0, "")


def test_without_the_token_nothing_is_given(served: Served) -> None:
    paths = ["/", "/?token=", "/?token=wrong", "/review.js", "/api/start", "/thumbnail/0"]
    paths += ["/image/0", "/none", "/api/start?token=" + served.token]
    for path in paths:
        status, body, headers = served.ask(path, headers={})
        assert status == 401, path
        assert b"token is missing" in body
        assert "set-cookie" not in headers
    assert served.ask("/api/undo", {}, headers={"Cookie": "pass_review=x"})[0] == 401


def test_link_gives_the_cookie(served: Served) -> None:
    status, body, headers = served.ask(f"/?token={served.token}", headers={})
    assert status == 200
    assert b"<title>Review</title>" in body
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    pair = cookie.partition(";")[0]
    assert served.ask("/api/start", headers={"Cookie": pair})[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
    ],
)
def test_other_origins(served: Served, headers: dict[str, str], status: int) -> None:
    """Also with the token: a page elsewhere makes the browser send the cookie."""
    given = {"Authorization": f"Bearer {served.token}", **headers}
    for path in ("/api/start", "/thumbnail/0"):
        assert served.ask(path, headers=given)[0] == status
    if status != 200:
        assert served.ask("/api/accept", {"id": "x" * 10}, headers=given)[0] == status


def test_policy_of_the_page(served: Served) -> None:
    headers = served.ask("/")[2]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/thumbnail/../review.json",
        "/thumbnail/..%2f..%2ftoken",
        "/image/%2fetc%2fpasswd",
        "/image/-1",
        "/image/99999",
        "/thumbnail/99999999999999999999",
        "/review.py",
        "/token",
    ],
)
def test_paths_lead_nowhere(served: Served, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    connection.request("GET", path, headers={"Authorization": f"Bearer {served.token}"})
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"root:" not in answer.read()
    connection.close()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        ({}, 400),
        ({"id": "short"}, 400),
        (b"x" * (1 << 19), 413),
        ({"id": "a" * 12, "reviewer": "", "queue": "all", "block": 0, "page": 0}, 400),
        ({"id": "a" * 12, "reviewer": "a\x00b", "queue": "all", "block": 0, "page": 0}, 400),
        (
            {
                "id": "a" * 12,
                "reviewer": "anna",
                "queue": "../../x",
                "block": 0,
                "page": 0,
                "image": 0,
                "flag": None,
            },
            400,
        ),
    ],
)
def test_what_is_no_decision(served: Served, content: object, status: int) -> None:
    found = served.ask("/api/mark", content)
    assert found[0] == status
    assert b"Traceback" not in found[1]


def test_images_and_thumbnails(served: Served) -> None:
    view = served.json("/api/page?reviewer=anna&queue=all&size=13&block=0&page=0")
    assert len(view["images"]) == 12
    names = set()
    shown = 0
    for row in range(13):
        status, body, headers = served.ask(f"/image/{row}")
        thumbnail = served.ask(f"/thumbnail/{row}")
        assert status == thumbnail[0]
        if status == 200:
            shown += 1
            assert body.startswith(b"\xff\xd8\xff")
            assert headers["content-type"] == "image/jpeg"
            names.add(headers["x-image-name"])
            assert thumbnail[1].startswith(b"\xff\xd8\xff")
    assert shown == 12
    assert any("onerror" in name for name in names)


def test_workers_leave_the_server_its_core(served: Served) -> None:
    psutil = pytest.importorskip("psutil")
    assert served.ask("/thumbnail/0")[0] == 200  # a worker has made it
    server = psutil.Process(served.pid)
    assert min(19, server.nice() + 10) in [one.nice() for one in server.children()]


def test_another_type_of_body(served: Served) -> None:
    """What forms of other pages can send is no JSON."""
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "text/plain"}
    assert served.ask("/api/undo", b'{"id": "aaaaaaaaaa"}', headers)[0] == 415


def test_token_is_the_owners_alone(served: Served) -> None:
    path: Path = served.out / "token"
    assert path.stat().st_mode & 0o777 == 0o600


def test_heads_of_answers_do_not_wait_for_their_bodies() -> None:
    """Which takes 40 ms each, where asyncio does not know a socket for TCP."""
    from pass_dataset.curate.review.serving import Address, listening

    async def is_quick() -> bool:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there = writer.get_extra_info("socket")
            found.set_result(there.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with contextlib.closing(listening(Address(port=0))) as place:
            async with await asyncio.start_server(accepted, sock=place):
                _, writer = await asyncio.open_connection(*place.getsockname())
                is_set = await found
                writer.close()
        return bool(is_set)

    assert asyncio.run(is_quick())


def test_port_that_is_taken(served: Served, tmp_path: Path) -> None:
    from pass_dataset.curate.review.serving import Address, listening
    from pass_dataset.errors import CurationError

    with pytest.raises(CurationError, match="give another --port"):
        listening(Address(port=served.port))
