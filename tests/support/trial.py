"""A trial: readers of all kinds beside many removals and purges of the archives that they read.

    python -m tests.support.trial --rounds 200 --threads 2

prints a line for each kind of reader: how many images it read, what it was refused, and what must
be nothing: wrong bytes, and images that it was given although they had been removed before it was
opened. The exit code is 1 if there was any.

A reader opens the archives anew each time, reads some or all of them, and checks each image's
bytes by its hash. An error of the package is right at any time: a purge is under way. Rounds are
counted and not timed: each removes two images, and purges the folder of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import add_removals
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.builds.purging.purging import purge
from pass_dataset.errors import MissingExtraError, PassDatasetError
from pass_dataset.folders.archive_folder import ArchiveFolder
from tests.support.collection import Collection, jpeg
from tests.support.waiting import wait_until

__all__ = ["KINDS", "Tally", "run"]

#: Images that a round removes.
_A_ROUND = 2
#: What a reader gives: hashes and bytes.
Pairs: TypeAlias = "Iterator[tuple[str, bytes]]"


def _records(folder: Path) -> Pairs:
    return ((record.hash, record.jpeg) for record in PassArchive(folder))


def _by_chance(folder: Path) -> Pairs:
    archive = PassArchive(folder)
    for _ in range(len(archive)):
        record = archive[random.randrange(len(archive))]
        yield record.hash, record.jpeg
        if random.random() < 0.05:
            archive.close()


def _given_away(folder: Path) -> Pairs:
    """As workers are given a reader, before it has opened any tar."""
    archive = pickle.loads(pickle.dumps(PassArchive(folder)))
    return ((record.hash, record.jpeg) for record in archive.iterate(shuffle_seed=1))


def _positions(folder: Path) -> Pairs:
    from pass_dataset.torch import PASS

    dataset = PASS(folder, decode="bytes", target="hash")
    for position in range(len(dataset)):
        data, image_hash = dataset[position]
        yield image_hash, data


def _batches(folder: Path) -> Pairs:
    from torch.utils.data import DataLoader

    from pass_dataset.torch import PassStream

    stream = PassStream(folder, decode="jpeg", target="hash", batch_size=16)
    for jpegs, hashes in DataLoader(stream, batch_size=16):
        for image_hash, data in zip(hashes, jpegs, strict=True):
            yield image_hash, bytes(data.numpy())


def _streamed(folder: Path) -> Pairs:
    import datasets

    import pass_dataset  # noqa: F401  (makes the name known)

    rows = datasets.load_dataset(
        "pass",
        split="train",
        streaming=True,
        data_dir=str(folder),
        release=str(folder / "made.tsv"),
    )
    for row in rows.cast_column("image", datasets.Image(decode=False)):
        yield row["hash"], row["image"]["bytes"]


def _parquet(folder: Path) -> Pairs:
    """What is built beside a purge: right, or not at all."""
    import pyarrow.parquet as pq

    from pass_dataset.parquet.format import FORMAT

    with tempfile.TemporaryDirectory() as out:
        FORMAT.export(ArchiveFolder.open(folder), Path(out) / "built")
        for path in sorted(Path(out).rglob("*.parquet")):
            for row in pq.read_table(path, columns=["hash", "image"]).to_pylist():
                yield row["hash"], row["image"]["bytes"]


def _webdataset(folder: Path) -> Pairs:
    import tarfile

    from pass_dataset.webdataset.format import FORMAT

    with tempfile.TemporaryDirectory() as out:
        FORMAT.export(ArchiveFolder.open(folder), Path(out) / "built")
        for path in sorted(Path(out).rglob("*.tar")):
            with tarfile.open(path) as tar:
                for member in tar:
                    if member.name.endswith(".jpg"):
                        file = tar.extractfile(member)
                        assert file is not None
                        yield member.name.rpartition("/")[2][:-4], file.read()


KINDS: dict[str, Callable[[Path], Pairs]] = {
    "PassArchive": _records,
    "PassArchive by chance": _by_chance,
    "PassArchive given away": _given_away,
    "torch PASS": _positions,
    "torch PassStream": _batches,
    "datasets streaming": _streamed,
    "build parquet": _parquet,
    "build webdataset": _webdataset,
}


@dataclass
class Tally:
    """What readers of a kind came upon.

    Attributes:
      opened: how often they opened the archives.
      read: images.
      refused: errors of the package, by their kind.
      wrong: hashes of images whose bytes were others'.
      removed: hashes of images that had been removed before the archives were opened.
      failed: any other error.
    """

    opened: int = 0
    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        return not (self.wrong or self.removed or self.failed)


class _Ground:
    """Where a trial takes place, and what its processes tell each other."""

    def __init__(self, root: Path) -> None:
        self.archives = root / "archives"
        self._truth, self._gone, self._end = root / "truth.json", root / "gone", root / "end"
        self._opened = root / "opened"

    def prepare(self, per_tar: int) -> list[str]:
        made = Collection(self.archives, per_tar=per_tar, body=_body)
        made.tsv.unlink(missing_ok=True)
        made.describe()
        made.tsv.rename(self.archives / "made.tsv")
        truth = {one: _sha256(_body(number)) for number, one in enumerate(made.hashes)}
        self._truth.write_text(json.dumps(truth))
        self._gone.touch()
        return made.hashes

    @property
    def truth(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._truth.read_text())
        return found

    def note(self, hashes: list[str]) -> None:
        with self._gone.open("a") as file:
            file.write("".join(f"{one}\n" for one in hashes))

    @property
    def gone(self) -> frozenset[str]:
        return frozenset(self._gone.read_text().split())

    def note_opened(self, kind: str) -> None:
        with self._opened.open("a") as file:
            file.write(f"{kind}\n")

    @property
    def opened(self) -> list[str]:
        """The kinds of the readers that have read the archives, once for each time."""
        return self._opened.read_text().splitlines() if self._opened.exists() else []

    def end(self) -> None:
        self._end.touch()

    @property
    def is_over(self) -> bool:
        return self._end.exists()


def _body(number: int) -> bytes:
    # Sizes of several blocks, as offsets move by these.
    return jpeg(number, 400 + number * 97 % 3000)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(ground: _Ground, kind: str, tally: Tally) -> None:
    """Opens and reads, again and again, until the trial is over."""
    truth = ground.truth
    while not ground.is_over:
        gone = ground.gone
        tally.opened += 1
        try:
            for image_hash, data in KINDS[kind](ground.archives):
                tally.read += 1
                if _sha256(data) != truth[image_hash]:
                    tally.wrong.append(image_hash)
                if image_hash in gone:
                    tally.removed.append(image_hash)
        except MissingExtraError:
            raise
        except PassDatasetError as error:
            tally.refused[type(error).__name__] += 1
        except Exception as error:
            # `datasets` and loaders wrap what is raised within.
            if not isinstance(error.__cause__, PassDatasetError):
                tally.failed.append(f"{type(error).__name__}: {error}")
                return
            tally.refused[type(error.__cause__).__name__] += 1
        ground.note_opened(kind)


def _serve(root: Path, kind: str, threads: int) -> None:
    """A process of readers: threads of one kind; prints what they came upon."""
    ground, tallies = _Ground(root), [Tally() for _ in range(threads)]
    workers = [threading.Thread(target=_read, args=(ground, kind, one)) for one in tallies]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(json.dumps(vars(_together(tallies))))


def _together(tallies: list[Tally]) -> Tally:
    total = Tally()
    for one in tallies:
        total.opened += one.opened
        total.read += one.read
        total.refused.update(one.refused)
        total.wrong += one.wrong
        total.removed += one.removed
        total.failed += one.failed
    return total


def run(root: Path, rounds: int, kinds: list[str], threads: int = 2) -> dict[str, Tally]:
    """Removes and purges beside readers.

    Args:
      root: an empty folder.
      rounds: removals, each with its purge.
      kinds: of readers, a process each.
      threads: of each process.

    Returns:
      What the readers of each kind came upon.
    """
    ground = _Ground(root)
    order = ground.prepare(per_tar=max(20, rounds * _A_ROUND))
    random.Random(7).shuffle(order)
    readers = {
        kind: subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.trial", "--serve", kind),
                *("--root", str(root), "--threads", str(threads)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in kinds
    }
    try:
        for kind, process in readers.items():
            wait_until(lambda kind=kind: kind in ground.opened, process)  # type: ignore[misc]
        for number in range(rounds):
            # Some have been at work since the last round, and all are at some place of theirs.
            seen = len(ground.opened)
            wait_until(lambda seen=seen: len(ground.opened) > seen)  # type: ignore[misc]
            hashes = order[number * _A_ROUND : (number + 1) * _A_ROUND]
            add_removals(ground.archives, hashes)
            ground.note(hashes)
            purge(PurgeableArchives(ArchiveFolder.open(ground.archives)))
    finally:
        ground.end()
        told = {kind: process.communicate()[0] for kind, process in readers.items()}
    tallies = {}
    for kind, text in told.items():
        found = json.loads(text) if text.strip() else {"failed": ["it told nothing"]}
        tallies[kind] = Tally(**{**found, "refused": Counter(found.get("refused", {}))})
    return tallies


def _main() -> int:
    parser = argparse.ArgumentParser(description="Readers beside removals and purges.")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(options.root, options.serve, options.threads)
        return 0
    with tempfile.TemporaryDirectory() as root:
        tallies = run(Path(root), options.rounds, options.kinds, options.threads)
    for kind, tally in tallies.items():
        print(
            f"{kind}: opened {tally.opened:,} times, {tally.read:,} images; refused "
            f"{dict(tally.refused)}; wrong {len(tally.wrong)}, removed {len(tally.removed)}, "
            f"failed {tally.failed[:3]}"
        )
    return int(not all(tally.is_right for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(_main())
