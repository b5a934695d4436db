"""Every command that writes: killed or out of disk at each step, cut from power, beside others.

Whatever happened, the same command again ends as if nothing had. A few of all steps and pairs are
tried, others in each part; all of them with ``PASS_ALL_STEPS=1``. ``pytest -s`` prints the table.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import itertools
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet
import pytest
from PIL import Image

from pass_dataset.archives.integrity import verify
from pass_dataset.builds.purging.receipt import PurgeReceipt
from pass_dataset.builds.writing.plan import work_folder
from pass_dataset.folders.receipt import Receipt
from pass_dataset.folders.state import (
    HOLDER_NAME,
    INDEX_NAME,
    LOCK_NAME,
    PURGE_RECEIPT_NAME,
    RECEIPT_NAME,
    REMOVALS_NAME,
)
from tests.support.collection import Collection
from tests.support.disturbed import Ended, copied, filled, killed, recorded, together, undisturbed
from tests.support.passify import DETECTORS, picture, write_files

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"),
]

_ALL = os.environ.get("PASS_ALL_STEPS") == "1"
#: Steps of a command that are tried if not all are, of each sort of disturbance; pairs in all.
_STEPS, _PAIRS = 3, 8


@dataclass(frozen=True)
class Command:
    """A command that writes.

    Attributes:
      name: how it is called.
      line: its arguments; ``{}`` stands for the folder that all of it is in.
      before: commands that come first.
      imports: libraries that take long to import: they are, before processes are forked.
    """

    name: str
    line: str
    before: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()

    def arguments(self, root: Path) -> list[str]:
        return _arguments(self.line, root)


def _arguments(line: str, root: Path) -> list[str]:
    return [one.replace("{}", str(root)) for one in line.split()]


_RELEASE = "--release {}/mine.tsv"
_BUILD = f"--archives {{}}/archives {_RELEASE} --workers 1"
_TFDS = f"build tfds --data-dir {{}}/tfds {_BUILD}"
_REMOVE = f"remove --list {{}}/gone.txt {_RELEASE} {{}}/archives"
_VERIFY = f"verify {{}}/archives {_RELEASE}"
_DETECT = f"{' '.join(DETECTORS)} --workers 1"
_RUN = f"passify run {{}}/photos --out {{}}/run --shard-size 4 {_DETECT}"
_RUN_OF_ARCHIVES = f"passify run {{}}/archives --out {{}}/run2 --shard-size 6 {_DETECT}"
COMMANDS = (
    Command("download", f"download {{}}/got {_RELEASE} --mirror file://{{}}/archives"),
    Command("verify", _VERIFY),
    Command("index", f"index {{}}/archives {_RELEASE} --rebuild"),
    Command("checksums", "checksums {}/archives --version 1.0.0 --name x --out {}/x.tsv"),
    Command("remove", _REMOVE),
    Command("remove --clear", f"remove --clear {_RELEASE} {{}}/archives", (_REMOVE,)),
    Command("purge", f"purge --list {{}}/gone.txt {_RELEASE} {{}}/archives"),
    Command("build parquet", f"build parquet --out {{}}/parquet {_BUILD}"),
    Command("build webdataset", f"build webdataset --out {{}}/webdataset {_BUILD}"),
    Command("build tfds", _TFDS, imports=("tensorflow_datasets",)),
    Command(
        "purge of parquet",
        "purge --list {}/gone.txt {}/parquet",
        (f"build parquet --out {{}}/parquet {_BUILD}",),
    ),
    Command(
        "purge of webdataset",
        "purge --list {}/gone.txt {}/webdataset",
        (f"build webdataset --out {{}}/webdataset {_BUILD}",),
    ),
    Command(
        "credits",
        f"credits --archives {{}}/archives {_RELEASE} --all --format csv --out {{}}/c.csv",
    ),
    Command("stats", f"stats {{}}/archives {_RELEASE} --out {{}}/stats.html"),
    Command("diff", "diff {}/older.csv {}/archives/pass_metadata.csv --out {}/diff.txt"),
    Command("croissant", f"croissant {_RELEASE} --archives {{}}/archives --out {{}}/c.json"),
    Command("passify run", _RUN),
    Command("passify run of archives", _RUN_OF_ARCHIVES, (_VERIFY,)),
    Command("passify report", "passify report {}/run", (_RUN,)),
    Command("passify export of files", "passify export {}/run --to {}/kept --as copy", (_RUN,)),
    Command("passify export of links", "passify export {}/run --to {}/kept --as hardlink", (_RUN,)),
    Command(
        "passify export of tars",
        "passify export {}/run2 --to {}/kept --as tar --shard-size 4",
        (_VERIFY, _RUN_OF_ARCHIVES),
    ),
    Command(
        "purge of tfds",
        "purge --list {}/gone.txt {}/tfds",
        (_TFDS,),
        imports=("tensorflow_datasets",),
    ),
    Command(
        "catalog",
        "catalog --data-dir {}/tfds --out {}/catalog.html",
        (_TFDS,),
        imports=("tensorflow_datasets", "tensorflow"),
    ),
)
NAMES = [command.name for command in COMMANDS]


def photograph(number: int) -> bytes:
    """A JPEG that can be decoded; every second one has a painted face or person."""
    painted = picture(0.8 * (number % 4 == 1), 0.8 * (number % 4 == 3), seed=number)
    file = io.BytesIO()
    Image.open(io.BytesIO(painted)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Command], Path]:
    """The folder as a command finds it; always the same path, as plans name the archives by it."""
    base = tmp_path_factory.mktemp("disturbed")
    first = base / "first"
    made = Collection(first / "archives", tars=2, per_tar=6, body=photograph)
    made.describe()
    shutil.move(made.tsv, first / "mine.tsv")
    (first / "gone.txt").write_text("\n".join([*made.hashes[2:4], made.hashes[9], ""]))
    lines = made.csv.read_text().splitlines(keepends=True)
    (first / "older.csv").write_text("".join(lines[:-2]))
    photographs = {f"{number % 2}/{number}.jpg": photograph(number) for number in range(8)}
    write_files(first / "photos", photographs)

    def prepare(command: Command) -> Path:
        root, kept = base / "root", base / f"before {command.name}"
        for name in command.imports:
            importlib.import_module(name)
        shutil.rmtree(root, ignore_errors=True)
        if not kept.exists():
            copied(base / "first", root)
            for number, line in enumerate(command.before):
                log = base / f"{command.name} {number}"
                assert undisturbed(_arguments(line, root), root, log).code == 0
            shutil.move(root, kept)
        copied(kept, root)
        return root

    return prepare


#: What is the same of a shard whenever it is done, of all that its marker says.
_SHARD_FACTS = ("shard", "images", "outcomes")
#: When a page was written, as its foot says.
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")


def state(root: Path) -> dict[str, object]:
    """All files of a folder, without the times and lists' origins that no two runs share."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        if not path.is_file() or path.name in (LOCK_NAME, HOLDER_NAME, INDEX_NAME):
            continue
        if path.name.startswith(f".{HOLDER_NAME}."):
            continue  # swept by who holds the folder next
        name = str(path.relative_to(root))
        if path.parent.name == "logs":
            continue  # of each process that worked on it
        if path.parent.name == "done":
            shard = json.loads(path.read_text())
            found[name] = {key: shard[key] for key in _SHARD_FACTS}
        elif path.parent.name == "results":
            table = pyarrow.parquet.read_table(path)
            found[name] = table.drop_columns(["processed_at"]).to_pylist()
        elif path.suffix == ".html":
            found[name] = _WRITTEN.sub("", path.read_text())
        elif path.name == RECEIPT_NAME:
            entries = Receipt.load(path.parent).entries
            found[name] = {file: entry.sha256 for file, entry in entries.items()}
        elif path.name == PURGE_RECEIPT_NAME:
            (purge,) = PurgeReceipt.load(path.parent).purges
            found[name] = (purge.finished is not None, purge.hashes, purge.files)
        elif path.name == REMOVALS_NAME:
            lines = path.read_text().splitlines()
            found[name] = sorted(line for line in lines if not line.startswith("#"))
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def again(command: Command, root: Path, log: Path, expected: dict[str, object], what: str) -> None:
    """The same command once more ends as an undisturbed one does."""
    ended = undisturbed(command.arguments(root), root, log)
    assert ended.code == 0, f"{what}: {ended.output[-600:]}"
    found = state(root)
    different = sorted(
        name for name in {*found, *expected} if found.get(name) != expected.get(name)
    )
    assert not different, f"{what}: {different}"


def chosen(total: int, command: Command) -> list[int]:
    """Which of so many are tried, from 1: all, or a few that are the same in each run."""
    numbers, salt = list(range(1, total + 1)), command.name
    count = _STEPS - 1 if command.imports else _STEPS  # those take long
    if _ALL or total <= count:
        return numbers
    # The last steps, where names are given, are the ones that matter most.
    numbers.sort(key=lambda one: hashlib.sha256(f"{salt} {one}".encode()).digest())
    return sorted({total, *numbers[: count - 1]})


def planned(command: Command, root: Path, log: Path) -> tuple[Ended, dict[str, object], list[int]]:
    """How an undisturbed command ends, what is there then, and the steps at which it is tried."""
    whole = undisturbed(command.arguments(root), root, log)
    assert whole.code == 0, whole.output
    assert whole.steps
    return whole, state(root), chosen(len(whole.steps), command)


def kinds(ended: Ended) -> str:
    counts = {kind: 0 for kind, _ in ended.steps}
    for kind, _ in ended.steps:
        counts[kind] += 1
    return ", ".join(f"{count} {kind.rpartition('.')[2]}" for kind, count in sorted(counts.items()))


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_killed_at_any_step(
    command: Command, prepared: Callable[[Command], Path], tmp_path: Path
) -> None:
    whole, expected, tried = planned(command, prepared(command), tmp_path / "whole")
    for step in tried:
        root = prepared(command)
        ended = killed(command.arguments(root), root, tmp_path / f"killed {step}", step)
        assert ended.code < 0, ended.output
        what = f"killed at step {step}, {' '.join(ended.steps[-1])}"
        again(command, root, tmp_path / f"after {step}", expected, what)
    print(
        f"\n{command.name} | killed | {len(tried)} of {len(whole.steps)} ({kinds(whole)}) | right"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_disk_full_from_any_step(
    command: Command, prepared: Callable[[Command], Path], tmp_path: Path
) -> None:
    """It ends and says why, or does without what it only keeps to be quicker next time."""
    whole, expected, tried = planned(command, prepared(command), tmp_path / "whole")
    for step in tried:
        root = prepared(command)
        ended = filled(command.arguments(root), root, tmp_path / f"full {step}", step)
        what = f"full from step {step}, {' '.join(whole.steps[step - 1])}"
        assert ended.code in (0, 1), f"{what}: {ended.output[-600:]}"
        assert "Traceback" not in ended.output, f"{what}: {ended.output[-900:]}"
        if ended.code:
            assert re.search("No space left on device|disk of .* is full", ended.output), what
        again(command, root, tmp_path / f"after {step}", expected, what)
    print(f"\n{command.name} | disk full | {len(tried)} of {len(whole.steps)} | right")


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_power_lost_at_any_step(
    command: Command, prepared: Callable[[Command], Path], tmp_path: Path
) -> None:
    root = prepared(command)
    whole, disks = recorded(command.arguments(root), root, tmp_path / "whole")
    assert whole.code == 0, whole.output
    expected = state(root)
    every = list(disks)
    tried = chosen(len(every), command)
    for number in tried:
        step, loss, disk = every[number - 1]
        shutil.rmtree(root)
        copied(disk, root)
        kind, path = whole.steps[step - 1]
        what = f"{loss} before step {step}, {kind} {path}"
        again(command, root, tmp_path / f"after {number}", expected, what)
    print(f"\n{command.name} | power lost | {len(tried)} of {len(every)} disks | right")


def _pairs() -> Sequence[tuple[Command, Command]]:
    pairs = list(itertools.combinations_with_replacement(COMMANDS, 2))
    pairs.sort(key=lambda pair: hashlib.sha256(str(pair).encode()).digest())
    return pairs if _ALL else pairs[:_PAIRS]


@pytest.mark.parametrize("pair", _pairs(), ids=lambda pair: " and ".join(c.name for c in pair))
def test_two_at_once(
    pair: tuple[Command, Command], prepared: Callable[[Command], Path], tmp_path: Path
) -> None:
    """Each ends well or says why not; the archives are whole, and nothing is left lying about."""
    before = dict.fromkeys([*pair[0].before, *pair[1].before])
    name = "pair " + " ".join(command.name for command in pair)
    first = Command(name, "", tuple(before), pair[0].imports + pair[1].imports)
    root = prepared(first)
    for number, ended in enumerate(
        together([command.arguments(root) for command in pair], root, tmp_path / "log")
    ):
        assert ended.code in (0, 1), f"{pair[number].name}: {ended.output[-600:]}"
        assert "Traceback" not in ended.output, f"{pair[number].name}: {ended.output[-900:]}"
    found = verify(root / "archives", None if _is_purged(root) else str(root / "mine.tsv"))
    assert found.is_whole, found
    left = [path for path in root.rglob("*") if path.suffix == ".part"]
    assert not left
    for name in ("parquet", "webdataset"):
        assert not work_folder(root / name).exists()
    print(f"\n{' and '.join(c.name for c in pair)} | at once | right")


def _is_purged(root: Path) -> bool:
    path = root / "archives" / PURGE_RECEIPT_NAME
    return path.exists() and bool(json.loads(path.read_text())["purges"])
