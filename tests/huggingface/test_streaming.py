"""Streaming over HTTP: little is fetched, and however it is shared out each record comes once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from datasets.distributed import split_dataset_by_node

from pass_dataset import PassArchive
from pass_dataset.errors import FolderError, MissingExtraError
from tests.huggingface.conftest import Published


def hashes(stream: Any) -> list[str]:
    return [row["hash"] for row in stream]


def shards(stream: Any) -> int:
    return int(stream.n_shards)


def test_every_record_as_in_the_folder(published: Published) -> None:
    rows = list(published.stream())
    assert [row["hash"] for row in rows] == published.hashes
    for row, record in zip(
        rows, PassArchive(published.nginx.folder, published.release, save_index=False), strict=True
    ):
        assert row["image"] == {"bytes": record.jpeg, "path": f"{record.hash}.jpg"}
        assert row["creator_uname"] == record.creator
        assert row["date_taken"] == record.date_taken
        assert (row["gps_lat"] is None) == (record.latitude is None)


@pytest.mark.parametrize("local", [False, True])
def test_as_tables(published: Published, local: bool) -> None:
    """The same rows; a stream of tables goes on where it was, and is shared out, as any other."""
    where = {"data_dir": str(published.nginx.folder), "mirrors": ()} if local else {}
    stream = published.stream(tables=True, **where).with_format("arrow")
    assert shards(stream) == shards(published.stream(**where))
    tables = list(stream.iter(batch_size=64))
    assert [table.num_rows for table in tables] == [64] * 9 + [24]
    rows = [row for table in tables for row in table.to_pylist()]
    for row, other in zip(rows, published.stream(**where), strict=True):
        for name in ("gps_lat", "gps_lon"):  # of 32 bits in a table
            found, expected = row.pop(name), other.pop(name)
            assert found == (None if expected is None else float(np.float32(expected)))
        assert row == other
    batches = iter(stream.iter(batch_size=64))
    for _ in range(3):
        next(batches)
    again = published.stream(tables=True, **where).with_format("arrow")
    again.load_state_dict(stream.state_dict())
    rest = [name for table in again.iter(batch_size=64) for name in table["hash"].to_pylist()]
    assert rest == published.hashes[192:]
    mine = split_dataset_by_node(stream, rank=1, world_size=2)
    others = split_dataset_by_node(stream, rank=0, world_size=2)
    halves = [table["hash"][0].as_py() for part in (mine, others) for table in part]
    assert sorted(halves) == sorted(published.hashes)


def test_tables_of_a_library_that_has_none(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not part of its interface may be gone: said in words, with what to do."""
    monkeypatch.delattr(datasets.iterable_dataset, "ArrowExamplesIterable")
    with pytest.raises(MissingExtraError, match="Leave out tables=: a stream of rows"):
        published.stream(tables=True)
    assert next(iter(published.stream()))["hash"] == published.hashes[0]


def test_the_first_record_fetches_little(published: Published) -> None:
    stream = published.stream()
    published.nginx.forget()
    assert next(iter(stream))["hash"] == published.hashes[0]
    # A megabyte is asked for at first; the tar has ten.
    assert 0 < published.nginx.sent_bytes() < 3 << 20


def test_a_full_pass_fetches_little_more_than_there_is(published: Published) -> None:
    stream = published.stream()
    tars = sum(path.stat().st_size for path in published.nginx.folder.glob("*.tar"))
    published.nginx.forget()
    assert len(hashes(stream)) == 600
    sent = published.nginx.sent_bytes()
    assert tars * 0.99 < sent < 1.02 * tars
    connections = {answer.connection for answer in published.nginx.asked()}
    assert len(connections) == 1


def test_metadata_comes_once(published: Published) -> None:
    published.stream()
    published.nginx.forget()
    hashes(published.stream().take(3))
    assert published.nginx.sent_bytes(".csv") == 0


@pytest.mark.slow
def test_shuffle_skip_take(published: Published) -> None:
    stream = published.stream()
    assert hashes(stream.skip(590)) == published.hashes[590:]
    assert hashes(stream.skip(10).take(5)) == published.hashes[10:15]
    shuffled = hashes(stream.shuffle(seed=3, buffer_size=50))
    assert shuffled != published.hashes
    assert sorted(shuffled) == sorted(published.hashes)
    assert hashes(stream.shuffle(seed=3, buffer_size=50)) == shuffled
    assert hashes(stream.shuffle(seed=4, buffer_size=50)) != shuffled


@pytest.mark.parametrize("seed", [None, pytest.param(7, marks=pytest.mark.slow)])
@pytest.mark.parametrize("seen", [1, 7, 299, 600])
def test_resume(published: Published, seen: int, seed: int | None) -> None:
    def make() -> Any:
        stream = published.stream()
        return stream if seed is None else stream.shuffle(seed=seed, buffer_size=1)

    stream = make()
    rows = iter(stream)
    before = [next(rows)["hash"] for _ in range(seen)]
    state = stream.state_dict()
    again = make()
    again.load_state_dict(state)
    after = hashes(again)
    assert Counter(before + after) == Counter(published.hashes)


def test_resume_fetches_little(published: Published) -> None:
    stream = published.stream()
    rows = iter(stream)
    for _ in range(450):
        next(rows)
    again = published.stream()
    again.load_state_dict(stream.state_dict())
    rows.close() if hasattr(rows, "close") else None
    published.nginx.forget()
    assert next(iter(again))["hash"] == published.hashes[450]
    assert published.nginx.sent_bytes() < 4 << 20


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [2, 3, 7])
def test_split_by_node(published: Published, nodes: int) -> None:
    stream = published.stream()
    found = [hashes(split_dataset_by_node(stream, rank, nodes)) for rank in range(nodes)]
    assert Counter(name for names in found for name in names) == Counter(published.hashes)
    assert min(map(len, found)) > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This DataLoader will create 7 worker processes")
@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("how", ["fork", "spawn"])
def test_torch_workers(published: Published, workers: int, how: str) -> None:
    torch_data = pytest.importorskip("torch.utils.data")
    if how == "spawn" and workers == 7:
        pytest.skip("seven fresh processes that import torch take too long; two have shown it")
    stream = published.stream()
    next(iter(stream))  # the parent has a connection, which no child may use
    loader = torch_data.DataLoader(
        stream, batch_size=None, num_workers=workers, multiprocessing_context=how
    )
    assert Counter(hashes(loader)) == Counter(published.hashes)


@pytest.mark.slow
def test_with_an_index(published: Published, tmp_path: Path) -> None:
    """Exact bytes: neither metadata nor headers are fetched."""
    from pass_dataset.archives.index import build_index
    from pass_dataset.archives.saved_index import marks_of, save_index
    from pass_dataset.folders.archive_folder import ArchiveFolder
    from pass_dataset.releases.release import read_release

    archives = ArchiveFolder.at(published.nginx.folder, read_release(published.release))
    index = tmp_path / "pass_index.arrow"
    save_index(archives, build_index(archives), marks_of(archives))
    (published.nginx.folder / "pass_index.arrow").rename(index)
    stream = published.stream(index=str(index), cache_dir=str(tmp_path / "cache"))
    assert shards(stream) == 600
    published.nginx.forget()
    assert hashes(stream.skip(5).take(10)) == published.hashes[5:15]
    assert hashes(stream.shuffle(seed=1, buffer_size=1).take(3)) != published.hashes[:3]
    assert hashes(stream) == published.hashes
    assert published.nginx.sent_bytes(".csv") == 0


def test_a_release_has_many_shards(published: Published, tmp_path: Path) -> None:
    assert shards(published.stream()) >= 100  # 30 MB
    builder = datasets.load_dataset_builder("pass", cache_dir=str(tmp_path))
    from pass_dataset.archives.streaming.stretches import byte_ranges

    tars = builder.config.selection.release.tars
    assert len(byte_ranges(sum(file.size_bytes for file in tars), 2688)) == 2688


def test_a_folder_is_read_where_it_lies(published: Published, tmp_path: Path) -> None:
    """No second copy, and nothing over the network."""
    published.nginx.forget()
    stream = published.stream(
        data_dir=str(published.nginx.folder), cache_dir=str(tmp_path), mirrors=()
    )
    assert shards(stream) == 600
    assert hashes(stream) == published.hashes
    assert published.nginx.sent_bytes() == 0
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 1000


def test_a_half_downloaded_folder(published: Published, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    folder.mkdir()
    for name in ("PASS.0.tar", "pass_metadata.csv"):
        (folder / name).symlink_to(published.nginx.folder / name)
    (folder / "PASS.1.tar.part").write_bytes(b"half")
    cache = str(tmp_path / "cache")
    with pytest.raises(FolderError, match=r"PASS\.1\.tar, PASS\.2\.tar .* are missing") as caught:
        published.stream(data_dir=str(folder), cache_dir=cache)
    assert "pass-dataset download" in str(caught.value)
    stream = published.stream(data_dir=str(folder), cache_dir=cache, parts="0")
    assert hashes(stream) == published.hashes[: len(hashes(stream))]


def test_data_dir_that_is_not_there(published: Published, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"none: streaming reads archives that are whole"):
        published.stream(data_dir=str(tmp_path / "none"), cache_dir=str(tmp_path))
