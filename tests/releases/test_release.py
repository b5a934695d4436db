from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pass_dataset.errors import ReleaseError
from pass_dataset.releases.release import (
    OFFICIAL_VERSIONS,
    format_parts,
    format_release,
    official_release,
    parse_parts,
    parse_release,
    read_release,
    resolve_release,
)

TSV = Path("my.tsv")
SHA = "0123456789abcdef" * 4
GOOD = f"# version\t1.2.3\n-\t10\t{SHA}\tPASS.0.tar\nhttps://h/m\t5\t{SHA}\tpass_metadata.csv\n"


def test_checksums_are_the_real_ones(shared: Path) -> None:
    with (shared / "facts" / "releases.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 33
    for row in rows:
        release = official_release(row["version"])
        file = next(file for file in release.files if file.filename == row["filename"])
        assert file.size_bytes == int(row["size_bytes"])
        assert file.sha256 == row["sha256"]
        assert release.num_examples == int(row["num_examples"])
        assert release.zenodo_record == row["zenodo_record"]
        assert file.url == (
            f"https://zenodo.org/records/{row['zenodo_record']}/files/{file.filename}?download=1"
        )


@pytest.mark.parametrize(
    ("version", "size_bytes"),
    [("1.0.0", 179_696_798_656), ("2.0.0", 179_653_828_984), ("3.0.0", 179_640_190_811)],
)
def test_official_releases(version: str, size_bytes: int) -> None:
    release = official_release(version)
    assert release.size_bytes == size_bytes
    assert release.is_official
    assert release.doi == f"10.5281/zenodo.{release.zenodo_record}"
    assert release.label == f"PASS {version}"
    assert [file.filename for file in release.tars] == [f"PASS.{i}.tar" for i in range(10)]
    assert release.metadata.filename == "pass_metadata.csv"


def test_default_is_the_newest() -> None:
    assert resolve_release(None).version == "3.0.0" == OFFICIAL_VERSIONS[-1]
    assert resolve_release(None).doi == "10.5281/zenodo.6615455"


def test_a_file_that_calls_itself_3_is_not_official() -> None:
    release = parse_release(GOOD.replace("1.2.3", "3.0.0"), TSV)
    assert not release.is_official
    assert release.label == "pass 3.0.0"


@pytest.mark.parametrize("version", OFFICIAL_VERSIONS)
def test_written_and_read_back(version: str, tmp_path: Path) -> None:
    release = official_release(version)
    path = tmp_path / "any.tsv"
    path.write_text(format_release(release))
    assert read_release(path) == release == resolve_release(str(path))


def test_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    path = tmp_path / "my.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_release(path).version == "1.2.3"


def test_version_from_the_file_name() -> None:
    text = GOOD.partition("\n")[2]
    assert parse_release(text, Path("4.5.6.tsv")).version == "4.5.6"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("\t10\t", "\tten\t"), r"my\.tsv, line 2: expected the size in .*'ten'"),
        (GOOD.replace("\t10\t", "\t"), r"line 2: expected 4 tab-separated fields .* found 3"),
        (GOOD.replace(SHA, SHA[:32], 1), r"line 2: expected a SHA-256 of 64 .*found '0123"),
        (GOOD.replace("PASS.0.tar", "../PASS.0.tar"), r"line 2: expected a plain file name"),
        (GOOD.replace("PASS.0.tar", ".hidden.tar"), r"line 2: expected a plain file name"),
        (GOOD.replace("# version\t1.2.3", ""), r"expected a line '# version<TAB>X\.Y\.Z'"),
        (GOOD.replace("1.2.3", "newest"), r"found version 'newest'"),
        (GOOD.replace("# version", "# name\tMy Data\n# version"), r"expected a name of a-z"),
        (GOOD.replace("# version", "# num_examples\tmany\n# version"), r"num_examples .*'many'"),
        (GOOD + f"-\t10\t{SHA}\tPASS.0.tar\n", r"listed more than once: PASS\.0\.tar"),
        (GOOD.replace("pass_metadata.csv", "PASS.1.tar"), r"one metadata \.csv, found 2 \.tar"),
        ("", r"expected a line '# version"),
    ],
)
def test_bad_lines_are_named(text: str, message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        parse_release(text, TSV)


@pytest.mark.parametrize("name", ["4.0.0", "newest", "3", ""])
def test_unknown_release_lists_the_known(name: str) -> None:
    with pytest.raises(ReleaseError, match=r"1\.0\.0, 2\.0\.0, 3\.0\.0, or the path"):
        resolve_release(name)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"gone\.tsv: cannot be read"):
        resolve_release(tmp_path / "gone.tsv")


@pytest.mark.parametrize(
    ("text", "parts"),
    [("0", (0,)), ("0,3-5", (0, 3, 4, 5)), (" 9 , 1 - 2,2", (1, 2, 9)), ("7-7", (7,))],
)
def test_parts(text: str, parts: tuple[int, ...]) -> None:
    assert parse_parts(text) == parts


@pytest.mark.parametrize(
    ("parts", "text"), [((0,), "0"), ((5, 3, 4, 0), "0,3-5"), ((1, 2), "1-2"), ((7, 9), "7,9")]
)
def test_parts_written_and_read_back(parts: tuple[int, ...], text: str) -> None:
    assert format_parts(parts) == text
    assert parse_parts(text) == tuple(sorted(parts))


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "3-1", "1,,2", "1;2"])
def test_bad_parts(text: str) -> None:
    with pytest.raises(ReleaseError, match="parts: "):
        parse_parts(text)


def test_select_brings_the_metadata_along() -> None:
    names = [file.filename for file in official_release().select([3, 0])]
    assert names == ["PASS.0.tar", "PASS.3.tar", "pass_metadata.csv"]


@pytest.mark.parametrize("parts", [[10], [0, 11], []])
def test_select_refuses_parts_there_are_not(parts: list[int]) -> None:
    with pytest.raises(ReleaseError, match="has parts 0 to 9"):
        official_release().select(parts)
