"""Readers beside a tar that is replaced: an error, or the old tar to its end, never other bytes."""

from __future__ import annotations

import os
import pickle
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.archives.open_tars import OpenTars
from pass_dataset.archives.removals import RemovalList
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.builds.purging.purging import purge
from pass_dataset.errors import ArchiveError, ArchiveReplacedError
from tests.support.collection import Collection, jpeg, write_tar


@pytest.fixture
def archive(collection: Collection) -> PassArchive:
    return PassArchive(collection.folder, collection.tsv)


def swap(collection: Collection) -> None:
    """Another tar of the same size and time in the place of the first: its images changed round."""
    path = collection.tar(0)
    before = path.stat()
    names = {collection.name(n): jpeg(n) for n in reversed(range(5))}
    beside = path.with_name("beside")
    write_tar(beside, names)
    os.truncate(beside, before.st_size)
    os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
    beside.replace(path)


def purged(collection: Collection) -> None:
    listed = RemovalList(frozenset(collection.hashes[:1]))
    purge(PurgeableArchives(collection.archives(collection.describe())), listed)


@pytest.mark.parametrize("replace", [swap, purged])
def test_a_tar_that_was_replaced_is_not_read(
    archive: PassArchive, collection: Collection, replace: Callable[[Collection], None]
) -> None:
    replace(collection)
    with pytest.raises(ArchiveReplacedError, match=r"PASS\.0\.tar: is not the file .* again"):
        archive[1]
    with pytest.raises(ArchiveReplacedError):
        archive.tars.expect(0, 512, 10)
    with pytest.raises(ArchiveReplacedError):
        list(archive)
    # The others are what they were.
    assert archive[7].jpeg == jpeg(7)


@pytest.mark.parametrize("replace", [swap, purged])
def test_a_tar_that_is_open_stays_what_it_was(
    archive: PassArchive, collection: Collection, replace: Callable[[Collection], None]
) -> None:
    assert archive[0].jpeg == jpeg(0)
    replace(collection)
    assert [record.jpeg for record in archive[:5]] == [jpeg(n) for n in range(5)]
    archive.close()
    with pytest.raises(ArchiveReplacedError):
        archive[0]


def test_positions_of_an_index_that_was_are_those_of_no_other(
    archive: PassArchive, collection: Collection
) -> None:
    """As a reader that is given to a worker; or as one tar more that has come between."""
    view = pickle.dumps(archive[3:9])
    assert [record.jpeg for record in pickle.loads(view)] == [jpeg(n) for n in range(3, 9)]
    collection.tar(1).rename(collection.folder / "away")
    with pytest.raises(ArchiveReplacedError, match="has other files than when"):
        pickle.loads(view)
    (collection.folder / "away").rename(collection.tar(1))
    assert len(pickle.loads(view)) == 6
    purged(collection)
    with pytest.raises(ArchiveReplacedError, match="open them again"):
        pickle.loads(view)


def test_opened_while_a_purge_ends(collection: Collection) -> None:
    """What the folder says of itself is read first, and may be old when the files are looked at."""
    archives = collection.archives(collection.describe())
    PassArchive(archives)
    purged(collection)
    opened = PassArchive(archives)
    assert [record.jpeg for record in opened] == [jpeg(n) for n in range(1, 15)]
    assert "purged" in opened.release.label


def test_inodes_that_change_each_time(archive: PassArchive, collection: Collection) -> None:
    """As some FUSE file systems have them: what was changed last at the same time is the same."""
    place = archive.values(["offset", "size_bytes"], 0)
    marks = [mark._replace(inode=mark.inode + 7) for mark in archive.marks]
    tars = OpenTars(collection.folder, archive.summary.tars, marks)
    assert tars.read(0, *place, "x") == jpeg(0)
    marks = [mark._replace(inode=mark.inode + 7, changed_ns=5) for mark in archive.marks]
    with pytest.raises(ArchiveReplacedError):
        OpenTars(collection.folder, archive.summary.tars, marks).read(0, 512, 10, "x")


@pytest.fixture
def many(tmp_path: Path) -> Collection:
    return Collection(tmp_path / "many", tars=300, per_tar=1)


def test_more_tars_than_a_byte_counts_and_than_are_held_open(many: Collection) -> None:
    many.describe()
    archive = PassArchive(many.folder, many.tsv)
    assert str(archive.columns(["tar"])["tar"].type) == "uint16"
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _ in range(2):
        assert [record.jpeg for record in archive] == [jpeg(n) for n in range(300)]
    if before:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 64
    with ThreadPoolExecutor(8) as pool:
        order = [n * 7 % 300 for n in range(900)]
        assert list(pool.map(lambda n: archive[n].jpeg, order)) == [jpeg(n) for n in order]


def test_more_tars_than_the_process_may_open(many: Collection) -> None:
    many.describe()
    archive = PassArchive(many.folder, many.tsv)
    assert archive[0].jpeg == jpeg(0)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(kept) + 10, limits[1]))
    try:
        for handle in kept:
            os.close(handle)
        assert [record.jpeg for record in archive] == [jpeg(n) for n in range(300)]
        archive.close()
        with pytest.raises(ArchiveError, match="Too many open files"):
            others = []
            try:
                while True:
                    try:
                        others.append(os.open(os.devnull, os.O_RDONLY))
                    except OSError:
                        break
                archive[5]
            finally:
                for handle in others:
                    os.close(handle)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_given_up_while_others_read(archive: PassArchive) -> None:
    """A number that is closed under a reader may be that of any file a moment later."""
    wrong: list[object] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            for number in (0, 6, 12):
                if archive[number].jpeg != jpeg(number):
                    wrong.append(number)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        archive.close()
        # Takes the numbers that become free.
        with Path(__file__).open("rb"):
            pass
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


#: Of modules that somebody holds, what was imported last loses its names first: those of `os`, and
#: so the archive, are there when those of `open_tars` are gone.
LEFT = """
import os
import sys
from pass_dataset import PassArchive
from pass_dataset.archives import open_tars
sys.held = os, open_tars
os.left = PassArchive(sys.argv[1], sys.argv[2])
os.left[0]
"""


def test_tars_that_are_open_at_the_end_of_a_process(collection: Collection) -> None:
    """They are closed without a word."""
    command = [sys.executable, "-c", LEFT, str(collection.folder), str(collection.tsv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
