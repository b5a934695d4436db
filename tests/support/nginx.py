"""A real web server on loopback, with a log of what it was asked for."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent.parent.parent / "scripts" / "benchmarks"


@dataclass(frozen=True)
class Nginx:
    """A running server; `folder` is what it serves."""

    url: str
    folder: Path

    def asked(self) -> list[Any]:
        """The answers so far, once the last of them is over and in the log."""
        from webserver import answers

        before: list[Any] = []
        for _ in range(50):
            time.sleep(0.1)
            now = answers(self.folder.parent)
            if now == before:
                break
            before = list(now)
        return before

    def sent_bytes(self, suffix: str = ".tar") -> int:
        """Bytes sent of files with this ending."""
        return sum(answer.sent_bytes for answer in self.asked() if answer.name.endswith(suffix))

    def forget(self) -> None:
        """Empties the log."""
        self.asked()
        (self.folder.parent / "access.log").write_text("")


@contextlib.contextmanager
def running(prefix: Path) -> Iterator[Nginx]:
    """Starts nginx on the folder `served` in `prefix`; skips the test where there is none."""
    if str(SCRIPTS) not in sys.path:
        sys.path.append(str(SCRIPTS))
    from measurement import BenchmarkError
    from webserver import find_nginx, free_port, nginx

    try:
        program = find_nginx()
    except BenchmarkError as error:
        pytest.skip(str(error))
    (prefix / "served").mkdir(parents=True, exist_ok=True)
    port = free_port()
    with nginx(program, prefix, port, log=True):
        yield Nginx(f"http://127.0.0.1:{port}", prefix / "served")
