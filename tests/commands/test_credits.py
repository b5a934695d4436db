from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pass_dataset.archives.removals import add_removals
from pass_dataset.commands.main import main
from tests.support.collection import Collection

COMMAND = [sys.executable, "-m", "pass_dataset", "credits"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def call(*arguments: object) -> tuple[int, str, str]:
        code = main(["credits", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def hashes_in(text: str) -> list[str]:
    return [row["hash"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_hashes_files_and_standard_input(collection: Collection, tmp_path: Path) -> None:
    first, second, third, fourth = collection.hashes[:4]
    kept = tmp_path / "kept.txt"
    kept.write_text(f"# kept\nPASS.0.tar/{second}.jpg\n{first}\n")
    done = subprocess.run(
        [*COMMAND, "--archives", str(collection.folder), "--release", str(collection.tsv),
         "--hashes", third, str(kept), "-", "--format", "csv"],
        input=f"{fourth}.jpg\n".encode(),
        capture_output=True,
        env={"PATH": "/usr/bin", "PYTHONPATH": ":".join(sys.path), "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert hashes_in(done.stdout.decode()) == [third, second, first, fourth]
    assert b"images: 4, photographers: 4; not known: title (of all)" in done.stderr
    done = subprocess.run(
        [*COMMAND, "--metadata", str(collection.csv), "--hashes", "-", "--format", "csv"],
        input=b"\xff\xff",
        capture_output=True,
    )
    assert done.returncode == 1
    assert b"standard input: cannot be read as a list of hashes" in done.stderr


def test_parquet(
    run, collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "export"
    arguments = ["--archives", collection.folder, "--release", collection.tsv]
    assert main(list(map(str, ["build", "parquet", *arguments, "--out", export]))) == 0
    capsys.readouterr()
    files = sorted((export / "data").glob("*.parquet"))
    code, printed, _ = run(*arguments, "--hashes", *files, "--format", "csv")
    assert code == 0
    assert sorted(hashes_in(printed)) == sorted(collection.hashes)
    for content in (b"no parquet", None):
        path = tmp_path / "other.parquet"
        if content is None:
            pq.write_table(pa.table({"x": [1]}), path)
        else:
            path.write_bytes(content)
        code, _, err = run(*arguments, "--hashes", path, "--format", "csv")
        assert (code, f"{path}: expected Parquet with a column 'hash'" in err) == (1, True)


@pytest.mark.parametrize(
    ("kind", "start"), [("csv", "hash,"), ("html", "<!DOCTYPE html>"), ("bibtex", "% Credits of")]
)
def test_all(run, hostile_csv: Path, tmp_path: Path, kind: str, start: str) -> None:
    """The same to a file and to standard output; names in any script whatever the terminal."""
    arguments = ["--metadata", hostile_csv, "--release", "3.0.0", "--all", "--format", kind]
    code, printed, err = run(*arguments)
    assert code == 0
    assert printed.startswith(start)
    assert "山の音" in printed
    assert "PASS 3.0.0, images: 73, photographers: 29; not known: title (of all), " in err
    out = tmp_path / f"credits.{kind}"
    code, said, _ = run(*arguments, "--out", out)
    assert code == 0
    assert said.startswith(f"{out}: PASS 3.0.0, images: 73")
    assert out.read_bytes().decode("utf-8") == printed
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([out.name, hostile_csv.name])


def test_unknown_hashes(run, collection: Collection, tmp_path: Path) -> None:
    known, other, out = collection.hashes[0], "f" * 32, tmp_path / "credits.csv"
    arguments = ["--metadata", collection.csv, "--hashes", known, other, "--format", "csv"]
    code, printed, err = run(*arguments, "--out", out)
    assert (code, printed) == (1, "")
    assert f"1 of the 2 hashes are not in the metadata of pass_metadata.csv: {other}." in err
    assert not out.exists()
    code, printed, err = run(*arguments, "--skip-unknown")
    assert (code, hashes_in(printed)) == (0, [known])
    assert "hashes left out, as the metadata do not have them: 1" in err


def test_archives_of_the_environment(
    run, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run("--all", "--format", "csv")
    assert code == 1
    assert "name the archive folder with --archives or PASS_ARCHIVES" in err
    monkeypatch.setenv("PASS_ARCHIVES", str(collection.folder))
    code, printed, _ = run("--all", "--format", "csv", "--release", collection.tsv)
    assert (code, len(hashes_in(printed))) == (0, 15)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--all"],
        ["--format", "csv"],
        ["--all", "--hashes", "a", "--format", "csv"],
        ["--all", "--format", "xml"],
        ["--all", "--format", "csv", "--metadata", "a", "--archives", "b"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["credits", *arguments])
    assert caught.value.code == 2


def test_places_that_cannot_be_written(run, hostile_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "credits.csv"
    code, _, err = run("--metadata", hostile_csv, "--all", "--format", "csv", "--out", out)
    assert code == 1
    assert f"{out}: cannot be written: No such file or directory" in err


def test_a_reader_that_has_had_enough(collection: Collection) -> None:
    """As `| head` does; the output is larger than a pipe holds."""
    big = collection.folder / "big.csv"
    rows = (f"{number},user,Attribution License,{number:030d}\n" for number in range(20_000))
    big.write_text(",unickname,licensename,hash\n" + "".join(rows))
    script = f'{" ".join(COMMAND)} --metadata "$0" --all --format csv | head -n 1'
    done = subprocess.run(["bash", "-c", script, str(big)], capture_output=True, text=True)
    assert done.stdout.startswith("hash,creator")
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_removed_while_they_are_written(
    run, collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pass_dataset.reports.credits import csv_text

    pieces = csv_text.csv_pieces

    def slowly(found):
        yield from pieces(found)
        add_removals(collection.folder, [collection.hashes[1]])

    monkeypatch.setattr(csv_text, "csv_pieces", slowly)
    out = tmp_path / "credits.csv"
    arguments = ("--archives", collection.folder, "--release", collection.tsv, "--all")
    code, _, err = run(*arguments, "--format", "csv", "--out", out)
    assert code == 1
    assert "1 of the images were put on removal lists" in err
    assert list(tmp_path.glob("*credits*")) == []
    code, _, _ = run(*arguments, "--format", "csv", "--out", out)
    assert code == 0
    assert len(hashes_in(out.read_text())) == 14
