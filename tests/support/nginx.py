"""A real web server on loopback, with a log of what it was asked for."""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.waiting import wait_until

SCRIPTS = Path(__file__).parent.parent.parent / "scripts" / "benchmarks"

#: Begins the names that are asked for only to see them in the log.
_LAST = "last-"


@dataclass(frozen=True)
class Nginx:
    """A running server; `folder` is what it serves."""

    url: str
    folder: Path

    def asked(self) -> list[Any]:
        """The answers so far; the log has them all once it has one that was asked for last."""
        from webserver import answers

        last = f"{_LAST}{uuid.uuid4()}"
        requests.get(f"{self.url}/{last}")

        def told() -> list[Any]:
            return answers(self.folder.parent)

        wait_until(lambda: any(answer.name == last for answer in told()))
        return [answer for answer in told() if not answer.name.startswith(_LAST)]

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
