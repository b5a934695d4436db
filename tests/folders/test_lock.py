from __future__ import annotations

import errno
import fcntl
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.archives.records import PassArchive
from pass_dataset.errors import FolderError, FolderLockedError
from pass_dataset.folders.lock import hold, holder
from pass_dataset.folders.state import HOLDER_NAME, INDEX_NAME, LOCK_NAME
from tests.support.collection import Collection
from tests.support.waiting import held_by_another


def test_one_at_a_time(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with held_by_another(tmp_path):
        assert str(os.getpid()) in str(holder(tmp_path))
        message = f"in use by process {os.getpid()} on "
        with pytest.raises(FolderLockedError, match=message), hold(tmp_path, wait=False):
            pass
    assert holder(tmp_path) is None
    assert not (tmp_path / HOLDER_NAME).exists()


def test_let_go_though_a_child_lives(tmp_path: Path) -> None:
    with hold(tmp_path):
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False
        )
    with hold(tmp_path, wait=False):
        pass
    child.communicate(b"\n")


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o755, 0o644), (0o2775, 0o664), (0o770, 0o664), (0o777, 0o666)]
)
def test_usable_by_all_who_may_write_to_the_folder(
    tmp_path: Path, mode: int, expected: int
) -> None:
    tmp_path.chmod(mode)
    before = os.umask(0o077)
    try:
        with hold(tmp_path):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / LOCK_NAME).stat().st_mode) == expected


def test_a_lock_that_may_only_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A colleague's, made by a former version."""
    (tmp_path / LOCK_NAME).touch(0o444)
    opened = os.open

    def refuse(path: Any, flags: int, *mode: Any, **named: Any) -> int:
        if str(path).endswith(LOCK_NAME) and flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, flags, *mode, **named)

    monkeypatch.setattr(os, "open", refuse)
    locked = pytest.raises(FolderLockedError)
    with held_by_another(tmp_path), locked, hold(tmp_path, wait=False):
        pass


def test_a_lock_that_may_not_even_be_read(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection.describe()
    opened = os.open

    def refuse(path: Any, flags: int, *mode: Any, **named: Any) -> int:
        if str(path).endswith(LOCK_NAME):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, flags, *mode, **named)

    monkeypatch.setattr(os, "open", refuse)
    message = rf"{collection.folder}: the folder cannot be locked .*{LOCK_NAME}: Permission.*owner"
    with pytest.raises(FolderError, match=message), hold(collection.folder):
        pass
    # Reading needs none, and keeps the index.
    assert len(PassArchive(collection.folder, collection.tsv)) == 15
    assert (collection.folder / INDEX_NAME).is_file()


@pytest.mark.parametrize(
    ("variable", "value", "found"),
    [("HOME", "/proc/nonexistent", "/proc/nonexistent"), ("XDG_CACHE_HOME", "here", "is no place")],
)
def test_a_read_only_folder_of_a_user_without_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, found: str
) -> None:
    """What was asked for is named first, and then why it could not be locked."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK and access(path, mode))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv(variable, value)
    with pytest.raises(FolderError) as raised, hold(tmp_path):
        pass
    message = str(raised.value)
    assert message.startswith(f"{tmp_path}: the folder cannot be locked for a change, which this ")
    assert found in message
    assert "Set XDG_CACHE_HOME to a folder that lasts" in message


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EROFS])
def test_where_there_are_no_locks(
    collection: Collection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
) -> None:
    collection.describe()

    def refuse(handle: int, kind: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with caplog.at_level(logging.WARNING), hold(collection.folder):
        pass
    assert f"{collection.folder}: cannot be locked" in caplog.text
    assert os.strerror(number) in caplog.text
    assert len(PassArchive(collection.folder, collection.tsv)) == 15
    assert holder(collection.folder) is None


def test_a_link_planted_as_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("text")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / LOCK_NAME).symlink_to(tmp_path / "mine")
    with pytest.raises(FolderError, match=LOCK_NAME), hold(folder):
        pass
    assert (tmp_path / "mine").read_text() == "text"


def test_who_holds_it_goes_on_holding_it(tmp_path: Path) -> None:
    with hold(tmp_path):
        with hold(tmp_path / ".." / tmp_path.name, wait=False):
            pass
        assert holder(tmp_path) is not None
    assert holder(tmp_path) is None
