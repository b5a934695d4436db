from __future__ import annotations

import json
from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.archives.hash_lists import read_hash_list
from pass_dataset.commands.main import main
from pass_dataset.folders.state import RECEIPT_NAME
from tests.support.bad_server import BadServer, Fault, Kind
from tests.support.collection import Collection
from tests.support.published import HASHES, Published, published

__all__ = ["published"]  # the fixture


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def call(*arguments: object) -> tuple[int, str, str]:
        code = main(["diff", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_by_release_numbers(run, published: Published, tmp_path: Path) -> None:
    code, out, _ = run("1.0.0", "2.0.0", "--archives", tmp_path / "csv")
    assert code == 0
    first, second = sorted(HASHES[:2])
    assert out.splitlines() == [
        "# PASS 1.0.0 to PASS 2.0.0: 2 removed, 0 added, 6 in both",
        "# columns only of PASS 2.0.0: datetaken, latitude, longitude",
        "# of the images in both, other values in: unickname 1",
        f"- {first}",
        f"- {second}",
    ]
    code, out, _ = run("2.0.0", "1.0.0", "--archives", tmp_path / "csv")
    assert out.splitlines()[-1] == f"+ {second}"
    code, out, _ = run(
        "3.0.0", published.csvs["3.0.0"] / "pass_metadata.csv", "--archives", tmp_path / "csv"
    )
    assert (code, "0 removed, 0 added, 5 in both" in out) == (0, True)
    assert "all values are the same" in out


def test_removed_is_a_list_for_readers(
    run, collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = Collection(tmp_path / "later", without={3, 8})
    removed = tmp_path / "removed.txt"
    code, out, _ = run(collection.csv, later.csv, "--only", "removed", "--out", removed)
    assert code == 0
    assert out.startswith(f"{removed}: pass_metadata.csv to pass_metadata.csv: 2 removed, 0 added")
    gone = sorted(collection.hashes[number] for number in (3, 8))
    assert read_hash_list(removed).to_pylist() == gone
    left = PassArchive(collection.folder, collection.tsv).leaving_out(read_hash_list(removed))
    assert {record.hash for record in left} == set(collection.hashes) - set(gone)
    code, out, _ = run(collection.csv, later.csv, "--only", "added")
    assert [line for line in out.splitlines() if not line.startswith("#")] == []


def test_json(run, published: Published, tmp_path: Path) -> None:
    out = tmp_path / "diff.json"
    arguments = ("2.0.0", "3.0.0", "--archives", tmp_path / "csv", "--format", "json")
    code, printed, _ = run(*arguments)
    assert code == 0
    content = json.loads(printed)
    assert content["removed"] == [HASHES[2]]
    assert (content["num_removed"], content["num_added"], content["num_unchanged"]) == (1, 0, 5)
    assert content["old"]["label"] == "PASS 2.0.0"
    assert content["changed_values"]["unickname"] == 0
    assert content["not_as_expected"] == []
    run(*arguments, "--out", out)
    assert out.read_text() == printed
    with pytest.raises(SystemExit) as caught:
        run(*arguments, "--only", "removed")
    assert caught.value.code == 2


def test_folders(run, collection: Collection, tmp_path: Path) -> None:
    later = Collection(tmp_path / "later", without={3})
    for folder in (collection, later):
        folder.describe()
        folder.tsv.rename(folder.folder / "mine.tsv")
    code, out, _ = run(collection.folder, later.folder)
    assert code == 0
    assert "# pass 1.0.0 to pass 1.0.0: 1 removed, 0 added, 14 in both" in out


def test_download_of_the_csv_alone(run, published: Published, tmp_path: Path) -> None:
    """Over HTTP, with faults; verified, kept, and not fetched again."""
    cache = tmp_path / "cache"
    code, _, err = run("2.0.0", "3.0.0", "--archives", cache)
    assert code == 1
    assert f"{cache / '2.0.0' / 'pass_metadata.csv'}: no file; " in err
    assert "--download" in err

    def cut(path: str, start: int | None) -> Fault | None:
        return Fault(Kind.CUT, after_bytes=100) if start is None else None

    for version in ("2.0.0", "3.0.0"):
        with BadServer(published.csvs[version], cut) as server:
            fetched = (version, version, "--archives", cache, "--download", "--mirror", server.url)
            assert run(*fetched)[0] == 0
            asked = len(server.answers)
            assert asked >= 2
            assert run(*fetched)[0] == 0
            assert len(server.answers) == asked
    code, out, _ = run("2.0.0", "3.0.0", "--archives", cache)
    assert (code, "PASS 2.0.0 to PASS 3.0.0: 1 removed" in out) == (0, True)
    files = {path.name for path in cache.rglob("*") if path.is_file()}
    assert "pass_metadata.csv" in files and RECEIPT_NAME in files
    assert not any(name.endswith((".tar", ".part")) for name in files)


def test_downloads_go_to_the_cache(run, published: Published, tmp_path: Path) -> None:
    mirror = published.csvs["3.0.0"].as_uri()
    assert run("3.0.0", "3.0.0", "--download", "--mirror", mirror)[0] == 0
    code, out, _ = run("3.0.0", published.csvs["1.0.0"] / "pass_metadata.csv")
    assert (code, "3 added" in out) == (0, True)


def test_other_bytes_are_refused(run, published: Published, tmp_path: Path) -> None:
    path = published.csvs["1.0.0"] / "pass_metadata.csv"
    path.write_bytes(path.read_bytes().replace(b"user1", b"user9"))
    code, _, err = run("1.0.0", "2.0.0", "--archives", tmp_path / "csv")
    assert code == 1
    assert f"{path}: has the size of the metadata of PASS 1.0.0 but another SHA-256" in err


def test_the_folder_of_another_release(run, published: Published) -> None:
    folder = published.csvs["3.0.0"]
    code, _, err = run("1.0.0", "3.0.0", "--archives", folder)
    assert code == 1
    size_bytes = (folder / "pass_metadata.csv").stat().st_size
    assert f"{folder / 'pass_metadata.csv'}: a file of {size_bytes:,} bytes" in err


@pytest.mark.parametrize("given", ["4.0.0", "nothing.csv", "none.tsv"])
def test_what_is_not_there(run, published: Published, given: str) -> None:
    code, _, err = run(given, published.csvs["3.0.0"] / "pass_metadata.csv")
    assert code == 1
    assert given in err
