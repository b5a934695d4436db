"""A trial: readers of all kinds beside many removals and purges of the archives that they read.

    python -m tests.support.trial --rounds 200 --processes 4 --threads 8

prints a line for each kind of reader: how many images it read, what it was refused, and what must
be nothing: wrong bytes, and images that it was given although they had been removed before it was
opened. The exit code is 1 if there was any.

The kinds are those of the catalogue (`pass_dataset.builds.catalogue`): what reads the archives in
place; each format built anew and read; and finished builds whose readers heed removal lists. A few
ways of using these readers are added, such as with workers. A reader opens the archives anew each
time, reads some or all of them, and checks each image's bytes by its hash. An error of the package
is right at any time: a purge is under way. Rounds are counted and not timed: each removes two
images, and purges the folder of them.
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
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import add_removals
from pass_dataset.builds.catalogue import Format, Images, Place, Reader, readers, with_sha256
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.builds.purging.purging import purge
from pass_dataset.errors import ArchiveReplacedError, MissingExtraError, PassDatasetError
from pass_dataset.folders.archive_folder import ArchiveFolder
from tests.support.collection import Collection, jpeg
from tests.support.waiting import wait_until

__all__ = ["KINDS", "Tally", "run"]

#: Images that a round removes.
_A_ROUND = 2
#: What reads: from the archive folder, and a folder that lasts for the kind; hashes and SHA-256.
Kind: TypeAlias = "Callable[[Path, Path], Images]"


def _by_chance(folder: Path, _: Path) -> Images:
    archive = PassArchive(folder)
    for _ in range(len(archive)):
        record = archive[random.randrange(len(archive))]
        yield record.hash, _sha256(record.jpeg)
        if random.random() < 0.05:
            archive.close()


def _given_away(folder: Path, _: Path) -> Images:
    """As workers are given a reader, before it has opened any tar."""
    archive = pickle.loads(pickle.dumps(PassArchive(folder)))
    return with_sha256((record.hash, record.jpeg) for record in archive.iterate(shuffle_seed=1))


def _with_workers(folder: Path, _: Path) -> Images:
    from torch.utils.data import DataLoader

    from pass_dataset.torch import PassStream

    stream = PassStream(folder, decode="jpeg", target="hash", batch_size=16)
    # Not forked: other readers' threads may hold any lock.
    batches = DataLoader(stream, batch_size=16, num_workers=2, multiprocessing_context="forkserver")
    try:
        for jpegs, hashes in batches:
            for image_hash, data in zip(hashes, jpegs, strict=True):
                yield image_hash, _sha256(bytes(data.numpy()))
    except RuntimeError as error:
        # What stops a worker while it is given its reader is on standard error only.
        if "exited unexpectedly" in str(error):
            raise ArchiveReplacedError(str(error)) from error
        raise


def _in_place(reader: Reader) -> Kind:
    return lambda folder, _: reader.images(Place(ArchiveFolder.open(folder)))


def _built_anew(entry: Format, reader: Reader) -> Kind:
    """What is built beside a purge: right, or not at all."""

    def read(folder: Path, _: Path) -> Images:
        with tempfile.TemporaryDirectory() as out:
            archives = ArchiveFolder.open(folder)
            built = entry.export(archives, Path(out) / "built")
            yield from reader.images(Place(archives, built))

    return read


def _built_before(entry: Format, reader: Reader) -> Kind:
    """What was built before all purges, and only lacks what is on lists."""

    def read(folder: Path, kept: Path) -> Images:
        archives = ArchiveFolder.open(folder)
        if not kept.exists():  # a process reads once before its threads begin
            entry.export(archives, kept)
        yield from reader.images(Place(archives, kept))

    return read


def _found() -> Iterator[tuple[str, Kind]]:
    for entry, reader in readers():
        if reader.in_place:
            yield reader.name, _in_place(reader)
            continue
        assert entry is not None
        yield f"{reader.name}, built anew", _built_anew(entry, reader)
        if reader.heeds_lists:
            yield f"{reader.name}, built before", _built_before(entry, reader)
    yield "PassArchive, by chance", _by_chance
    yield "PassArchive, given away", _given_away
    yield "torch, PassStream with workers", _with_workers


KINDS: dict[str, Kind] = dict(_found())


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
      why: an example of each kind of error of the package.
    """

    opened: int = 0
    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        return not (self.wrong or self.removed or self.failed)


class _Ground:
    """Where a trial takes place, and what its processes tell each other."""

    def __init__(self, root: Path) -> None:
        self.archives = root / "archives"
        self._truth, self._gone, self._end = root / "truth.json", root / "gone", root / "end"
        self._opened = root / "opened"
        self._root = root

    def prepare(self, per_tar: int) -> list[str]:
        made = Collection(self.archives, per_tar=per_tar, body=_body)
        made.tsv.unlink(missing_ok=True)
        made.describe()
        made.tsv.rename(self.archives / "made.tsv")
        truth = {one: _sha256(_body(number)).hex() for number, one in enumerate(made.hashes)}
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

    def kept(self, process: int, kind: str) -> Path:
        """Where a process may keep what it has built for a kind."""
        place = self._root / f"built-{process}"
        place.mkdir(exist_ok=True)
        return place / kind.replace(" ", "_")

    def told(self, process: int) -> Path:
        """Where a process says what its readers came upon."""
        return self._root / f"told-{process}.json"

    def end(self) -> None:
        self._end.touch()

    @property
    def is_over(self) -> bool:
        return self._end.exists()


def _body(number: int) -> bytes:
    # Sizes of several blocks, as offsets move by these.
    return jpeg(number, 400 + number * 97 % 3000)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _read(ground: _Ground, process: int, kind: str, tally: Tally) -> None:
    """Opens and reads, again and again, until the trial is over."""
    truth = ground.truth
    while not ground.is_over:
        _read_once(ground, process, kind, truth, tally)


def _read_once(
    ground: _Ground, process: int, kind: str, truth: dict[str, str], tally: Tally
) -> None:
    gone = ground.gone
    tally.opened += 1
    try:
        for image_hash, sha256 in KINDS[kind](ground.archives, ground.kept(process, kind)):
            tally.read += 1
            if sha256 is not None and sha256.hex() != truth[image_hash]:
                tally.wrong.append(image_hash)
            if image_hash in gone:
                tally.removed.append(image_hash)
    except Exception as error:
        raised = _of_package(error)
        if isinstance(raised, MissingExtraError):
            raise
        if raised is None:
            tally.failed.append(f"{type(error).__name__}: {error}")
        else:
            tally.refused[type(raised).__name__] += 1
            tally.why.setdefault(type(raised).__name__, str(raised))
    ground.note_opened(kind)


def _of_package(error: BaseException) -> PassDatasetError | None:
    """The error of the package that was raised; libraries and loaders wrap what is within."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, PassDatasetError):
        found = found.__cause__ or found.__context__
    return found


def _serve(root: Path, process: int, kinds: list[str]) -> None:
    """A process of readers, a thread for each of the kinds; says what they came upon."""
    ground = _Ground(root)
    tallies = [(kind, Tally()) for kind in kinds]
    # One after the other, before there is any purge: libraries do not like to be imported by many
    # threads at once, and this builds what is read later on.
    for kind, tally in dict(reversed(tallies)).items():
        _read_once(ground, process, kind, ground.truth, tally)
    workers = [
        threading.Thread(target=_read, args=(ground, process, kind, tally))
        for kind, tally in tallies
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ground.told(process).write_text(json.dumps([(kind, vars(tally)) for kind, tally in tallies]))


def _together(tallies: list[Tally]) -> Tally:
    total = Tally()
    for one in tallies:
        total.opened += one.opened
        total.read += one.read
        total.refused.update(one.refused)
        total.wrong += one.wrong
        total.removed += one.removed
        total.failed += one.failed
        total.why |= one.why
    return total


def _dealt(kinds: list[str], processes: int, threads: int) -> list[list[str]]:
    """The kinds that each process reads by: neighbours together, as they share libraries.

    Raises:
      ValueError: there are more kinds than readers.
    """
    if processes * threads < len(kinds):
        raise ValueError(
            f"expected a reader for each of {len(kinds)} kinds at least, found {processes} "
            f"processes of {threads} threads"
        )
    share = [len(kinds) * number // processes for number in range(processes + 1)]
    own = [kinds[first:last] for first, last in pairwise(share)]
    return [[one[thread % len(one)] for thread in range(threads)] if one else [] for one in own]


def run(
    root: Path, rounds: int, kinds: list[str], processes: int = 4, threads: int | None = None
) -> dict[str, Tally]:
    """Removes and purges beside readers.

    Args:
      root: an empty folder.
      rounds: removals, each with its purge.
      kinds: of readers.
      processes: that read.
      threads: of each process; None for as many as there have to be, so that all kinds read.

    Returns:
      What the readers of each kind came upon.
    """
    processes = min(processes, len(kinds))
    shares = _dealt(kinds, processes, threads or -(-len(kinds) // processes))
    ground = _Ground(root)
    order = ground.prepare(per_tar=max(20, rounds * _A_ROUND))
    random.Random(7).shuffle(order)
    started = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.trial", "--root", str(root)),
                *("--serve", str(number), "--kinds", *share),
            ],
            stdout=subprocess.DEVNULL,
        )
        for number, share in enumerate(shares)
    ]
    try:
        for process, share in zip(started, shares, strict=True):
            wait_until(lambda share=share: set(share) <= set(ground.opened), process)  # type: ignore[misc]
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
        for process in started:
            process.wait()
    found: dict[str, list[Tally]] = {kind: [] for kind in kinds}
    for number, share in enumerate(shares):
        if not ground.told(number).exists():
            found[share[0]].append(Tally(failed=["its process told nothing"]))
            continue
        for kind, told in json.loads(ground.told(number).read_text()):
            found[kind].append(Tally(**{**told, "refused": Counter(told["refused"])}))
    return {kind: _together(tallies) for kind, tallies in found.items()}


def _main() -> int:
    parser = argparse.ArgumentParser(description="Readers beside removals and purges.")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--threads", type=int, help="of each process; default: a kind each")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        _serve(options.root, options.serve, options.kinds)
        return 0
    with tempfile.TemporaryDirectory() as root:
        tallies = run(Path(root), options.rounds, options.kinds, options.processes, options.threads)
    for kind, tally in tallies.items():
        print(
            f"{kind}: opened {tally.opened:,} times, {tally.read:,} images; refused "
            f"{dict(tally.refused)}; wrong {len(tally.wrong)}, removed {len(tally.removed)}, "
            f"failed {tally.failed[:3]}"
        )
        for name, example in tally.why.items():
            print(f"    {name}: {example}")
    return int(not all(tally.is_right for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(_main())
