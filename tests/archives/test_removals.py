"""Images on a removal list are gone from what is opened, at once."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.archives.fetched_removals import fetch_removals
from pass_dataset.archives.removals import (
    RemovalList,
    add_removals,
    read_removals,
    removals_for,
)
from pass_dataset.commands.main import main
from pass_dataset.errors import DownloadError, FolderError, MetadataError, RecordNotFoundError
from pass_dataset.folders.state import REMOVALS_NAME
from pass_dataset.passify.sources.opening import SourceSettings, open_source
from pass_dataset.passify.sources.source import ListingReport
from tests.support.bad_server import BadServer
from tests.support.collection import Collection


def write_list(path: Path, hashes: list[str]) -> Path:
    path.write_text("\n".join(["# by e-mail", *hashes, ""]))
    return path


@pytest.fixture
def gone(collection: Collection) -> list[str]:
    """Images of the first and the last tar."""
    return [collection.hashes[1], collection.hashes[13], collection.hashes[14]]


@pytest.fixture
def listed(tmp_path: Path, gone: list[str]) -> Path:
    return write_list(tmp_path / "list.txt", [*gone, "f" * 32])


def opened(collection: Collection, **options: object) -> PassArchive:
    return PassArchive(collection.folder, collection.tsv, **options)  # type: ignore[arg-type]


def hashes(archive: PassArchive) -> list[str]:
    return [record.hash for record in archive]


def kept(collection: Collection, gone: list[str]) -> list[str]:
    return [one for one in collection.hashes if one not in gone]


# --- where lists are found ------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["argument", "environment", "folder", "list"])
def test_gone(
    collection: Collection,
    listed: Path,
    gone: list[str],
    how: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = opened(collection)
    assert len(before) == 15
    options: dict[str, object] = {}
    if how == "argument":
        options["removals"] = str(listed)
    elif how == "list":
        options["removals"] = read_removals(listed)
    elif how == "environment":
        monkeypatch.setenv("PASS_REMOVALS", str(listed))
    else:
        add_removals(collection.folder, read_removals(listed).hashes)
    caplog.clear()
    archive = opened(collection, **options)
    assert hashes(archive) == kept(collection, gone)
    assert (len(archive), archive.removed) == (12, gone)
    assert gone[0] not in archive
    with pytest.raises(RecordNotFoundError, match="which removal lists leave out"):
        archive.by_hash(gone[0])
    assert hashes(archive.with_removed()) == collection.hashes
    (line,) = [record for record in caplog.records if "leaving out" in record.message]
    assert line.levelno == logging.WARNING
    assert "leaving out 3 of 15 images on removal list" in line.message
    # What was opened before is as it was.
    assert len(before) == 15


def test_lists_add_up(
    collection: Collection, gone: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_removals(collection.folder, gone[:1])
    monkeypatch.setenv("PASS_REMOVALS", str(write_list(tmp_path / "b.txt", gone[1:2])))
    third = write_list(tmp_path / "c.txt", gone[2:])
    assert hashes(opened(collection, removals=third)) == kept(collection, gone)


def test_with_parts_slices_and_selections(
    collection: Collection, listed: Path, gone: list[str]
) -> None:
    archive = opened(collection, parts=[0], removals=listed)
    assert (len(archive), archive.removed) == (4, gone[:1])
    assert hashes(archive[1:3]) == collection.hashes[2:4]
    whole = opened(collection, removals=listed)
    assert hashes(whole.keeping(collection.hashes[:3])) == kept(collection, gone)[:2]
    assert sum(len(list(whole.iterate((n, 5), shuffle_seed=3))) for n in range(5)) == 12
    assert whole.image_bytes == 12 * 400


def test_survives_pickling_though_the_list_changes(collection: Collection, listed: Path) -> None:
    archive = opened(collection, removals=listed)
    data = pickle.dumps(archive)
    listed.write_text("")
    again = pickle.loads(data)
    assert hashes(again) == hashes(archive)
    assert again.removed == archive.removed


def test_the_filter_leaves_them_out(collection: Collection, listed: Path, gone: list[str]) -> None:
    add_removals(collection.folder, read_removals(listed).hashes)
    settings = SourceSettings(kind="pass", path=str(collection.folder), release=str(collection.tsv))
    names = [item.path for item in open_source(settings).items(ListingReport())]
    assert [name.partition("/")[2][:-4] for name in names] == kept(collection, gone)


def test_without_a_list_nothing_is_read(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pass_dataset.archives.removals.names_in", None)
    assert not removals_for(collection.folder, None, collection.folder / "absent")


# --- what a list may be ---------------------------------------------------------------------------


def test_forms(tmp_path: Path) -> None:
    short = "a" * 31
    path = tmp_path / "list.txt"
    path.write_text(f"# comment\n\n0{short}\nPASS_dataset/0/{'b' * 32}.jpg\r\n{'b' * 32}\n")
    found = read_removals(path)
    # Names of images have lost their leading zeros.
    assert {short, "b" * 32} <= found.hashes
    assert found.sources[0].num_hashes == 2
    assert found.sources[0].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        b"<html>\n",
        b"\xff\xfe0",
        b'{"hash": 1}',
        b"ffd3eb12a16cb83138f26e6f36dec967,1\n",
        b'"ffd3eb12a16cb83138f26e6f36dec967"\n',
        b"",
        b"\n\n",
        b"# by e-mail\n",
        b"\0" * 99,
        b"a\0b\n",
    ],
)
def test_a_list_that_is_none_is_refused(
    collection: Collection, tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than images that should be gone, nothing is read."""
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    monkeypatch.setenv("PASS_REMOVALS", str(path))
    with pytest.raises(MetadataError, match=r"list\.txt"):
        opened(collection)


def test_an_absent_list_is_refused(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASS_REMOVALS", "/nowhere/list.txt")
    with pytest.raises(MetadataError, match=r"/nowhere/list\.txt"):
        opened(collection)


def test_merging_keeps_what_is_there(tmp_path: Path) -> None:
    own = tmp_path / REMOVALS_NAME
    own.write_text("# mine\n" + "a" * 32)  # no newline at the end
    path, new = add_removals(tmp_path, ["a" * 32, "b" * 32])
    assert (path, new) == (own, 1)
    assert own.read_text().startswith("# mine\n" + "a" * 32 + "\n")
    assert removals_for(tmp_path).hashes == {"a" * 32, "b" * 32}
    assert add_removals(tmp_path, ["b" * 32]) == (own, 0)


def test_read_only_folder(
    collection: Collection, gone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list of the folder's owner and that of a user who may not write there add up."""
    real = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda path, mode: (
            real(path, mode) and not (Path(path) == collection.folder and mode & os.W_OK)
        ),
    )
    (collection.folder / REMOVALS_NAME).write_text(f"{gone[0]}\n")
    path, new = add_removals(collection.folder, gone[1:])
    assert (path.parent != collection.folder, new) == (True, 2)
    assert hashes(opened(collection)) == kept(collection, gone)


# --- from the network -----------------------------------------------------------------------------


def test_fetched_once(listed: Path) -> None:
    sha256 = hashlib.sha256(listed.read_bytes()).hexdigest()
    with BadServer(listed.parent) as server:
        url = f"{server.url}/list.txt"
        found = fetch_removals(url, sha256.upper())
        assert found.hashes == read_removals(listed).hashes
        assert (found.sources[0].path, found.sources[0].sha256) == (url, sha256)
    # The server is gone, the list is not.
    assert fetch_removals(url, sha256) == found


def test_refused(listed: Path) -> None:
    for url, sha256, why in (
        ("https://example.org/list.txt", None, "only with its SHA-256"),
        ("https://example.org/list.txt", "abc", "only with its SHA-256"),
        ("http://example.org/list.txt", "0" * 64, "expected an https://"),
        ("ftp://example.org/list.txt", "0" * 64, "expected an https://"),
    ):
        with pytest.raises(DownloadError, match=why):
            fetch_removals(url, sha256)
    with (
        BadServer(listed.parent) as server,
        pytest.raises(DownloadError, match="wrong bytes"),
    ):
        fetch_removals(f"{server.url}/list.txt", "0" * 64)


# --- the command ----------------------------------------------------------------------------------


def test_remove(
    collection: Collection, listed: Path, gone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["remove", "--list", str(listed), "--release", str(collection.tsv)]
    assert main([*command, str(collection.folder)]) == 0
    out = capsys.readouterr().out
    assert "archive folder; 4 new on its list" in out
    assert "has 3 of the images, 1 hash on the list is not there; 12 images are left" in out
    assert f"lines that name no image of it: {'f' * 32!r}\n" in out
    assert hashes(opened(collection)) == kept(collection, gone)
    assert main(["remove", "--list", str(listed), str(collection.folder)]) == 0
    out = capsys.readouterr().out
    assert "0 new on its list" in out
    assert "the archives cannot be read now" in out  # which release it is, nothing says
    assert main(["verify", str(collection.folder), "--release", str(collection.tsv)]) == 0
    assert "unknown" not in capsys.readouterr().out


def test_remove_writes_nothing_if_a_folder_is_wrong(
    collection: Collection, listed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    command = ["remove", "--list", str(listed), str(collection.folder), str(tmp_path / "empty")]
    assert main(command) == 1
    assert "expected archives, or a build" in capsys.readouterr().err
    assert not (collection.folder / REMOVALS_NAME).exists()


def test_remove_needs_a_writable_place(
    collection: Collection, gone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (collection.folder / REMOVALS_NAME).mkdir()
    with pytest.raises(MetadataError, match="Is a directory"):
        add_removals(collection.folder, gone)
    (collection.folder / REMOVALS_NAME).rmdir()

    def full(path: Path, data: bytes) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("pass_dataset.archives.removals.write_whole", full)
    with pytest.raises(FolderError, match="cannot be written"):
        add_removals(collection.folder, gone)


def test_no_list_at_all() -> None:
    assert not RemovalList()
    assert RemovalList(frozenset({"a"})) | RemovalList() == RemovalList(frozenset({"a"}))


# --- a list that lost its names -------------------------------------------------------------------


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _comments_only(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if line.startswith("#")))


def _cut_within_a_hash(path: Path) -> None:
    path.write_bytes(path.read_bytes().partition(b"# End")[0][:-20])


def _cut_behind_a_hash(path: Path) -> None:
    path.write_bytes(path.read_bytes().partition(b"# End")[0][:-33])


def _link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/list.txt")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "lose",
    [
        _emptied,
        _zeros,
        _comments_only,
        _cut_within_a_hash,
        _cut_behind_a_hash,
        _link_to_nothing,
        _folder,
    ],
)
def test_a_list_that_lost_its_names_stops_the_reader(
    collection: Collection, gone: list[str], lose: Callable[[Path], None]
) -> None:
    path, _ = add_removals(collection.folder, gone)
    lose(path)
    with pytest.raises(MetadataError, match=REMOVALS_NAME):
        opened(collection)
    with pytest.raises(MetadataError, match=REMOVALS_NAME):
        add_removals(collection.folder, gone)


@pytest.mark.parametrize("begun", ["", "# mine\n", "# mine\r\n"])
def test_no_bit_of_a_list_can_flip_unnoticed(tmp_path: Path, begun: str) -> None:
    """A name that is another one would bring its image back."""
    path = tmp_path / REMOVALS_NAME
    if begun:
        path.write_bytes(f"{begun}{'c' * 32}\n".encode())
    add_removals(tmp_path, ["a" * 32, "M-", "y\u2028x"])
    add_removals(tmp_path, ["b" * 24])
    names, data = removals_for(tmp_path).hashes, path.read_bytes()
    assert {"a" * 32, "b" * 24, "M-", "y\u2028x"} <= names
    # The blank that ends the list is no part of it. In steps that meet all bits of a byte.
    for bit in range(0, 8 * (len(data) - 1), 7):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(MetadataError, match=REMOVALS_NAME):
            read_removals(path)


@pytest.mark.parametrize("end", ["# End of the list.\n", "# End of the list."])
def test_a_list_can_be_edited(tmp_path: Path, end: str) -> None:
    path, _ = add_removals(tmp_path, ["a" * 32, "b" * 32])
    edited = path.read_text().replace("b" * 32, "c" * 32)
    path.write_text(edited)
    with pytest.raises(MetadataError, match=r"shorten its last line to '# End of the list\.'"):
        removals_for(tmp_path)
    with pytest.raises(MetadataError, match=REMOVALS_NAME):
        add_removals(tmp_path, ["d" * 32])
    # As the header says; an earlier version's list ends like this.
    path.write_text(edited.rpartition("# End")[0] + end)
    assert removals_for(tmp_path).hashes == {"a" * 32, "c" * 32}
    # What is added puts an end to the list that vouches for all again.
    assert add_removals(tmp_path, ["d" * 32]) == (path, 1)
    assert removals_for(tmp_path).hashes == {"a" * 32, "c" * 32, "d" * 32}
    assert "# End of the list. 3 names" in path.read_text()
    assert path.read_text().count("# End of the list.") == 2  # the header names it
    path.write_text(path.read_text().replace("\n", "\r\n"))
    assert removals_for(tmp_path).hashes == {"a" * 32, "c" * 32, "d" * 32}
    path.write_text(path.read_text() + "e" * 32 + "\n")
    with pytest.raises(MetadataError, match="lines behind its last one"):
        removals_for(tmp_path)


def test_a_list_of_version_0_9_is_read(collection: Collection, gone: list[str]) -> None:
    path = collection.folder / REMOVALS_NAME
    old = "# Images that every reader of this folder leaves out: a hash a line"
    path.write_text(f"{old} (pass-dataset remove).\n{gone[0]}\n{gone[1]}\n")
    assert set(gone[:2]) <= removals_for(collection.folder).hashes
    assert add_removals(collection.folder, gone[2:]) == (path, 1)
    assert set(gone) <= removals_for(collection.folder).hashes
    assert f"{gone[2]}\n# End of the list. 3 names, SHA-256 " in path.read_text()
    assert path.read_text().count("# Images that every reader") == 1
    path.write_text(f"{old} (pass-dataset remove).\n{gone[0]}\n{gone[1][:20]}")
    with pytest.raises(MetadataError, match="was cut"):
        removals_for(collection.folder)


def test_a_list_is_taken_away_by_a_command_that_says_so(
    collection: Collection, gone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = add_removals(collection.folder, gone)
    path.unlink()
    path.symlink_to("/nowhere/list.txt")
    assert main(["remove", "--clear", str(collection.folder)]) == 0
    assert f"{path}: taken away" in capsys.readouterr().out
    assert hashes(opened(collection)) == collection.hashes
    assert main(["remove", "--clear", str(collection.folder)]) == 0
    assert "has no removal list" in capsys.readouterr().out
    assert main(["remove", "--clear", str(collection.folder / "none")]) == 1


def test_strict(
    collection: Collection, listed: Path, gone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--release", str(collection.tsv), str(collection.folder)]
    assert main(["remove", "--strict", "--list", str(listed), *where]) == 1
    err = capsys.readouterr().err
    assert f"1 line names no image in these folders: {'f' * 32!r}. Nothing was written" in err
    assert not (collection.folder / REMOVALS_NAME).exists()
    write_list(listed, [gone[0].upper(), f"0/{gone[1]}.jpg"])
    assert main(["remove", "--strict", "--list", str(listed), *where]) == 0
    assert hashes(opened(collection)) == kept(collection, gone[:2])


def test_slips_are_told_by_readers(
    collection: Collection, gone: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What has the form of a hash may be of another release; anything else names nothing."""
    path = write_list(tmp_path / "list.txt", [*gone, "f" * 32, "a slip"])
    assert hashes(opened(collection, removals=path)) == kept(collection, gone)
    (line,) = [one.message for one in caplog.records if "name no image" in one.message]
    assert "1 lines of removal list" in line
    assert "'a slip'" in line
    assert "f" * 32 not in line
