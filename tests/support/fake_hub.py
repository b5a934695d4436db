"""A server on loopback that plays the Hugging Face Hub as far as uploads need it.

It tells the client to send all files as regular ones, within the commit, so that what arrives can
be compared; the Hub's own storage (Xet) is not played.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

TOKEN = "hf_of_a_test"


@dataclass
class FakeHub:
    """Use it as a context manager; `url` is the endpoint.

    Attributes:
      may_write: False: answers 403 to a commit.
      role: of the token, as its owner set it.
      fail_commits: answers 500 to so many commits, then takes them.
      calls: method and path of every request, in order.
      repositories: name to whether it is private.
      branches: of the repository, to the content of their files by path.
    """

    may_write: bool = True
    role: str = "write"
    fail_commits: int = 0
    calls: list[str] = field(default_factory=list)
    repositories: dict[str, bool] = field(default_factory=dict)
    branches: dict[str, dict[str, bytes]] = field(default_factory=lambda: {"main": {}})

    def __enter__(self) -> FakeHub:
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.hub = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hub: FakeHub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        hub = self.server.hub
        path = self.path.partition("?")[0]
        with hub.lock:
            hub.calls.append(f"{self.command} {path}")
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self._send(401, {"error": "Invalid username or password."})
                return
            for pattern, reply in _ROUTES.items():
                match = re.fullmatch(pattern, f"{self.command} {path}")
                if match:
                    self._send(*reply(hub, body, *match.groups()))
                    return
        self._send(404, {"error": f"not played: {self.command} {path}"})

    def _send(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


Reply = tuple[int, Any]


def _whoami(hub: FakeHub, body: bytes) -> Reply:
    return 200, {"type": "user", "name": "tester", "auth": {"accessToken": {"role": hub.role}}}


def _validate(hub: FakeHub, body: bytes) -> Reply:
    import yaml

    content = json.loads(body)["content"]
    head = yaml.safe_load(content.split("---")[1])
    missing = [name for name in ("configs", "dataset_info") if name not in head]
    return 200, {"errors": [{"message": f"no {name}"} for name in missing], "warnings": []}


def _create(hub: FakeHub, body: bytes) -> Reply:
    asked = json.loads(body)
    organization = asked.get("organization")
    name = f"{organization}/{asked['name']}" if organization else asked["name"]
    private = bool(asked.get("private") or asked.get("visibility") == "private")
    hub.repositories.setdefault(name, private)
    return 200, {"url": f"{hub.url}/datasets/{name}", "name": name}


def _branch(hub: FakeHub, body: bytes, repo: str, branch: str) -> Reply:
    if branch in hub.branches:
        return 409, {"error": "exists"}
    hub.branches[branch] = dict(hub.branches["main"])
    return 200, {}


def _info(hub: FakeHub, body: bytes, repo: str, branch: str | None = None) -> Reply:
    files = [{"rfilename": path} for path in hub.branches[branch or "main"]]
    return 200, {"id": repo, "sha": "0" * 40, "siblings": files, "private": False}


def _tree(hub: FakeHub, body: bytes, repo: str, branch: str) -> Reply:
    return 200, [
        {"type": "file", "path": path, "oid": _oid(data), "size": len(data)}
        for path, data in hub.branches[branch].items()
    ]


def _preupload(hub: FakeHub, body: bytes, repo: str, branch: str) -> Reply:
    present = hub.branches[branch]
    return 200, {
        "files": [
            {
                "path": file["path"],
                "uploadMode": "regular",
                "shouldIgnore": False,
                "oid": _oid(present[file["path"]]) if file["path"] in present else None,
            }
            for file in json.loads(body)["files"]
        ]
    }


def _commit(hub: FakeHub, body: bytes, repo: str, branch: str) -> Reply:
    if not hub.may_write:
        return 403, {"error": "You have read access but not the required permissions."}
    if hub.fail_commits:
        hub.fail_commits -= 1
        return 500, {"error": "Internal Server Error"}
    for line in map(json.loads, body.splitlines()):
        if line["key"] == "file":
            data = base64.b64decode(line["value"]["content"])
            hub.branches[branch][line["value"]["path"]] = data
    return 200, {"commitUrl": f"{hub.url}/datasets/{repo}/commit/1", "commitOid": "1" * 40}


def _oid(data: bytes) -> str:
    """As git names a blob."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


_ROUTES: dict[str, Callable[..., Reply]] = {
    r"GET /api/whoami-v2": _whoami,
    r"POST /api/validate-yaml": _validate,
    r"POST /api/repos/create": _create,
    r"POST /api/datasets/(.+)/branch/(.+)": _branch,
    r"GET /api/datasets/([^/]+/[^/]+)": _info,
    r"GET /api/datasets/(.+)/revision/(.+)": _info,
    r"GET /api/datasets/(.+)/tree/(.+)": _tree,
    r"POST /api/datasets/(.+)/preupload/(.+)": _preupload,
    r"POST /api/datasets/(.+)/commit/(.+)": _commit,
}
