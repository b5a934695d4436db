"""Archive folders purged: tars that verify, and nothing lost however often it is killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pass_dataset import PassArchive, verify
from pass_dataset.archives.ensure import provide
from pass_dataset.archives.removals import RemovalList, add_removals, removals_for
from pass_dataset.builds.purging import purging
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.builds.purging.purging import purge
from pass_dataset.builds.purging.receipt import PurgeReceipt
from pass_dataset.commands.main import main
from pass_dataset.downloads import download
from pass_dataset.errors import DiskSpaceError, FolderError, ReleaseError, VerificationError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.state import (
    INDEX_NAME,
    PURGE_RECEIPT_NAME,
    PURGED_NAME,
    REMOVALS_NAME,
)
from pass_dataset.releases import release as releases
from pass_dataset.releases.release import format_release, parse_release, read_release
from tests.support.collection import HEADER, Collection, row, write_tar
from tests.support.official import OfficialReleases, make_official


@pytest.fixture
def gone(collection: Collection) -> list[str]:
    """Images of the first and the last of three tars."""
    return [collection.hashes[1], collection.hashes[13], collection.hashes[14]]


def kept(collection: Collection, gone: list[str]) -> list[str]:
    return [one for one in collection.hashes if one not in gone]


def purged(collection: Collection, gone: list[str]) -> purging.PurgeReport:
    target = PurgeableArchives(collection.archives())
    return purge(target, RemovalList(frozenset(gone)))


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.suffix in (".tar", ".csv")
    }


def test_what_says_how_a_folder_is_purged_cannot_be_damaged_unnoticed(
    collection: Collection, gone: list[str]
) -> None:
    purged(collection, gone)
    path = collection.folder / PURGED_NAME
    data, release = path.read_bytes(), read_release(path)
    # In steps that meet all bits of a byte.
    for bit in range(0, 8 * len(data), 7):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            # What is no sum any more is a comment, and the rest is as it was.
            assert read_release(path) == release
        except ReleaseError as error:
            assert PURGED_NAME in str(error)
    # As earlier versions wrote it.
    path.write_text(format_release(release))
    assert PassArchive(collection.folder).removed == []
    path.write_text(path.read_text() + "# sum\t0\n")
    with pytest.raises(ReleaseError, match="download --replace"):
        PassArchive(collection.folder)


def test_deleted(collection: Collection, gone: list[str]) -> None:
    jpegs = {record.hash: record.jpeg for record in PassArchive(collection.folder, collection.tsv)}
    lines = collection.csv.read_text().splitlines()
    untouched = collection.tar(1).stat().st_mtime_ns
    report = purged(collection, [*gone, "f" * 32])
    assert [file.name for file in report.files] == ["PASS.0.tar", "PASS.2.tar", "pass_metadata.csv"]
    assert (report.hashes, report.absent) == (set(gone), 1)
    for path in collection.folder.iterdir():
        content = path.read_bytes()
        for one in gone:
            assert jpegs[one] not in content, path
            if path.name not in (REMOVALS_NAME, PURGE_RECEIPT_NAME):
                assert one.encode() not in content, path
    assert collection.tar(1).stat().st_mtime_ns == untouched
    assert collection.csv.read_text().splitlines() == [
        line for line in lines if not any(one in line for one in gone)
    ]
    archive = PassArchive(collection.folder)
    assert {record.hash: record.jpeg for record in archive} == {
        one: jpegs[one] for one in kept(collection, gone)
    }
    assert archive.release.label == "pass 1.0.0, purged of 3 images"
    assert archive.release.num_examples == 12


def test_the_rest_of_a_tar_is_as_it_was(collection: Collection, gone: list[str]) -> None:
    before = collection.tar(0).read_bytes()
    purged(collection, gone)
    with tarfile.open(fileobj=_file(before)) as tar:
        (member,) = [one for one in tar.getmembers() if gone[0] in one.name]
    end = member.offset_data + -(-member.size // 512) * 512
    assert collection.tar(0).read_bytes() == before[: member.offset] + before[end:]


def _file(data: bytes):  # type: ignore[no-untyped-def]
    import io

    return io.BytesIO(data)


def test_verifies(
    collection: Collection, gone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    purged(collection, gone)
    for release in (None, collection.tsv):
        found = verify(collection.folder, release)
        assert found.is_whole
        assert found.unknown == ()
    assert verify(collection.folder, quick=True).is_whole
    assert main(["verify", str(collection.folder)]) == 0
    assert "pass 1.0.0, purged of 3 images, whole" in capsys.readouterr().out
    data = bytearray(collection.tar(0).read_bytes())
    data[700] ^= 1
    collection.tar(0).write_bytes(data)
    assert not verify(collection.folder).is_whole


def test_receipt(collection: Collection, gone: list[str], tmp_path: Path) -> None:
    before = digests(collection.folder)
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join(gone))
    command = ["purge", "--list", str(listed), "--release", str(collection.tsv)]
    assert main([*command, str(collection.folder)]) == 0
    (entry,) = json.loads((collection.folder / PURGE_RECEIPT_NAME).read_text())["purges"]
    assert entry["hashes"] == sorted(gone)
    assert entry["started"] <= entry["finished"]
    sha256 = hashlib.sha256(listed.read_bytes()).hexdigest()
    assert sha256 in [source["sha256"] for source in entry["lists"]]
    after = digests(collection.folder)
    for file in entry["files"]:
        assert file["old_sha256"] == before[file["name"]]
        assert file["new_sha256"] == after[file["name"]]
        assert file["new_size_bytes"] == (collection.folder / file["name"]).stat().st_size
        assert file["old_size_bytes"] > file["new_size_bytes"]
    # Photographers, dates and places are not in it.
    assert "user" not in json.dumps(entry)


def _with_rows(made: Collection, lines: list[str]) -> None:
    made.write_csv([HEADER, *lines])
    made.describe()


@pytest.mark.parametrize("whose", ["the image that goes", "another"])
def test_a_row_over_several_lines(whose: str, collection: Collection, gone: list[str]) -> None:
    lines = [row(number) for number in range(15)]
    number = 1 if whose == "the image that goes" else 2
    lines[number] = lines[number].replace("user", '"Ann\nLee ""', 1).replace("%3C3", '"""', 1)
    _with_rows(collection, lines)
    before = {record.hash: record for record in PassArchive(collection.folder, collection.tsv)}
    assert "\n" in (before[collection.hashes[number]].creator or "")
    purged(collection, gone)
    assert collection.csv.read_text() == "\n".join(
        [HEADER, *(line for n, line in enumerate(lines) if n not in (1, 13, 14)), ""]
    )
    for record in PassArchive(collection.folder):
        assert record == before[record.hash]
    assert PurgeReceipt.load(collection.folder).purges[-1].files[-1].hashes == tuple(sorted(gone))


def test_rows_whose_hash_is_written_otherwise(collection: Collection, gone: list[str]) -> None:
    lines = [row(number) for number in range(15)]
    one, other = gone[0], gone[1]
    extra = [
        row(20, f"  {one.upper()} "),
        row(21, f"PASS_dataset/0/{one}.jpg"),
        row(22, f"00{other}"),
        row(23, other),
        row(24, ""),
        row(25, "f" + one[1:]),
    ]
    _with_rows(collection, [*lines, *extra])
    purged(collection, gone)
    left = collection.csv.read_text().splitlines()[1:]
    assert left == [line for n, line in enumerate(lines) if n not in (1, 13, 14)] + extra[-2:]


def test_a_name_in_capitals_may_be_that_of_another_image(tmp_path: Path) -> None:
    made = Collection(tmp_path / "archives", tars=1, per_tar=2)
    one = made.hashes[0]
    write_tar(made.tar(0), {f"a/{one}.jpg": b"one", f"a/{one.upper()}.jpg": b"two"})
    _with_rows(made, [row(0, one), row(1, one.upper())])
    purged(made, [one])
    assert [record.hash for record in PassArchive(made.folder)] == [one.upper()]
    assert made.csv.read_text().splitlines()[1:] == [row(1, one.upper())]


def test_what_stands_beside_an_image_in_a_tar(tmp_path: Path) -> None:
    made = Collection(tmp_path / "archives", tars=2, per_tar=3)
    one, two, three = made.hashes[:3]
    members = [
        (f"a/{one}.jpg", b"1"),
        (f"a/{one}.json", b"2"),
        (f"a/._{one}.jpg", b"3"),
        (f"a/{one}.jpeg", b"4"),
        (f"a/{one.upper()}.JPG", b"5"),
        (f"a/{one}.b.jpg", b"6"),
        (f"a/{one}.b.json", b"7"),
        (f"a/{two}.jpg", b"8"),
        (f"a/{two}.txt", b"9"),
        ("a/read.me", b"0"),
    ]
    write_tar(made.tar(0), members)
    # The image itself may be gone already.
    write_tar(made.tar(1), [(f"a/{three}.cls", b"1"), ("a/x.jpg", b"2")])
    _with_rows(made, [row(0)])
    report = purged(made, [one, three])
    assert report.hashes == {one, three}
    with tarfile.open(made.tar(0)) as tar:
        left = [name for name in tar.getnames() if "." in name]
    assert left == [name for name, _ in members[5:]]
    with tarfile.open(made.tar(1)) as tar:
        assert [name for name in tar.getnames() if "." in name] == ["a/x.jpg"]
    assert verify(made.folder).is_whole


def test_again_and_more(collection: Collection, gone: list[str]) -> None:
    purged(collection, gone[:2])
    assert purged(collection, gone[:2]).files == ()
    report = purged(collection, gone)
    assert report.hashes == {gone[2]}
    release = PassArchive(collection.folder).release
    assert (release.purged, release.num_examples) == (3, 12)
    assert release.origin == read_release(collection.tsv)
    assert len(PurgeReceipt.load(collection.folder).purges) == 2
    assert verify(collection.folder).is_whole


def test_dry_run(
    collection: Collection, gone: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    add_removals(collection.folder, gone)
    before = {path: path.stat().st_mtime_ns for path in collection.folder.glob("[!.]*.*")}
    command = ["purge", "--dry-run", "--release", str(collection.tsv), str(collection.folder)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "PASS.2.tar: 2 of the images" in out
    assert "3 images would be deleted from 3 files" in out
    (collection.folder / INDEX_NAME).unlink(missing_ok=True)
    assert {path: path.stat().st_mtime_ns for path in collection.folder.glob("[!.]*.*")} == before


def test_loaders_take_the_folder(collection: Collection, gone: list[str]) -> None:
    """With the release named as it was published: nothing is fetched, nothing refused."""
    purged(collection, gone)
    release = read_release(collection.tsv)
    archive = provide(collection.archives())
    assert len(archive) == 12
    assert download(collection.folder, release).fetched == ()


@pytest.fixture
def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OfficialReleases]:
    """Synthetic releases in place of the published ones."""
    made = make_official(tmp_path / "archives")
    made.publish(monkeypatch)
    yield made
    monkeypatch.undo()
    releases.official_release.cache_clear()


def test_a_published_release(official: OfficialReleases) -> None:
    made = official
    gone = made.hashes("3.0.0")[:2]
    folder = made.root / "3.0.0"
    target = PurgeableArchives(ArchiveFolder.open(folder))
    purge(target, RemovalList(frozenset(gone)))
    archive = PassArchive(folder, "3.0.0")
    assert archive.release.is_official
    assert archive.release.label == "PASS 3.0.0, purged of 2 images"
    assert sorted(record.hash for record in archive) == sorted(made.hashes("3.0.0")[2:])
    assert verify(folder, "3.0.0").is_whole
    assert parse_release(format_release(archive.release), folder) == archive.release


def test_parts(collection: Collection, gone: list[str]) -> None:
    """A row whose image is in a tar that is not here stays."""
    elsewhere = collection.tar(2).rename(collection.folder.parent / "PASS.2.tar")
    report = purged(collection, gone)
    assert report.hashes == {gone[0]}
    elsewhere.rename(collection.tar(2))
    add_removals(collection.folder, [])
    archive = PassArchive(collection.folder)
    assert sorted(record.hash for record in archive) == sorted(kept(collection, gone))
    assert purged(collection, gone).hashes == set(gone[1:])
    assert verify(collection.folder).is_whole


def test_replace_brings_the_files_back_and_the_list_still_counts(
    collection: Collection, gone: list[str], tmp_path: Path
) -> None:
    import shutil

    copy = shutil.copytree(collection.folder, tmp_path / "copy")
    purged(collection, gone)
    release = read_release(collection.tsv)
    download(collection.folder, release, mirrors=[copy.as_uri()], replace=True)
    assert verify(collection.folder, release).is_whole
    archive = PassArchive(collection.folder, release)
    assert archive.release == release
    assert (len(archive), archive.removed) == (12, gone)


def test_a_purged_tar_that_is_lost(collection: Collection, gone: list[str]) -> None:
    purged(collection, gone)
    collection.tar(0).unlink()
    with pytest.raises(FolderError, match=r"PASS\.0\.tar is missing, and was purged"):
        download(collection.folder, read_release(collection.tsv))


# --- refused --------------------------------------------------------------------------------------


def test_without_a_list(collection: Collection) -> None:
    with pytest.raises(FolderError, match="no list says what to delete"):
        purged(collection, [])


def test_too_little_room(
    collection: Collection, gone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(collection.folder)
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(purging.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DiskSpaceError, match="1,000 bytes free"):
        purged(collection, gone)
    assert digests(collection.folder) == before


def test_damaged_tars_are_left_alone(collection: Collection, gone: list[str]) -> None:
    data = bytearray(collection.tar(0).read_bytes())
    data[1600] ^= 1
    collection.tar(0).write_bytes(data)
    with pytest.raises(VerificationError, match=r"PASS\.0\.tar: is not what it should be"):
        purged(collection, gone)
    assert collection.tar(0).read_bytes() == data


def test_links_are_refused(collection: Collection, gone: list[str], tmp_path: Path) -> None:
    real = collection.tar(0).rename(tmp_path / "PASS.0.tar")
    collection.tar(0).symlink_to(real)
    with pytest.raises(FolderError, match="is a link to"):
        purged(collection, gone)
    assert real.exists()


def test_hard_links_are_told(
    collection: Collection, gone: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.link(collection.tar(0), tmp_path / "other.tar")
    purged(collection, gone)
    assert "has 1 other names (hard links)" in caplog.text


# --- killed ---------------------------------------------------------------------------------------

_KILLED = """
import os, signal, sys
from pathlib import Path
from pass_dataset.builds.purging import purging
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.archives.removals import RemovalList
from pass_dataset.folders.archive_folder import ArchiveFolder

calls = 0

def killing(function):
    def killed(*arguments, **named):
        global calls
        calls += 1
        if calls == int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return killed

# Whatever changes a name on the disk, or makes bytes last.
os.replace, os.fsync, os.unlink = killing(os.replace), killing(os.fsync), killing(os.unlink)
Path.unlink = killing(Path.unlink)
target = PurgeableArchives(ArchiveFolder.open(sys.argv[1], sys.argv[2]))
purging.purge(target, RemovalList(frozenset(sys.argv[3].split(","))))
"""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_killed_at_every_step(gone: list[str], collection: Collection, tmp_path: Path) -> None:
    """After each step in turn; the folder can be read at all times but between two of them."""
    gone = gone[1:]  # of one tar
    whole = Collection(tmp_path / "whole" / "archives")
    whole.describe()
    purged(whole, gone)
    steps = 0
    for step in range(1, 200):
        made = Collection(tmp_path / f"step {step}" / "archives")
        made.describe()
        # Forked, to be quick: everything is imported already.
        pid = os.fork()
        if pid == 0:
            sys.argv = ["", str(made.folder), str(made.tsv), ",".join(gone), str(step)]
            exec(_KILLED, {})
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        purged(made, gone)
        assert digests(made.folder) == digests(whole.folder), step
        assert verify(made.folder).is_whole
        assert len(PassArchive(made.folder)) == 13
        assert not list(made.folder.glob("*.purge.part")), step
        (entry,) = PurgeReceipt.load(made.folder).purges
        assert entry.hashes == tuple(sorted(gone)), step
        if not os.WIFSIGNALED(status):
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        steps += 1
    assert 10 < steps < 199


_KILLED_WHILE_COPYING = """
import os, signal, sys
from pass_dataset.archives.removals import RemovalList
from pass_dataset.builds.purging import purging, tars
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.folders.archive_folder import ArchiveFolder

tars._COPY_BYTES = 10_000
copy, pieces = tars._copy, 0

def copy_and_die(source, target, start, stop, advance):
    def advanced(amount):
        global pieces
        pieces += 1
        if pieces == int(sys.argv[4]):
            target.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        advance(amount)

    copy(source, target, start, stop, advanced)

tars._copy = copy_and_die
target = PurgeableArchives(ArchiveFolder.open(sys.argv[1], sys.argv[2]))
purging.purge(target, RemovalList(frozenset(sys.argv[3].split(","))))
"""


def test_killed_while_copying(tmp_path: Path) -> None:
    """Tars of 40 pieces, killed in the first, in the middle and in a later one."""
    made = Collection(tmp_path / "archives", tars=3, per_tar=40, body=lambda n: bytes([n]) * 10_000)
    made.describe()
    gone = [made.hashes[n] for n in (3, 39, 41, 100)]
    for pieces in (1, 20, 60):
        arguments = [str(made.folder), str(made.tsv), ",".join(gone), str(pieces)]
        killed = subprocess.run([sys.executable, "-c", _KILLED_WHILE_COPYING, *arguments])
        assert killed.returncode == -signal.SIGKILL
    purged(made, gone)
    assert verify(made.folder).is_whole
    assert sorted(record.hash for record in PassArchive(made.folder)) == sorted(
        set(made.hashes) - set(gone)
    )
    assert set(removals_for(made.folder).listed.to_pylist()) == set(gone)
