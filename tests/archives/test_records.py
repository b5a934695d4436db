from __future__ import annotations

import datetime
import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
import tarfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pass_dataset import ImageRecord, PassArchive
from pass_dataset.archives.order import shard_bounds, shuffled_order
from pass_dataset.archives.removals import RemovalList
from pass_dataset.builds.purging.archives import PurgeableArchives
from pass_dataset.builds.purging.purging import purge
from pass_dataset.errors import (
    ArchiveError,
    ArchiveReplacedError,
    FolderError,
    RecordNotFoundError,
    ReleaseError,
)
from pass_dataset.folders.archive_folder import ArchiveFolder
from tests.support.collection import Collection, jpeg


@pytest.fixture
def archive(collection: Collection) -> PassArchive:
    return PassArchive(collection.folder, collection.tsv)


def hashes(records) -> list[str]:
    return [record.hash for record in records]


def jpegs_of(archive: PassArchive) -> list[bytes]:
    return [record.jpeg for record in archive]


def test_a_record(archive: PassArchive, collection: Collection) -> None:
    assert len(archive) == 15
    assert archive[3] == ImageRecord(
        hash=collection.hashes[3],
        jpeg=jpeg(3),
        creator="user3%3C3",
        license="Attribution License",
        date_taken=datetime.datetime(2007, 5, 4, 6, 11, 48),
        date_taken_text="2007-05-04 06:11:48.0",
        latitude=53.535233,
        longitude=-113.565075,
    )
    assert archive[6].date_taken is archive[6].date_taken_text is None
    assert archive[1].latitude is archive[1].longitude is None
    assert "jpeg" not in repr(archive[0])


def test_positions(archive: PassArchive, collection: Collection) -> None:
    assert hashes(archive) == collection.hashes
    assert jpegs_of(archive) == [jpeg(n) for n in range(15)]
    assert archive[-1] == archive[14] == archive[np.int64(14)]
    for position in (15, -16):
        with pytest.raises(IndexError):
            archive[position]


@pytest.mark.parametrize("key", [slice(2, 9), slice(None, None, 4), slice(9, 2, -3), slice(20, 30)])
def test_slices_are_views(archive: PassArchive, collection: Collection, key: slice) -> None:
    view = archive[key]
    assert hashes(view) == collection.hashes[key]
    assert len(view) == len(collection.hashes[key])
    assert hashes(view[1:]) == collection.hashes[key][1:]


def test_lists_are_views(archive: PassArchive, collection: Collection) -> None:
    expected = [collection.hashes[n] for n in (7, 0, 7, 14)]
    assert hashes(archive[[7, 0, 7, -1]]) == expected
    assert hashes(archive[np.array([7, 0, 7, -1])][::-1]) == expected[::-1]
    assert archive[[7, 0]][1].hash == collection.hashes[0]


def test_by_hash(archive: PassArchive, collection: Collection) -> None:
    for number, image in enumerate(collection.hashes):
        assert archive.by_hash(image).jpeg == jpeg(number)
    assert collection.hashes[0] in archive
    assert "ab" not in archive
    with pytest.raises(RecordNotFoundError, match=r"no image 'ab' among the 15 of pass 1.0.0"):
        archive.by_hash("ab")
    with pytest.raises(KeyError):
        archive.by_hash("ab")


def test_by_hash_within_a_view(archive: PassArchive, collection: Collection) -> None:
    for view in (archive[5:], archive[list(range(5, 15))]):
        assert view.by_hash(collection.hashes[5]).hash == collection.hashes[5]
        with pytest.raises(RecordNotFoundError, match=r"among the 10"):
            view.by_hash(collection.hashes[4])


@pytest.mark.parametrize("count", [1, 2, 4, 7, 15, 20])
@pytest.mark.parametrize("seed", [None, 0, 5])
def test_shards_have_every_record_once(
    archive: PassArchive, collection: Collection, count: int, seed: int | None
) -> None:
    shares = [hashes(archive.iterate((number, count), seed)) for number in range(count)]
    together = [image for share in shares for image in share]
    assert sorted(together) == sorted(collection.hashes)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert together == hashes(archive.iterate(shuffle_seed=seed))


def test_shuffle_is_fixed_by_the_seed(archive: PassArchive, collection: Collection) -> None:
    first = hashes(archive.iterate(shuffle_seed=1))
    assert first == hashes(archive.iterate(shuffle_seed=1))
    assert first != hashes(archive.iterate(shuffle_seed=2))
    assert first != collection.hashes
    view = hashes(archive[5:10].iterate(shuffle_seed=1))
    assert sorted(view) == sorted(collection.hashes[5:10])


def test_shuffled_order_never_changes() -> None:
    """Runs resumed with another version must see the same order: these numbers are for good."""
    assert shuffled_order(10, 0).tolist() == [2, 4, 1, 7, 6, 9, 5, 0, 8, 3]
    assert shuffled_order(10, 1).tolist() == [6, 1, 9, 3, 5, 2, 0, 4, 8, 7]


def test_shuffled_order_is_a_fair_permutation() -> None:
    order = shuffled_order(100_000, 3)
    assert np.array_equal(np.sort(order), np.arange(100_000))
    # Mean distance of a random permutation's neighbours is a third of the length.
    assert abs(np.abs(np.diff(order)).mean() / 100_000 - 1 / 3) < 0.01
    assert (shuffled_order(100_000, 4) == order).mean() < 0.001


@pytest.mark.parametrize("shard", [(1, 1), (-1, 2), (0, 0), (2, 2)])
def test_shards_there_are_not(archive: PassArchive, shard: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"shard: expected"):
        list(archive.iterate(shard))
    with pytest.raises(ValueError, match=r"shard: expected"):
        shard_bounds(10, shard)


def test_parts(archive: PassArchive, collection: Collection) -> None:
    some = PassArchive(collection.folder, collection.tsv, parts=[2, 0])
    assert hashes(some) == collection.hashes[:5] + collection.hashes[10:]
    with pytest.raises(ReleaseError, match=r"has parts 0 to 2; asked for: 3"):
        PassArchive(collection.folder, collection.tsv, parts=[3])
    collection.tar(1).unlink()
    with pytest.raises(ArchiveError, match=r"PASS\.1\.tar is missing"):
        PassArchive(collection.folder, collection.tsv, parts=[1])


def test_small_pickle(archive: PassArchive, collection: Collection) -> None:
    list(archive[:3])
    data = pickle.dumps(archive)
    assert len(data) < 5000
    assert hashes(pickle.loads(data)) == collection.hashes
    assert hashes(pickle.loads(pickle.dumps(archive[4:6]))) == collection.hashes[4:6]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes(archive: PassArchive, method: str) -> None:
    list(archive[:7])  # tars are open already when the process forks
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        read = list(pool.map(jpegs_of, [archive[n::3] for n in range(3)]))
    assert [read[n % 3][n // 3] for n in range(15)] == [jpeg(n) for n in range(15)]


def test_threads(archive: PassArchive) -> None:
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda n: archive[n % 15].jpeg, range(600)))
    assert read == [jpeg(n % 15) for n in range(600)]


def test_closed_and_opened_again(archive: PassArchive) -> None:
    assert archive[0].jpeg == jpeg(0)
    archive.close()
    assert archive[0].jpeg == jpeg(0)


def test_tar_cut_after_it_was_indexed(archive: PassArchive, collection: Collection) -> None:
    tar = collection.tar(2)
    tar.write_bytes(tar.read_bytes()[:1024])
    message = r"PASS\.2\.tar: is not the file that was indexed: expected 10,240 .*found 1,024"
    with pytest.raises(ArchiveReplacedError, match=message):
        archive[14]
    tar.unlink()
    archive.close()
    with pytest.raises(ArchiveError, match=r"PASS\.2\.tar: image .* cannot be read: No such file"):
        archive[14]


def test_tar_cut_while_it_is_read(archive: PassArchive, collection: Collection) -> None:
    assert archive[10].jpeg == jpeg(10)
    tar = collection.tar(2)
    os.truncate(tar, 1024)
    message = rf"PASS\.2\.tar: image {collection.hashes[14]} at byte .*expected 400 bytes, found 0"
    with pytest.raises(ArchiveError, match=message):
        archive[14]


def test_release_is_told_from_a_checksum_file_in_the_folder(collection: Collection) -> None:
    with pytest.raises(FolderError, match=r"cannot tell which release .*pass-dataset checksums"):
        PassArchive(collection.folder)
    collection.tsv.rename(collection.folder / "mine.tsv")
    assert PassArchive(collection.folder).release.version == "1.0.0"


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_no_such_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match=rf"{name}: expected an archive folder, found"):
        PassArchive(tmp_path / name)


def test_release_1(collection: Collection) -> None:
    lines = [f"{n},user,{image}" for n, image in enumerate(collection.hashes)]
    collection.write_csv([",unickname,hash", *lines])
    collection.describe()
    record = PassArchive(collection.folder, collection.tsv)[0]
    assert record.creator == "user"
    assert record.date_taken is record.latitude is record.longitude is record.license is None


def test_many_records_need_little_memory(tmp_path: Path) -> None:
    """Records are read block by block: what iterating adds does not grow with their number."""
    import tracemalloc

    collection = Collection(tmp_path / "large", tars=2, per_tar=3000)
    collection.describe()
    archive = PassArchive(collection.folder, collection.tsv)
    tracemalloc.start()
    for _ in archive:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(archive) == 6000
    assert peak < 2e6


def test_end_of_the_program_is_silent(collection: Collection) -> None:
    code = (
        "import sys; from pass_dataset import PassArchive; "
        "archive = PassArchive(sys.argv[1], sys.argv[2]); archive[0]; archive[1:3][0]"
    )
    command = [sys.executable, "-X", "dev", "-c", code, collection.folder, collection.tsv]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_tars_are_closed_with_the_archive(collection: Collection) -> None:
    archive = PassArchive(collection.folder, collection.tsv)
    before = len(list(Path("/proc/self/fd").iterdir()))
    jpegs_of(archive)
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 3
    del archive
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_reading_into_a_buffer(collection: Collection) -> None:
    from pass_dataset.archives.open_tars import OpenTars

    archive = PassArchive(collection.folder, collection.tsv)
    row = archive[3:4].columns(["tar", "offset", "size_bytes", "hash"]).to_pylist()[0]
    place = (row["tar"], row["offset"])
    tars = OpenTars(archive.folder, archive.summary.tars)
    buffer = bytearray(row["size_bytes"] + 2)
    tars.read_into(*place, memoryview(buffer)[1:-1], row["hash"])
    assert bytes(buffer) == b"\0" + archive[3].jpeg + b"\0"
    size_bytes = (archive.folder / archive.summary.tars[0]).stat().st_size
    with pytest.raises(ArchiveError, match=rf"{row['hash']} at byte .* found {100:,}: the tar was"):
        tars.read_into(row["tar"], size_bytes - 100, memoryview(buffer), row["hash"])
    tars.close()


def test_hard_links_are_read_and_purged(collection: Collection) -> None:
    with tarfile.open(collection.tar(0), "a") as tar:
        for name, number in (("twin", 0), ("other", 1)):
            link = tarfile.TarInfo(f"PASS_dataset/0/{name}.jpg")
            link.type, link.linkname = tarfile.LNKTYPE, collection.name(number)
            tar.addfile(link)
    archives = collection.archives(collection.describe())
    archive = PassArchive(archives)
    assert [archive.by_hash(name).jpeg for name in ("twin", "other")] == [jpeg(0), jpeg(1)]
    assert len(archive) == 17
    # Its bytes would go with the image that it leads to.
    with pytest.raises(ArchiveError, match=r"twin\.jpg is a hard link to .* Put both on the list"):
        purge(PurgeableArchives(archives), RemovalList(frozenset(collection.hashes[:1])))
    purge(PurgeableArchives(archives), RemovalList(frozenset({"twin", collection.hashes[0]})))
    left = PassArchive(collection.folder)
    assert [left.by_hash(name).jpeg for name in ("other", collection.hashes[1])] == [jpeg(1)] * 2
    assert len(left) == 15


def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    """Latin-1, as old systems have it."""
    mine = Collection(tmp_path / os.fsdecode(b"photos\xe9"))
    mine.describe()
    assert jpegs_of(PassArchive(mine.folder, mine.tsv)) == [jpeg(n) for n in range(15)]
    assert len(PassArchive(mine.folder, mine.tsv)) == 15


def test_home_folders(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(collection.folder.parent))
    name = collection.folder.name
    collection.tsv.rename(collection.folder / "mine.tsv")
    archive = PassArchive(f"~/{name}", f"~/{name}/mine.tsv")
    assert archive.folder == collection.folder
    assert len(archive) == 15
    assert ArchiveFolder.of(f"~/{name}/mine.tsv", f"~/{name}").path == collection.folder
