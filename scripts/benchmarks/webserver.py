"""An nginx on a free port of 127.0.0.1, for the benchmarks and the tests (no root needed)."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measurement import BenchmarkError

START_S = 10.0

# Paths are relative to nginx's prefix (`-p`), which spares their quoting. One process as the
# user who runs this: with a master process, root's workers would run as another user, who may
# not read the served folder.
CONFIGURATION = """\
daemon off;
master_process off;
pid nginx.pid;
error_log nginx-error.log;
events {{ worker_connections 64; }}
http {{
    log_format short '$uri $bytes_sent $connection $http_range';
    access_log {log};
{counted}    sendfile on;
    tcp_nopush on;
    default_type application/octet-stream;
    client_body_temp_path temp-body;
    proxy_temp_path temp-proxy;
    fastcgi_temp_path temp-fastcgi;
    uwsgi_temp_path temp-uwsgi;
    scgi_temp_path temp-scgi;
    server {{
        listen 127.0.0.1:{port};
        root served;
{more}    }}
}}
"""


@dataclass(frozen=True)
class Answered:
    """A line of the access log.

    Attributes:
        name: file that was asked for.
        sent_bytes: of the answer, its head included.
        connection: number of the connection; several requests may come over one.
        asked: the Range header, or `-`.
    """

    name: str
    sent_bytes: int
    connection: int
    asked: str


def find_nginx() -> str:
    """The nginx program; it often stands in a folder that is not on a user's PATH.

    Raises:
        BenchmarkError: there is none.
    """
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BenchmarkError("nginx not found; install it with: apt-get install nginx")
    return found


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


# Only with nginx's module stub_status, which most have.
COUNTED = """\
    log_format counted '$connections_active';
    access_log connections.log counted;
"""


@contextlib.contextmanager
def nginx(
    program: str,
    prefix: Path,
    port: int,
    *,
    log: bool = False,
    counted: bool = False,
    more: str = "",
) -> Iterator[None]:
    """Run nginx in the foreground, serving the folder `served` in `prefix`, until the block ends.

    With `log`, `answers` tells what it was asked for; with `counted`, `most_connections` how many
    connections it had. `more` is more of the server's configuration.

    Raises:
        BenchmarkError: it did not begin to listen.
    """
    configuration = prefix / "nginx.conf"
    text = CONFIGURATION.format(
        port=port,
        # A second log is one more of its kind, and "off" would switch off both.
        log="access.log short" if log else ("/dev/null short" if counted else "off"),
        counted=COUNTED if counted else "",
        more=more,
    )
    configuration.write_text(text, encoding="ascii")
    said = prefix / "nginx-output.log"
    command = [program, "-p", f"{prefix}{os.sep}", "-c", configuration.name]
    with said.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _wait(server, port, said)
        yield
    finally:
        server.terminate()
        server.wait()


def answers(prefix: Path) -> list[Answered]:
    """What nginx has answered so far; a line is written once its answer is over."""
    lines = (prefix / "access.log").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines:
        uri, sent_bytes, connection, asked = line.split(" ", 3)
        found.append(Answered(uri.rpartition("/")[2], int(sent_bytes), int(connection), asked))
    return found


def most_connections(prefix: Path) -> int:
    """Connections that were open at the same moment, at most, since the last call."""
    log = prefix / "connections.log"
    counts = [int(line) for line in log.read_text(encoding="ascii").splitlines()]
    os.truncate(log, 0)
    return max(counts, default=0)


def _wait(server: subprocess.Popen[bytes], port: int, said: Path) -> None:
    """Return once the server listens."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise BenchmarkError(f"nginx does not listen on port {port}: {said.read_text()[-2000:]}")
