from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.errors import FolderError
from pass_dataset.files import parts
from pass_dataset.files.cache import optional_cache, user_cache
from pass_dataset.files.parts import is_part, sweep_parts
from pass_dataset.files.whole import (
    begin_sync,
    create_new,
    rename_lasting,
    sync_folder,
    sync_tree,
    write_whole,
    writing_whole,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to the disk, in order: what is synced, by its name now, and renames."""
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def told_fsync(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        done.append(f"sync {'part' if is_part(name) else name}")
        fsync(handle)

    def told_replace(source: Path, target: Path) -> None:
        done.append(f"rename to {Path(target).name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", told_fsync)
    monkeypatch.setattr(os, "replace", told_replace)
    return done


linux = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="tells names of handles")


@linux
def test_file_then_name_then_folder(tmp_path: Path, steps: list[str]) -> None:
    write_whole(tmp_path / "a", b"bytes")
    assert steps == ["sync part", "rename to a", f"sync {tmp_path.name}"]
    assert (tmp_path / "a").read_bytes() == b"bytes"
    assert names(tmp_path) == ["a"]


@linux
def test_not_durable_is_not_synced(tmp_path: Path, steps: list[str]) -> None:
    write_whole(tmp_path / "a", b"bytes", durable=False)
    assert steps == ["rename to a"]


@linux
def test_renamed_to_last(tmp_path: Path, steps: list[str]) -> None:
    (tmp_path / "a.part").write_bytes(b"bytes")
    rename_lasting(tmp_path / "a.part", tmp_path / "a")
    assert steps == ["sync a.part", "rename to a", f"sync {tmp_path.name}"]


def test_begun_and_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    (tmp_path / "a").write_bytes(b"bytes")
    begin_sync(tmp_path / "a")
    monkeypatch.delattr(os, "posix_fadvise", raising=False)
    begin_sync(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"bytes"


@linux
def test_tree_is_synced_without_what_links_lead_to(tmp_path: Path, steps: list[str]) -> None:
    tree = tmp_path / "tree"
    (tree / "in").mkdir(parents=True)
    (tree / "in" / "a").touch()
    (tree / "link").symlink_to(tmp_path / "gone")
    sync_tree(tree)
    assert steps == ["sync a", "sync in", "sync tree"]


def test_what_is_there_is_replaced_and_modes_follow_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    before = os.umask(0o027)
    try:
        write_whole(path, b"new")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_a_failure(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fail() -> None:
        with writing_whole(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def failing(code: int) -> Callable[[Any], None]:
    def fail(_: Any) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def test_full_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
    with pytest.raises(OSError, match=r"No space left on device: '.*/a'") as caught:
        write_whole(tmp_path / "a", b"bytes")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a"))
    assert names(tmp_path) == []


def test_errors_name_the_file_and_not_its_part(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"'.*/gone/a'$"):
        write_whole(tmp_path / "gone" / "a", b"")
    (tmp_path / "b").mkdir()
    with pytest.raises(IsADirectoryError, match=r"'.*/b'$"):
        write_whole(tmp_path / "b", b"")
    assert names(tmp_path) == ["b"]


def test_errors_of_other_files_stay_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, writing_whole(tmp_path / "a") as file:
        file.write((tmp_path / "source").read_bytes())
    assert caught.value.filename == str(tmp_path / "source")


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_file_systems_that_cannot_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "fsync", failing(code))
    write_whole(tmp_path / "a", b"bytes")
    assert (tmp_path / "a").read_bytes() == b"bytes"
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        sync_folder(tmp_path)


def test_links_under_the_name_of_the_part_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.secrets, "token_hex", lambda size: "0" * 2 * size)
    with writing_whole(tmp_path / "a"):
        (part,) = (path for path in tmp_path.iterdir() if is_part(path.name))
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    part.symlink_to(victim)
    with pytest.raises(FileExistsError):
        create_new(part)
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "a", b"bytes")
    assert victim.read_bytes() == b"precious"


def test_a_link_is_replaced_and_not_what_it_leads_to(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_bytes(b"precious")
    link.symlink_to(victim)
    write_whole(link, b"bytes")
    assert not link.is_symlink()
    assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["a" * 255, "ä" * 127, os.fsdecode(b"\xff" * 255)])
def test_names_as_long_as_names_may_be(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, b"bytes")
    assert names(tmp_path) == [name]


# --- parts ----------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from pass_dataset.files.whole import writing_whole
with writing_whole(Path(sys.argv[1])) as file:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_parts_of_killed_processes_are_swept(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "a"], check=False, timeout=60)
    (left,) = names(tmp_path)
    assert is_part(left)
    others = [
        # Of a download, which goes on; of nobody we know; of another machine, just now.
        "PASS.0.tar.part",
        ".a.part",
        f".a.elsewhere.{2**22}.01234567.part",
    ]
    for name in others:
        (tmp_path / name).touch()
    with writing_whole(tmp_path / "b") as file:
        sweep_parts(tmp_path)
        file.write(b"bytes")
    assert names(tmp_path) == sorted([*others, "b"])


def test_parts_of_other_machines_are_swept_after_a_day(tmp_path: Path) -> None:
    path = tmp_path / f".a.elsewhere.{2**22}.01234567.part"
    path.touch()
    old = time.time() - 25 * 3600
    os.utime(path, (old, old))
    sweep_parts(tmp_path)
    assert names(tmp_path) == []


def test_sweeping_what_is_not_there(tmp_path: Path) -> None:
    sweep_parts(tmp_path / "gone")


# --- cache ----------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="the places of Linux")
def test_cache_is_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert user_cache("weights") == tmp_path / ".cache" / "pass_dataset" / "weights"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert user_cache("weights") == tmp_path / "other" / "pass_dataset" / "weights"


@pytest.mark.parametrize("named", [None, "~/cache", "cache"])
def test_without_a_home_folder_none_is_made_up(
    monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if named is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", named)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(FolderError, match="Set XDG_CACHE_HOME to a folder that lasts"):
        user_cache("weights")
    assert optional_cache("weights") is None
