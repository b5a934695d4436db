from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pass_dataset.errors import RunError
from pass_dataset.workers.pool import Pool, Reply, Worker

#: Squares numbers. Told one that is in its folder by name, it dies, once.
SQUARES = """
import os, sys
from pathlib import Path
from pass_dataset.workers.giver import Giver
def main(folder):
    giver = Giver()
    print("a library says hello")
    for line in giver.lines():
        number = int(line)
        deadly = Path(folder, f"deadly {number}")
        if deadly.exists():
            deadly.unlink()
            sys.stderr.write("too hot\\n")
            os._exit(3)
        giver.tell(begun=number, by=os.getpid())
        giver.answer(square=number**2)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "squaring_worker.py").write_text(SQUARES)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return "squaring_worker"


class Squarer(Worker[int]):
    def line(self, piece: int) -> str:
        return str(piece)


class Squares(Pool[Squarer, int, int]):
    def __init__(self, pieces: Sequence[int], module: str, folder: Path) -> None:
        super().__init__(pieces)
        self.module, self.folder = module, folder
        self.started: list[int] = []
        self.processes: set[int] = set()
        self.deaths: list[tuple[int, int | None, str]] = []

    def start(self, number: int) -> Squarer:
        self.started.append(number)
        return Squarer(self.module, [os.fspath(self.folder)])

    def take_in(self, worker: Squarer, reply: Reply) -> Iterator[int]:
        if "begun" in reply:
            self.processes.add(reply["by"])
            return
        assert worker.piece is not None
        assert reply["square"] == worker.piece**2
        if reply["square"] == 113**2:
            raise RunError("an unlucky number")
        worker.piece = None
        yield reply["square"]

    def bury(self, worker: Squarer, how: str) -> Iterator[int]:
        self.deaths.append((worker.number, worker.piece, how))
        assert worker.piece is not None
        self.waiting.appendleft(worker.piece)
        yield -1


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_all_pieces_are_done(module: str, tmp_path: Path) -> None:
    pool = Squares(range(20), module, tmp_path)
    assert sorted(pool.run(3)) == [number**2 for number in range(20)]
    assert pool.started == [0, 1, 2]
    assert not any(map(is_alive, pool.processes))


def test_no_more_processes_than_pieces(module: str, tmp_path: Path) -> None:
    pool = Squares([5], module, tmp_path)
    assert list(pool.run(8)) == [25]
    assert pool.started == [0]
    assert list(Squares([], module, tmp_path).run(8)) == []


def test_another_process_takes_over(module: str, tmp_path: Path) -> None:
    for number in (1, 3):
        (tmp_path / f"deadly {number}").touch()
    pool = Squares(range(5), module, tmp_path)
    found = list(pool.run(1))
    assert [square for square in found if square >= 0] == [0, 1, 4, 9, 16]
    assert pool.deaths == [(0, 1, "exit code 3: too hot"), (0, 3, "exit code 3: too hot")]
    assert pool.started == [0, 0, 0]


def test_an_error_ends_all(module: str, tmp_path: Path) -> None:
    pool = Squares(range(100, 140), module, tmp_path)
    with pytest.raises(RunError, match="unlucky"):
        list(pool.run(2))
    assert not any(map(is_alive, pool.processes))


def test_who_stops_listening_ends_all(module: str, tmp_path: Path) -> None:
    pool = Squares(range(1000), module, tmp_path)
    results = pool.run(2)
    next(results)
    assert isinstance(results, Iterator)
    results.close()  # type: ignore[attr-defined]  # a generator
    assert not any(map(is_alive, pool.processes))


# --- giver ----------------------------------------------------------------------------------------

#: Waits for ever on what it is given; says its process's number first.
SLEEPER = """
import os, time
from pass_dataset.workers.giver import Giver
def main():
    giver = Giver()
    for line in giver.lines():
        giver.tell(by=os.getpid())
        time.sleep(600)
"""

PARENT = """
from pass_dataset.workers.process import WorkerProcess
worker = WorkerProcess("sleeping_worker", [])
worker.send("sleep")
(said,) = worker.replies()
print(said["by"], flush=True)
input()
"""


def test_a_busy_worker_ends_with_its_giver(tmp_path: Path) -> None:
    (tmp_path / "sleeping_worker.py").write_text(SLEEPER)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.send_signal(signal.SIGKILL)
    until = time.monotonic() + 60
    while is_alive(worker) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(worker)
