from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pass_dataset.folders.receipt import Receipt, ReceiptEntry
from pass_dataset.folders.state import RECEIPT_NAME
from tests.properties.damage import damaged

entries = st.builds(
    ReceiptEntry,
    size_bytes=st.integers(0, 1 << 62),
    mtime_ns=st.integers(0, 1 << 62),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    verified=st.just("2026-01-01T00:00:00Z"),
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archives")


def check(folder: Path, content: bytes) -> None:
    """Whatever is there: a receipt, or an empty one, and never an error."""
    (folder / RECEIPT_NAME).write_bytes(content)
    receipt = Receipt.load(folder)
    assert receipt.folder == folder
    assert all(isinstance(entry, ReceiptEntry) for entry in receipt.entries.values())


@given(found=st.dictionaries(names, entries, max_size=4))
def test_what_was_written_is_read(folder: Path, found: dict[str, ReceiptEntry]) -> None:
    Receipt(folder, None, found).save()
    assert Receipt.load(folder).entries == found


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(content=st.one_of(st.binary(max_size=100), json_values.map(json.dumps).map(str.encode)))
@example(content=b"[" * 5000)
@example(content=b'{"schema": 1, "files": {"a": {}}, "release": null}')
@example(content=b'{"schema": 1, "files": [], "release": 7}')
@example(content=b'{"schema": ' + b"9" * 5000 + b"}")
@example(content=b"\xff\xfe")
def test_any_bytes(folder: Path, content: bytes) -> None:
    check(folder, content)


@given(data=st.data(), found=st.dictionaries(names, entries, max_size=2))
def test_damaged(folder: Path, data: st.DataObject, found: dict[str, ReceiptEntry]) -> None:
    Receipt(folder, None, found).save()
    check(folder, data.draw(damaged((folder / RECEIPT_NAME).read_bytes())))
