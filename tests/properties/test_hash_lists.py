from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pass_dataset.archives.hash_lists import is_hash, line_of, parse_hash_list, read_hash_list
from pass_dataset.errors import MetadataError
from tests.properties.damage import damaged

hashes = st.text("0123456789abcdef", min_size=16, max_size=32)
lines = st.tuples(
    st.sampled_from(["", " ", "PASS_dataset/0/", "/data/a b/"]),
    hashes,
    st.sampled_from(["", ".jpg", ".jpeg", ".jpg  "]),
)
others = st.sampled_from(["", "  ", "# a comment", "#"])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each example writes its file."""
    return tmp_path_factory.mktemp("lists") / "kept.txt"


@given(
    content=st.lists(st.one_of(lines, others)),
    line_end=st.sampled_from(["\n", "\r\n"]),
    start=st.sampled_from(["", "\ufeff"]),
)
def test_what_was_written_is_read(
    path: Path, content: list[tuple[str, str, str] | str], line_end: str, start: str
) -> None:
    text = line_end.join("".join(line) for line in content)
    path.write_bytes((start + text).encode())
    expected = [line[1] for line in content if isinstance(line, tuple)]
    assert read_hash_list(path).to_pylist() == expected
    assert all(map(is_hash, expected))


def check(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        found = read_hash_list(path).to_pylist()
    except MetadataError as error:
        assert str(path) in str(error)
    else:
        assert all(name.strip() for name in found)
        # What is written of them is read as the same.
        path.write_text("".join(f"{line_of(name)}\n" for name in found), encoding="utf-8")
        assert read_hash_list(path).to_pylist() == found


@given(content=st.binary(max_size=200))
@example(content=b"\xff")
@example(content=b"\0")
@example(content=b"a" * 32 + b"\x1c" + b"b" * 32)
@example(content=("\N{ARABIC-INDIC DIGIT ONE}" * 30).encode())
def test_any_bytes(path: Path, content: bytes) -> None:
    check(path, content)


@given(data=st.data(), content=st.lists(lines.map("".join), max_size=4))
def test_damaged_list(path: Path, data: st.DataObject, content: list[str]) -> None:
    check(path, data.draw(damaged("\n".join(content).encode())))


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("a" * 32 + "\n")
def test_any_text(text: str) -> None:
    try:
        parse_hash_list(text, "here")
    except MetadataError as error:
        assert str(error).startswith("here: ")
    assert not is_hash(text + "\n")
