"""Records of a release on a server are those of its archive folder."""

from __future__ import annotations

import dataclasses
import io
import multiprocessing
import os
import pickle
import random
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.archives.collection import describe_collection
from pass_dataset.archives.records import ImageRecord
from pass_dataset.archives.removals import add_removals
from pass_dataset.archives.streaming import IndexedRemoteArchive, RemoteArchive, open_remote
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.builds.purging.purging import purge
from pass_dataset.downloads.downloader import download_metadata
from pass_dataset.downloads.retries import RetryPolicy
from pass_dataset.errors import ArchiveError, DownloadError, FolderError
from pass_dataset.releases.release import Release
from tests.support.bad_server import BadServer, Kind, seeded_faults
from tests.support.collection import Collection

QUICK = RetryPolicy(base_delay_s=0.01, max_delay_s=0.05, stall_timeout_s=0.5)


@pytest.fixture
def large(tmp_path: Path) -> Collection:
    """Three tars of forty images."""
    return Collection(tmp_path / "archives", per_tar=40)


@pytest.fixture
def server(large: Collection) -> Iterator[BadServer]:
    with BadServer(large.folder) as running:
        yield running


def described(collection: Collection, server: BadServer) -> Release:
    return describe_collection(
        collection.folder, version="1.0.0", name="birds", base_url=server.url
    )


def everything(
    remote: RemoteArchive | IndexedRemoteArchive, ranges: list[tuple[int, int]]
) -> list[ImageRecord]:
    return [record for first, last in ranges for record in remote.records(first, last)]


def cuts(total: int, width: int) -> list[tuple[int, int]]:
    return [(start, min(start + width, total)) for start in range(0, total, width)]


@pytest.mark.parametrize("over_http", [True, False])
def test_a_purged_release_from_a_mirror_of_it(
    large: Collection, server: BadServer, tmp_path: Path, over_http: bool
) -> None:
    """It is published nowhere; the folder that was purged, or a server of it, has it."""
    gone, archives = large.hashes[::7], large.archives(large.describe())
    add_removals(large.folder, gone)
    purge(PurgeableArchives(archives))
    release = archives.renewed().release
    assert release.purged == len(gone)
    mirror = server.url if over_http else large.folder.as_uri()
    remote = open_remote(release, folder=tmp_path / "kept", mirrors=[mirror], policy=QUICK)
    found = everything(remote, remote.ranges(4))
    assert [record.hash for record in found] == [one for one in large.hashes if one not in gone]
    assert {record.hash: record.jpeg for record in found} == {
        record.hash: record.jpeg for record in PassArchive(large.folder)
    }
    with pytest.raises(FolderError, match="can be had nowhere but from a mirror that was purged"):
        download_metadata(tmp_path / "other", release)


@pytest.mark.parametrize("width", [5_000, 30_000, 10**9])
def test_the_records_of_the_folder(
    large: Collection, server: BadServer, tmp_path: Path, width: int
) -> None:
    release = described(large, server)
    remote = open_remote(release, folder=tmp_path / "kept")
    total = sum(file.size_bytes for file in release.tars)
    assert remote.ranges(2688)[-1][1] == total
    assert everything(remote, cuts(total, width)) == list(PassArchive(large.folder, release))


def test_a_request_a_stretch(large: Collection, server: BadServer, tmp_path: Path) -> None:
    """The end of its last image comes with it; in a row, nothing is asked for twice."""
    release = described(large, server)
    remote = open_remote(release, folder=tmp_path / "kept", parts=[0])
    ranges = cuts(release.tars[0].size_bytes, 10_000)
    for some in (ranges, cuts(release.tars[0].size_bytes, 700)):  # an image has more
        server.answers.clear()
        assert len(everything(remote, some)) == 40
        assert sum(answer.sent_bytes for answer in server.answers) <= release.tars[0].size_bytes
    server.answers.clear()
    assert len(everything(remote, ranges)) == 40
    assert sum(answer.sent_bytes for answer in server.answers) <= release.tars[0].size_bytes
    assert len(server.answers) <= len(ranges)
    server.answers.clear()
    others = [*ranges[1::2], *ranges[::2]]  # as two workers share them out
    assert len(everything(remote, others)) == 40
    assert len(server.answers) <= len(ranges) + 1


def test_stretches_in_any_order(large: Collection, server: BadServer, tmp_path: Path) -> None:
    release = described(large, server)
    remote = open_remote(release, folder=tmp_path / "kept")
    ranges = cuts(sum(file.size_bytes for file in release.tars), 7_000)
    random.Random(3).shuffle(ranges)
    found = everything(remote, ranges)
    assert sorted(record.hash for record in found) == sorted(large.hashes)


def test_parts(large: Collection, server: BadServer, tmp_path: Path) -> None:
    release = described(large, server)
    remote = open_remote(release, folder=tmp_path / "kept", parts=[2, 0])
    found = [record.hash for record in everything(remote, remote.ranges(10))]
    assert found == large.hashes[:40] + large.hashes[80:]


def test_metadata_is_fetched_once(
    large: Collection, server: BadServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    release = described(large, server)
    for _ in range(3):
        open_remote(release, folder=tmp_path / "kept")
    assert [answer.path for answer in server.answers] == ["pass_metadata.csv"]
    assert caplog.text.count("streaming needs the metadata of birds 1.0.0; fetching it once") == 1


def test_metadata_that_is_not_the_release_s(
    large: Collection, server: BadServer, tmp_path: Path
) -> None:
    release = described(large, server)
    large.csv.write_text(large.csv.read_text().replace("user1", "userX"))
    with pytest.raises(DownloadError, match=r"pass_metadata\.csv: wrong bytes"):
        open_remote(release, folder=tmp_path / "kept")


def test_image_without_metadata(large: Collection, server: BadServer, tmp_path: Path) -> None:
    """As in an archive folder: null for a collection, refused for a published release."""
    text = [line for line in large.csv.read_text().splitlines() if large.hashes[50] not in line]
    large.write_csv(text)
    release = described(large, server)
    remote = open_remote(release, folder=tmp_path / "kept")
    found = {record.hash: record for record in everything(remote, remote.ranges(5))}
    assert len(found) == 120
    assert found[large.hashes[50]].creator is None
    assert found[large.hashes[50]].date_taken is None


def test_pickles_small_and_reads_after_a_fork(
    large: Collection, server: BadServer, tmp_path: Path
) -> None:
    release = described(large, server)
    remote = open_remote(release, folder=tmp_path / "kept")
    before = next(iter(remote.records(0, 5000)))  # the parent has a connection now
    again = pickle.loads(pickle.dumps(remote))
    assert len(pickle.dumps(remote)) < 4000
    assert next(iter(again.records(0, 5000))) == before
    ranges = cuts(sum(file.size_bytes for file in release.tars), 9_000)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        found = pool.starmap(_hashes, [(remote, *pair) for pair in ranges])
    assert [name for names in found for name in names] == large.hashes


def _hashes(remote: RemoteArchive, first: int, last: int) -> list[str]:
    return [record.hash for record in remote.records(first, last)]


def test_each_process_has_its_own_connection(
    large: Collection, server: BadServer, tmp_path: Path
) -> None:
    """A connection from before the fork, used by two, would give one the other's bytes."""
    release = described(large, server)
    remote = open_remote(release, folder=tmp_path / "kept")
    list(remote.records(0, 9000))
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            found = everything(remote, remote.ranges(20))
            os._exit(0 if [record.hash for record in found] == large.hashes else 1)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_through_faults(seed: int, large: Collection, tmp_path: Path) -> None:
    weights = {
        Kind.RESET: 4.0,
        Kind.CUT: 4.0,
        Kind.SHORT: 2.0,
        Kind.TOO_MANY: 0.5,
        Kind.UNAVAILABLE: 2.0,
        Kind.HTML_PAGE: 1.0,
        Kind.HTML_AS_BYTES: 1.0,
    }
    with BadServer(large.folder, seeded_faults(seed, 20_000, 0.5, weights)) as server:
        release = described(large, server)
        remote = open_remote(release, folder=tmp_path / "kept", policy=QUICK)
        ranges = cuts(sum(file.size_bytes for file in release.tars), 15_000)
        assert everything(remote, ranges) == list(PassArchive(large.folder, release))
        assert server.num_faults >= 1


def test_other_tar_in_its_place(large: Collection, server: BadServer, tmp_path: Path) -> None:
    release = described(large, server)
    remote = open_remote(release, folder=tmp_path / "kept", policy=QUICK)
    large.tar(1).write_bytes(large.tar(1).read_bytes() + bytes(512))
    with pytest.raises(DownloadError, match=r"PASS\.1\.tar: no source is left.*expected"):
        everything(remote, remote.ranges(1))


def test_damaged_tar(large: Collection, server: BadServer, tmp_path: Path) -> None:
    release = described(large, server)
    remote = open_remote(release, folder=tmp_path / "kept", policy=QUICK)
    data = bytearray(large.tar(1).read_bytes())
    data[1024 + 150] ^= 1
    large.tar(1).write_bytes(bytes(data))
    with pytest.raises(ArchiveError, match=r"PASS\.1\.tar: no tar header at byte 1,024"):
        everything(remote, remote.ranges(1))


def test_with_an_index(large: Collection, server: BadServer, tmp_path: Path) -> None:
    release = described(large, server)
    expected = list(PassArchive(large.folder, release))
    index = (large.folder / "pass_index.arrow").rename(tmp_path / "elsewhere.arrow")
    remote = open_remote(release, folder=tmp_path / "kept", index=index)
    assert isinstance(remote, IndexedRemoteArchive)
    assert len(pickle.dumps(remote)) < 4000
    assert everything(remote, remote.ranges(7)) == expected
    assert not (tmp_path / "kept").exists()  # no metadata needed
    asked = [answer for answer in server.answers if answer.path == "PASS.1.tar"]
    assert asked
    assert all(answer.start and answer.start >= 1024 for answer in asked)
    some = open_remote(release, folder=tmp_path / "kept", index=index, parts=[1])
    assert everything(pickle.loads(pickle.dumps(some)), some.ranges(9)) == expected[40:80]


def test_index_of_something_else(large: Collection, server: BadServer, tmp_path: Path) -> None:
    release = described(large, server)
    PassArchive(large.folder, release)
    index = large.folder / "pass_index.arrow"
    files = (dataclasses.replace(release.files[0], size_bytes=1), *release.files[1:])
    other = dataclasses.replace(release, files=files)
    with pytest.raises(FolderError, match=r"index of other files than those of birds 1\.0\.0"):
        open_remote(other, folder=tmp_path / "kept", index=index)
    with pytest.raises(FolderError, match="cannot be read as an index"):
        open_remote(release, folder=tmp_path / "kept", index=large.csv)


def test_what_does_not_begin_like_a_jpeg(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Twice the same bytes: that is what the tar has, and so does a build of it."""
    made = Collection(tmp_path / "archives", tars=1, per_tar=2)
    with tarfile.open(made.tar(0), "w", format=tarfile.USTAR_FORMAT) as tar:
        for number in range(2):
            info = tarfile.TarInfo(made.name(number))
            info.size = 600
            tar.addfile(info, io.BytesIO(b"no photo".ljust(600)))
    with BadServer(made.folder) as server:
        release = described(made, server)
        remote = open_remote(release, folder=tmp_path / "kept")
        found = everything(remote, remote.ranges(1))
    assert [record.jpeg for record in found] == [b"no photo".ljust(600)] * 2
    assert "does not begin like a JPEG" in caplog.text


@pytest.mark.parametrize("with_index", [False, True])
def test_removed_images_are_left_out(
    large: Collection,
    server: BadServer,
    tmp_path: Path,
    with_index: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release = described(large, server)
    gone = [large.hashes[0], *large.hashes[50:60], large.hashes[-1]]
    path = tmp_path / "list.txt"
    path.write_text("\n".join(gone))
    monkeypatch.setenv("PASS_REMOVALS", str(path))
    index = None
    if with_index:
        PassArchive(large.folder, release)
        index = large.folder / "pass_index.arrow"
    remote = open_remote(release, folder=tmp_path / "kept", index=index, policy=QUICK)
    remote = pickle.loads(pickle.dumps(remote))
    found = everything(remote, remote.ranges(5))
    left = [one for one in large.hashes if one not in gone]
    assert [record.hash for record in found] == left
    if isinstance(remote, RemoteArchive):
        blocks = remote.blocks(remote.ranges(5), most_rows=100, most_bytes=1 << 30)
        assert [one for block in blocks for one in block.columns["hash"].to_pylist()] == left


def test_blocks_are_the_records(large: Collection, server: BadServer, tmp_path: Path) -> None:
    """However many are in one; those that somebody has are not filled anew."""
    remote = open_remote(described(large, server), folder=tmp_path / "kept", policy=QUICK)
    assert isinstance(remote, RemoteArchive)
    ranges = cuts(remote.ranges(1)[0][1], 20_000)
    records = everything(remote, ranges)
    for most_rows, most_bytes in ((1, 1 << 20), (7, 1 << 20), (100, 3000), (1000, 1 << 20)):
        blocks = list(remote.blocks(ranges, most_rows=most_rows, most_bytes=most_bytes))
        assert max(len(block.jpegs) for block in blocks) <= most_rows
        assert [one for block in blocks for one in block.jpegs.to_pylist()] == [
            record.jpeg for record in records
        ]
        for name in ("hash", "creator", "date_taken", "latitude", "longitude"):
            values = [one for block in blocks for one in block.columns[name].to_pylist()]
            assert values == [getattr(record, name) for record in records]
