from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.archives import integrity
from pass_dataset.archives.integrity import FileState, Verification, verify
from pass_dataset.errors import FolderError
from pass_dataset.files.parts import part_path
from pass_dataset.folders import file_mark
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.receipt import Receipt
from pass_dataset.folders.state import RECEIPT_NAME
from pass_dataset.releases.release import Release
from tests.support.collection import Collection
from tests.support.processes import start_interruptible
from tests.support.waiting import wait_until


@pytest.fixture
def release(collection: Collection) -> Release:
    return collection.describe()


def states(found: Verification) -> dict[str, FileState]:
    return {verdict.filename: verdict.state for verdict in found.files}


def flip_a_byte(path: Path, at: int = 1000) -> None:
    """Changes one byte and leaves size and modification time as they were."""
    stat = path.stat()
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_whole(collection: Collection, release: Release) -> None:
    found = verify(collection.folder, release)
    assert found.is_whole
    assert set(states(found).values()) == {FileState.WHOLE}
    assert found.unknown == ()


def test_everything_that_can_be_wrong(collection: Collection, release: Release) -> None:
    collection.tar(0).unlink()
    with collection.tar(1).open("ab") as file:
        file.write(b"more")
    flip_a_byte(collection.tar(2))
    os.truncate(collection.csv, 100)
    (collection.folder / "holiday.jpg").write_bytes(b"")
    found = verify(collection.folder, release)
    assert not found.is_whole
    assert states(found) == {
        "PASS.0.tar": FileState.MISSING,
        "PASS.1.tar": FileState.LONG,
        "PASS.2.tar": FileState.CORRUPT,
        "pass_metadata.csv": FileState.SHORT,
    }
    assert found.unknown == ("holiday.jpg",)
    text = "\n".join(map(str, found.files))
    assert "PASS.1.tar: long (10,244 bytes, expected 10,240)" in text
    assert "pass_metadata.csv: short (100 bytes, expected" in text
    assert f"expected {release.tars[2].sha256})" in text


def test_interrupted_download(collection: Collection, release: Release) -> None:
    collection.tar(0).rename(part_path(collection.tar(0)))
    found = verify(collection.folder, release)
    assert states(found)["PASS.0.tar"] is FileState.PARTIAL
    assert found.unknown == ()


def test_quick_needs_a_receipt(collection: Collection, release: Release) -> None:
    assert set(states(verify(collection.folder, release, quick=True)).values()) == {
        FileState.UNCHECKED
    }
    verify(collection.folder, release)
    assert verify(collection.folder, release, quick=True).is_whole
    os.utime(collection.tar(0), ns=(5, 5))
    assert states(verify(collection.folder, quick=True))["PASS.0.tar"] is FileState.UNCHECKED


def test_quick_notices_what_changed_under_a_time_put_back(
    collection: Collection, release: Release, tmp_path: Path
) -> None:
    """And takes no copy for verified, which loaders do."""
    verify(collection.folder, release)
    copy = tmp_path / "copy"
    shutil.copytree(collection.folder, copy)
    assert set(states(verify(copy, quick=True)).values()) == {FileState.UNCHECKED}
    assert ArchiveFolder.open(copy).is_on_record
    before = collection.tar(1).stat()
    flip_a_byte(collection.tar(1))
    os.utime(collection.tar(1), ns=(before.st_atime_ns, before.st_mtime_ns))
    found = verify(collection.folder, quick=True)
    assert [n for n, s in states(found).items() if s is FileState.UNCHECKED] == ["PASS.1.tar"]
    assert not found.is_whole


def test_full_verification_does_not_trust_the_receipt(
    collection: Collection, release: Release
) -> None:
    verify(collection.folder, release)
    flip_a_byte(collection.tar(1))
    assert states(verify(collection.folder))["PASS.1.tar"] is FileState.CORRUPT
    assert not verify(collection.folder, quick=True).is_whole  # struck off the receipt


def test_parts(collection: Collection, release: Release) -> None:
    collection.tar(0).unlink()
    assert verify(collection.folder, release, parts=[1, 2]).is_whole
    assert not verify(collection.folder, release, parts=[0]).is_whole


def test_receipt_tells_the_release(collection: Collection, release: Release) -> None:
    with pytest.raises(FolderError, match="cannot tell which release"):
        ArchiveFolder.open(collection.folder)
    verify(collection.folder, release)
    assert ArchiveFolder.open(collection.folder).release == release


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}', '{"schema": 1, "files": 3}'])
def test_receipt_that_cannot_be_read_is_no_receipt(collection: Collection, text: str) -> None:
    verify(collection.folder, collection.describe())
    (collection.folder / RECEIPT_NAME).write_text(text)
    assert Receipt.load(collection.folder).entries == {}


def test_receipt_of_another_release_does_not_stand(
    collection: Collection, release: Release
) -> None:
    verify(collection.folder, release)
    path = collection.folder / RECEIPT_NAME
    content = json.loads(path.read_text())
    content["files"]["PASS.0.tar"]["sha256"] = "0" * 64
    path.write_text(json.dumps(content))
    assert not Receipt.load(collection.folder).stands(release.tars[0])


def test_unreadable_file(collection: Collection, release: Release) -> None:
    collection.tar(0).unlink()
    collection.tar(0).mkdir()
    size = collection.tar(0).stat().st_size
    state = states(verify(collection.folder, release))["PASS.0.tar"]
    assert state is (FileState.SHORT if size < release.tars[0].size_bytes else FileState.UNREADABLE)


def test_sizes_tell_an_official_release(tmp_path: Path) -> None:
    from pass_dataset.releases.release import official_release

    with (tmp_path / "PASS.3.tar").open("wb") as file:
        os.truncate(file.fileno(), official_release("2.0.0").tars[3].size_bytes)
    assert ArchiveFolder.open(tmp_path).release == official_release("2.0.0")
    assert states(verify(tmp_path, quick=True))["PASS.3.tar"] is FileState.UNCHECKED


def test_another_release_by_mistake_costs_nothing(
    collection: Collection, release: Release, tmp_path: Path
) -> None:
    verify(collection.folder, release)
    other = Collection(tmp_path / "other", per_tar=2).describe("2.0.0")
    assert not verify(collection.folder, other).is_whole
    assert ArchiveFolder.open(collection.folder).release == release
    assert verify(collection.folder, quick=True).is_whole


def is_reading(process_id: int, path: Path) -> bool:
    handles = Path(f"/proc/{process_id}/fd").iterdir()
    return any(os.path.realpath(handle) == str(path) for handle in handles)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc to see open files")
def test_ctrl_c_does_not_wait_for_large_files(tmp_path: Path) -> None:
    """Two files of 40 GB, mostly holes: hashing them would take a minute."""
    size = 40 << 30
    files = []
    for name in ("PASS.0.tar", "pass_metadata.csv"):
        with (tmp_path / name).open("wb") as file:
            os.truncate(file.fileno(), size)
        files.append(f"-\t{size}\t{'0' * 64}\t{name}")
    tsv = tmp_path / "huge.tsv"
    tsv.write_text("\n".join(["# version\t1.0.0", *files]))
    process = start_interruptible(["verify", tmp_path, "--release", tsv])
    wait_until(lambda: is_reading(process.pid, tmp_path / "PASS.0.tar"), process)
    process.send_signal(signal.SIGINT)
    err = process.communicate()[1]
    # Had it waited, it would have told what it found: that both are wrong, with another code.
    assert process.returncode == 130
    assert "Traceback" not in err


def test_what_is_damaged_after_it_was_hashed_is_not_certified(
    collection: Collection, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first bytes of a file may change while its last ones are read."""
    hashing = file_mark.file_sha256

    def damaged(path: Path, advance: Any) -> str:
        found = hashing(path, advance)
        if path == collection.tar(1):
            flip_a_byte(path)
        if path == collection.tar(2):
            shutil.copy(path, collection.folder / "new")
            (collection.folder / "new").replace(path)
        return found

    monkeypatch.setattr(file_mark, "file_sha256", damaged)
    found = verify(collection.folder, release)
    assert states(found)["PASS.1.tar"] is states(found)["PASS.2.tar"] is FileState.CHANGED
    assert not found.is_whole
    assert "PASS.1.tar: changed (it was written while it was hashed" in "\n".join(
        map(str, found.files)
    )
    assert set(Receipt.load(collection.folder).entries) == {"PASS.0.tar", "pass_metadata.csv"}


def test_what_was_hashed_is_kept_though_it_is_interrupted(
    collection: Collection, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashing = file_mark.file_sha256
    monkeypatch.setattr(integrity, "_HASHING_THREADS", 1)

    def interrupted(path: Path, advance: Any) -> str:
        if path == collection.tar(2):
            raise KeyboardInterrupt
        return hashing(path, advance)

    monkeypatch.setattr(file_mark, "file_sha256", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verify(collection.folder, release)
    assert {"PASS.0.tar", "PASS.1.tar"} <= set(Receipt.load(collection.folder).entries)


def test_where_nothing_can_be_kept(
    collection: Collection,
    release: Release,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*given: Any, **named: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Receipt, "save", full)
    assert verify(collection.folder, release).is_whole
    assert caplog.text.count("what is found cannot be kept") == 1


def test_a_receipt_with_a_flipped_bit_is_no_receipt(
    collection: Collection, release: Release
) -> None:
    verify(collection.folder, release)
    path = collection.folder / RECEIPT_NAME
    text = path.read_text()
    path.write_text(text.replace("# version\\t1.0.0", "# version\\t3.0.0"))
    assert path.read_text() != text
    assert Receipt.load(collection.folder).entries == {}
