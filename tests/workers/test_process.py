from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pass_dataset.workers.process import WorkerProcess

ECHO = """
import json, sys
def main(first, second):
    print(json.dumps({"arguments": [first, second]}), flush=True)
    for line in sys.stdin:
        if line == "die\\n":
            sys.exit("too tired")
        print(json.dumps({"line": line}), flush=True)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "echoing_worker.py").write_text(ECHO)
    # What this process finds, the worker finds.
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return "echoing_worker"


def replies(worker: WorkerProcess, count: int) -> list[object]:
    found: list[object] = []
    while len(found) < count:
        said = worker.replies()
        assert said is not None
        found += said
    return found


def test_lines_in_and_out(module: str) -> None:
    worker = WorkerProcess(module, ["it's", "a\nb"])
    worker.send("café")
    assert replies(worker, 2) == [{"arguments": ["it's", "a\nb"]}, {"line": "café\n"}]
    worker.end(kill=False)


def test_death_is_told_with_its_last_words(module: str, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("of an earlier worker\n")
    worker = WorkerProcess(module, ["a", "b"], log=log)
    worker.send("die")
    replies(worker, 1)
    assert worker.replies() is None
    assert worker.death() == "exit code 1: too tired"
    worker.end(kill=False)
    assert log.read_text() == "of an earlier worker\ntoo tired\n"


def test_death_without_a_word(module: str, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("of an earlier worker\n")
    worker = WorkerProcess(module, ["a", "b"], log=log)
    worker._process.kill()
    while worker.replies() is not None:
        pass
    assert worker.death() == "killed by signal 9, as the system does where memory runs out"
    worker.send("nobody hears this")
    worker.end(kill=True)
