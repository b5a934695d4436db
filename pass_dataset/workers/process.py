"""A worker process: told what to do on its standard input, answers on its standard output.

It is started as a command of its own, not forked (libraries with threads of their own do not
outlive a fork) and not by `multiprocessing` (which runs the user's script again where it has no
``__main__`` guard).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pass_dataset.workers.lifeline import Lifeline

__all__ = ["WorkerProcess"]

#: Seconds that a worker is given to end by itself.
_END_S = 5.0
#: The end of what a worker said that is looked at when it has died.
_TAIL_BYTES = 4096

#: The worker sees the modules that this process sees, and nothing else: not what happens to lie in
#: the folder it is started in.
#: What is imported stays: it is not looked through for garbage meanwhile, nor later.
_START = (
    "import gc, importlib, json, sys; gc.disable(); sys.path[:] = json.loads(sys.argv[2]); "
    "from pass_dataset.workers.lifeline import hold_on; hold_on(sys.argv[3]); "
    "worker = importlib.import_module(sys.argv[1]); gc.freeze(); gc.enable(); "
    "worker.main(*sys.argv[4:])"
)


class WorkerProcess:
    """One process that runs ``main`` of a module; lines in, lines of JSON out."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts it.

        Args:
          module: whose ``main`` is called.
          arguments: what it is called with.
          log: file that what it says on standard error is added to; None: kept until it ends.
          environment: variables beside those of this process.
        """
        self._pending = b""
        # A file, not a pipe: nobody reads it before the end, and a full pipe would stop the worker.
        # Closed by `end`.
        self._stderr: IO[bytes] = (
            tempfile.TemporaryFile() if log is None else log.open("ab+")  # noqa: SIM115
        )
        self._stderr_start = self._stderr.seek(0, os.SEEK_END)
        self._lifeline = Lifeline()
        told = [module, json.dumps(sys.path), self._lifeline.argument, *arguments]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *told],
            pass_fds=self._lifeline.handles,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=None if environment is None else {**os.environ, **environment},
            # Ctrl-C reaches the process that waits, which then ends its workers.
            start_new_session=True,
        )
        self._lifeline.started()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self.stdout = self._process.stdin, self._process.stdout

    def send(self, line: str) -> None:
        """Sends a line."""
        # If it is dead already, reading from it will say so.
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(line.encode() + b"\n")
            self._stdin.flush()

    def replies(self) -> Iterator[dict[str, Any]] | None:
        """What it said since; None if it is gone."""
        data = os.read(self.stdout.fileno(), 1 << 16)
        if not data:
            return None
        *lines, self._pending = (self._pending + data).split(b"\n")
        return map(json.loads, lines)

    def death(self) -> str:
        """Why it is gone."""
        code = self._process.wait()
        end = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(self._stderr_start, end - _TAIL_BYTES))
        said = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f"{_how(code)}{': ' + said[-1] if said else ''}"

    def end(self, *, kill: bool) -> None:
        """Waits until it has ended; with `kill`, whatever it is doing."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        if kill:
            self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._lifeline.let_go()
        self.stdout.close()
        self._stderr.close()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    if -code == signal.SIGKILL:
        return "killed by signal 9, as the system does where memory runs out"
    return f"killed by signal {-code}"
