from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.errors import SourceError
from pass_dataset.passify.runs.exclusions import Exclusions


def test_paths_and_hashes(tmp_path: Path) -> None:
    listed = tmp_path / "out.txt"
    listed.write_bytes(
        b"a/b.jpg\r\n\ncaf\xe9.jpg\n\\new\\nline.jpg\n" + b"AB" * 32 + b"\nsha256:" + b"cd" * 32
    )
    found = Exclusions.load(listed)
    assert found.paths == {"a/b.jpg", "\\caf\\xe9.jpg", "\\new\\nline.jpg"}
    assert found.hashes == {"ab" * 32, "cd" * 32}
    assert len(found) == 5


def test_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.txt: No such file"):
        Exclusions.load(tmp_path / "none.txt")
