"""The command's own server, as a process that can be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

__all__ = ["Served"]


class Served:
    """`pass-curate review` in a process of its own."""

    def __init__(
        self, source: Path, out: Path | None = None, *options: str, port: int | None = None
    ) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port: int = port or found.getsockname()[1]
        self._command = [sys.executable, "-m", "pass_dataset.curate", "review", str(source)]
        self._command += ["--port", str(self.port), "--workers", "1", *options]
        self._command += [] if out is None else ["--out", str(out)]
        self.out = out or source / "work" / "review"
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdout is not None
        self.link = self._process.stdout.readline().strip()
        assert self.link.startswith("http://"), self.stop()
        self.token = self.link.partition("token=")[2]

    def kill(self) -> None:
        """As `kill -9` does it; its workers end with it."""
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate(timeout=60)

    def stop(self) -> tuple[int, str]:
        """As Ctrl+C does it; exit code, and what it said."""
        self._process.send_signal(signal.SIGINT)
        _, said = self._process.communicate(timeout=60)
        return self._process.returncode, said

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, path: str, content: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers of an answer; the token is sent unless headers are given."""
        given = {"Authorization": f"Bearer {self.token}"} if headers is None else headers
        data = None
        if content is not None:
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            given = {"Content-Type": "application/json", **given}
        request = urllib.request.Request(f"{self.address}{path}", data, given)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), dict(error.headers)

    def json(self, path: str, content: Any = None) -> Any:
        """What is answered."""
        return json.loads(self.ask(path, content)[1])
