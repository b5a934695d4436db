"""Workers end with the process that started them, even where C code keeps all threads waiting."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

STUCK = """
import ctypes, json, os
def main():
    print(json.dumps({"pid": os.getpid()}), flush=True)
    # Unlike CDLL, this does not let go of the interpreter: no other thread runs.
    ctypes.PyDLL(None).sleep(600)
"""
PARENT = """
import sys, threading, time
from pass_dataset.workers.process import WorkerProcess
def start():
    worker = WorkerProcess("stuck_worker", [])
    said = []
    while not said:
        said = list(worker.replies())
    print(said[0]["pid"], flush=True)
    return worker
if sys.argv[1] == "main":
    kept = start()
else:
    kept = []
    threading.Thread(target=lambda: kept.append(start())).start()
time.sleep(600)
"""


def is_there(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("thread", ["main", "another"])
def test_worker_that_is_stuck_ends_with_its_parent(tmp_path: Path, thread: str) -> None:
    (tmp_path / "stuck_worker.py").write_text(STUCK)
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(tmp_path)])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, thread],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    assert is_there(worker)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not is_there(worker))


def test_thread_that_started_a_worker_may_end_before_it(tmp_path: Path) -> None:
    """Linux would kill the worker with it."""
    (tmp_path / "echo_worker.py").write_text(
        "import sys\ndef main():\n    print(sys.stdin.readline().strip())\n"
    )
    code = """
import threading
from pass_dataset.workers.process import WorkerProcess
kept = []
thread = threading.Thread(target=lambda: kept.append(WorkerProcess("echo_worker", [])))
thread.start(); thread.join()
worker = kept[0]
worker.send('{"line": 1}')
said = []
while not said:
    said = list(worker.replies())  # None if it is dead
assert said == [{"line": 1}]
worker.end(kill=False)
"""
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(tmp_path)])
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": path})


def test_worker_whose_parent_is_gone_before_it_looks() -> None:
    code = "from pass_dataset.workers.lifeline import hold_on; hold_on('1:'); print('goes on')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
