"""Commands that are disturbed: killed at every step, cut from power, run two at a time.

A step is what changes a name or makes bytes last: a rename, the removal of a file or folder, a
link, an fsync. Steps are found by watching a command (an audit hook sees what Python does with
names, whoever calls it), not by a list, so that commands and steps to come are tried as well.

- `killed`: the process and all that it has started are killed as it begins its so many-th step.
- `recorded`: the command is not disturbed, and before each step a copy is kept of what a disk would
  have if the power failed then: every file has the bytes of its last fsync, and none if there was
  none; ``names lost``: nor do the renames and removals last that no fsync of their folder followed.
- `filled`: from its so many-th step on the disk is full: files get neither names nor bytes more.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Ended", "copied", "filled", "install", "killed", "recorded", "together", "undisturbed"]

_HERE = Path(__file__).resolve().parent
#: What sees to names, by its name in the audit hook, and where the name stands that it changes.
_EVENTS = {"os.rename": 1, "os.remove": 0, "os.rmdir": 0, "os.link": 1, "os.symlink": 1}
#: What is done on a full disk too.
_REMOVALS = ("os.remove", "os.rmdir")


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
      code: its exit status; of a signal, negative.
      output: what it said.
      steps: what it did: ``("os.rename", "/…/export.json")``.
    """

    code: int
    output: str
    steps: tuple[tuple[str, str], ...]


# --- in the process that is watched ---------------------------------------------------------------


class _Watch:
    """Counts steps of this process and of all that share its log; kills or records at each."""

    def __init__(self) -> None:
        self.log, self.root = Path(os.environ["DISTURBED_LOG"]), Path(os.environ["DISTURBED_ROOT"])
        self.kill_at = int(os.environ.get("DISTURBED_KILL_AT", "0"))
        self.full_from = int(os.environ.get("DISTURBED_FULL_FROM", "0"))
        self.disk = None if self.kill_at else _Disk(self.log.with_suffix(".disk"), self.root)
        self._mine = threading.local()

    @property
    def is_busy(self) -> bool:
        """True while this thread does what is no step."""
        return getattr(self._mine, "is_busy", False)

    def step(self, kind: str, *paths: str) -> None:
        path = _absolute(paths[-1])
        if self.is_busy or not Path(path).is_relative_to(self.root):
            return
        self._mine.is_busy = True
        try:
            with self.log.open("a+") as log:
                fcntl.flock(log, fcntl.LOCK_EX)
                log.seek(0)
                number = len(log.readlines()) + 1
                log.write(json.dumps([kind, path]) + "\n")
                log.flush()
                if number == self.kill_at:
                    # A worker may be in a group of its own; the others end with their parent.
                    os.killpg(int(os.environ["DISTURBED_GROUP"]), signal.SIGKILL)
                    os.killpg(os.getpgid(0), signal.SIGKILL)
                if self.disk is not None and "DISTURBED_RECORD" in os.environ:
                    self.disk.keep(number)
                    self.disk.change(kind, *map(_absolute, paths))
        finally:
            self._mine.is_busy = False
        if 0 < self.full_from <= number and kind not in _REMOVALS:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


class _Disk:
    """What would be on the disk; kept in files, as several processes write."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder, self.root = folder, root
        if folder.exists() or "DISTURBED_RECORD" not in os.environ:
            return
        folder.mkdir()
        for path in root.rglob("*"):
            if path.is_file():
                shutil.copyfile(path, self._synced(path))

    def _synced(self, path: Path) -> Path:
        return self.folder / f"synced {path.stat().st_ino}"

    def change(self, kind: str, *paths: str) -> None:
        """Takes a step, just before it is done."""
        last = Path(paths[-1])
        if kind == "fsync":
            if last.is_dir():
                self._undone([one for one in self._todo() if Path(one[-1]).parent != last])
            elif last.exists():
                shutil.copyfile(last, self._synced(last))
            return
        backup = None
        if last.is_file() and not last.is_symlink():
            backup = os.fspath(self.folder / f"backup {len(self._todo())} {last.stat().st_ino}")
            kept = self._synced(last)
            if kept.exists():
                shutil.move(kept, backup)  # its number may be given to another file
            else:
                Path(backup).touch()
        if kind != "os.rmdir":
            self._undone([*self._todo(), [kind, backup, *paths]])

    def _todo(self) -> list[list[Any]]:
        path = self.folder / "undo.json"
        return json.loads(path.read_text()) if path.exists() else []

    def _undone(self, todo: list[list[Any]]) -> None:
        (self.folder / "undo.json").write_text(json.dumps(todo))

    def keep(self, number: int) -> None:
        """Copies of the disk as it would be now."""
        bytes_lost = self.folder / f"{number} bytes lost"
        while True:
            try:
                copied(self.root, bytes_lost, self._copy_file)
                break
            except FileNotFoundError:  # renamed meanwhile: the step of another thread is being done
                shutil.rmtree(bytes_lost)
        todo = self._todo()
        if todo:
            names_lost = self.folder / f"{number} names lost"
            copied(bytes_lost, names_lost)
            for kind, backup, *paths in reversed(todo):
                self._undo(names_lost, kind, backup, *paths)

    def _copy_file(self, path: Path, copy: Path) -> None:
        kept = self._synced(path)
        if kept.exists():
            shutil.copyfile(kept, copy)
        else:
            copy.touch()
        shutil.copystat(path, copy)

    def _undo(self, disk: Path, kind: str, backup: str | None, *paths: str) -> None:
        places = [disk / Path(path).relative_to(self.root) for path in paths]
        with contextlib.suppress(OSError):  # the folder itself may be gone since
            if kind == "os.rename":
                os.replace(places[1], places[0])
            elif kind in ("os.link", "os.symlink"):
                places[-1].unlink()
            if backup is not None:
                places[-1].unlink(missing_ok=True)  # other names of it keep what they have
                shutil.copyfile(backup, places[-1])


def copied(
    source: Path, target: Path, copy_file: Callable[[Path, Path], object] = shutil.copy2
) -> None:
    """Copies a folder to where none is; links lead where they led, names of one file stay such."""
    names: dict[int, Path] = {}

    def copy(folder: Path, into: Path) -> None:
        into.mkdir()
        for entry in os.scandir(folder):
            path, there = Path(entry.path), into / entry.name
            if entry.is_symlink():
                there.symlink_to(path.readlink())
            elif entry.is_dir():
                copy(path, there)
            elif entry.inode() in names:
                there.hardlink_to(names[entry.inode()])
            else:
                copy_file(path, there)
                names[entry.inode()] = there

    copy(source, target)


def install() -> None:
    """Watches this process from now on."""
    watch = _Watch()

    def heard(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _EVENTS and not watch.is_busy:
            paths = [_path(one, *arguments[1:]) for one in arguments[: _EVENTS[event] + 1]]
            if None not in paths:
                watch.step(event, *paths)

    def synced(function: Callable[[int], None]) -> Callable[[int], None]:
        def call(handle: int) -> None:
            watch.step("fsync", _opened(handle))
            function(handle)

        return call

    sys.addaudithook(heard)
    os.fsync, os.fdatasync = synced(os.fsync), synced(os.fdatasync)


def _path(given: Any, *folders: Any) -> str | None:
    """A path as text; of one that is told from an open folder, from there."""
    path = os.fsdecode(given)
    handle = next((one for one in folders if isinstance(one, int) and one >= 0), None)
    if handle is not None and not path.startswith("/"):
        with contextlib.suppress(OSError):
            return f"{_opened(handle)}/{path}"
        return None
    return path


def _opened(handle: int) -> str:
    return os.fspath(Path(f"/proc/self/fd/{handle}").readlink())


def _absolute(path: str) -> str:
    # Not resolved: a link is a name too.
    return os.path.normpath(f"{Path.cwd()}/{path}" if not path.startswith("/") else path)


# --- in the test ----------------------------------------------------------------------------------


def _begin(command: Sequence[str], root: Path, log: Path, **named: str) -> int:
    """A process that does a command, forked to be quick: everything is imported already."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        out = os.open(log.with_suffix(".out"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        os.environ |= {
            "DISTURBED_LOG": str(log),
            "DISTURBED_ROOT": str(root),
            "DISTURBED_GROUP": str(os.getpid()),
            "DISTURBED_TESTS": str(_HERE.parent.parent),
            "PYTHONPATH": os.pathsep.join(
                [str(_HERE / "hooked"), *filter(None, [os.environ.get("PYTHONPATH")])]
            ),
            **named,
        }
        install()
        from pass_dataset.commands.main import main
        from pass_dataset.commands.passify.main import main as passify

        code = passify(command[1:]) if command[0] == "passify" else main(command)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:  # on a full disk too: what goes on from here would be the tests, a second time
            os._exit(code)
    raise AssertionError


def _end(pid: int, log: Path) -> Ended:
    _, status = os.waitpid(pid, 0)
    lines = log.read_text().splitlines() if log.exists() else []
    steps = [tuple(json.loads(line)) for line in lines]
    output = log.with_suffix(".out").read_text(errors="replace")
    return Ended(os.waitstatus_to_exitcode(status), output, tuple(steps))


def undisturbed(command: Sequence[str], root: Path, log: Path) -> Ended:
    """A command done; `log` names a file that is not there yet."""
    return _end(_begin(command, root, log, DISTURBED_KILL_AT="-1"), log)


def together(commands: Sequence[Sequence[str]], root: Path, log: Path) -> list[Ended]:
    """Several at once."""
    logs = [log.with_name(f"{log.name} {number}") for number in range(len(commands))]
    pids = [
        _begin(command, root, one, DISTURBED_KILL_AT="-1")
        for command, one in zip(commands, logs, strict=True)
    ]
    return [_end(pid, one) for pid, one in zip(pids, logs, strict=True)]


def killed(command: Sequence[str], root: Path, log: Path, step: int) -> Ended:
    """A command killed as it begins its so many-th step, from 1."""
    return _end(_begin(command, root, log, DISTURBED_KILL_AT=str(step)), log)


def filled(command: Sequence[str], root: Path, log: Path, step: int) -> Ended:
    """A command whose disk is full from its so many-th step on, from 1."""
    named = {"DISTURBED_KILL_AT": "-1", "DISTURBED_FULL_FROM": str(step)}
    return _end(_begin(command, root, log, **named), log)


def recorded(
    command: Sequence[str], root: Path, log: Path
) -> tuple[Ended, Iterator[tuple[int, str, Path]]]:
    """A command done, and for each step the disks that a loss of power before it would leave.

    Returns:
      How it ended; and number of the step, kind of loss, and the folder in `root`'s place.
    """
    ended = _end(_begin(command, root, log, DISTURBED_RECORD="1"), log)
    disks = [path for path in log.with_suffix(".disk").iterdir() if path.name.endswith(" lost")]
    numbered = [
        (int(path.name.split(" ", 1)[0]), path.name.split(" ", 1)[1], path) for path in disks
    ]
    return ended, iter(sorted(numbered))
