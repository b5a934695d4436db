from __future__ import annotations

import errno
import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.archives import index, tar_listing, tars
from pass_dataset.archives.tar_listing import TarListing
from pass_dataset.archives.turns import Ended, Turn
from tests.support.collection import Collection


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(random.Random(1).randbytes(1 << 20))
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
    return path


def test_many_threads_read_what_is_there(file: Path) -> None:
    """In memory or not, and past the end."""
    content, turn = file.read_bytes(), Turn()
    size = len(content)

    def read(seed: int) -> int:
        chance, right = random.Random(seed), 0
        with file.open("rb") as handle, turn.taken():
            for n in range(200):
                if n % 20 == 0 and hasattr(os, "posix_fadvise"):
                    os.posix_fadvise(handle.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                at = chance.randrange(size + 1000)
                right += turn.read(handle.fileno(), 512, at) == content[at : at + 512]
        return right

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [200] * 8


def test_turns_that_end(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes one, and who waits for the disk does not go on."""
    turn = Turn()
    pread = os.pread

    def ending(*arguments: Any) -> bytes:
        turn.end()
        return pread(*arguments)

    monkeypatch.setattr(turn, "_can_tell", False)
    monkeypatch.setattr(os, "pread", ending)
    with file.open("rb") as handle, pytest.raises(Ended), turn.taken():
        turn.read(handle.fileno(), 512, 0)
    with pytest.raises(Ended), turn.taken():
        pass


def test_an_interrupted_index_reads_no_further(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the main thread waits for tars: none is read to its end."""
    main = threading.main_thread().ident
    assert main is not None
    all_begun = threading.Barrier(3, lambda: signal.pthread_kill(main, signal.SIGINT))
    read: list[TarListing] = []

    def list_tar(path: Path, turn: Turn) -> TarListing:
        all_begun.wait(60)
        assert turn._ended.wait(60)
        read.append(tar_listing.list_tar(path, turn))
        return read[-1]

    monkeypatch.setattr(index, "list_tar", list_tar)
    with pytest.raises(KeyboardInterrupt):
        index.build_index(collection.archives(collection.describe()))
    assert not read


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EOPNOTSUPP, errno.EINVAL])
def test_turn_is_given_away_while_the_disk_is_waited_for(
    file: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Also where the file system cannot tell what is in memory."""
    turn, taken = Turn(), []
    pread = os.pread

    def not_there(*arguments: Any) -> int:
        raise OSError(code, "not there")

    def slow(*arguments: Any) -> bytes:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: take()).result(timeout=60)
        return pread(*arguments)

    def take() -> None:
        with turn.taken():
            taken.append(True)

    monkeypatch.setattr(os, "preadv", not_there)
    monkeypatch.setattr(os, "pread", slow)
    with file.open("rb") as handle, turn.taken():
        assert turn.read(handle.fileno(), 10, 5) == file.read_bytes()[5:15]
        assert turn.read(handle.fileno(), 10, 0) == file.read_bytes()[:10]
    assert taken == [True, True]


def test_turn_is_given_back_after_an_error(file: Path) -> None:
    turn = Turn()
    handle = os.open(file, os.O_RDONLY)
    os.close(handle)
    with pytest.raises(OSError, match="Bad file descriptor"), turn.taken():
        turn.read(handle, 10, 0)
    with turn.taken():
        pass


def test_sum_of_a_header() -> None:
    chance = random.Random(2)
    for header in [bytes(512), b"\x7f" * 512, b"\xff" * 512, *map(chance.randbytes, [512] * 50)]:
        assert tars._sum(header) == sum(header)
        letters = bytes(byte & 0x7F for byte in header)
        assert tars._sum(letters) == sum(letters)
