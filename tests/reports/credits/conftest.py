from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.reports.credits import Credits, read_credits
from tests.reports.credits.hostile import write_csv


@pytest.fixture
def hostile_csv(tmp_path: Path) -> Path:
    """Metadata of photographers with the oddest names."""
    path = tmp_path / "hostile.csv"
    write_csv(path)
    return path


@pytest.fixture
def hostile(hostile_csv: Path) -> Credits:
    """Their credits, as if they were of the newest release."""
    return read_credits(hostile_csv, release="3.0.0")


@pytest.fixture
def mixed(tmp_path: Path) -> Credits:
    """A collection of one's own, under several licences."""
    path = tmp_path / "mine.csv"
    path.write_text(
        "unickname,licensename,hash\n"
        f"ann,Attribution License,{'a' * 30}\n"
        f"ann,CC0_1.0 & more,{'b' * 30}\n"
        f"bob,,{'c' * 30}\n"
        f"ann,Attribution License,{'0' * 30}\n"
    )
    return read_credits(path)
