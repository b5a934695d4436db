"""Settings: read strictly, and told apart by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from pass_dataset.curate.settings import (
    as_content,
    differences,
    load_settings,
    section,
    settings_sha256,
)
from pass_dataset.errors import CurationError


@dataclass(frozen=True)
class Balance:
    key: str
    per_photographer: int | None = 80
    share: float = 1.0
    order: Literal["seeded", "first"] = "seeded"
    licenses: tuple[str, ...] = ("by",)
    box: tuple[float, float] | None = None
    columns: dict[str, str] | None = None
    strict: bool = False

    def __post_init__(self) -> None:
        if self.share > 1:
            raise ValueError(f"share: expected at most 1, found {self.share}")


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        '[balance]\nkey = "a"\nshare = 1\nlicenses = ["by", "by-sa"]\nbox = [1, 2.5]\n'
        'columns = { url = "address" }\n'
    )
    found = section(Balance, load_settings(path)["balance"], "here")
    assert found == Balance(
        "a", share=1.0, licenses=("by", "by-sa"), box=(1.0, 2.5), columns={"url": "address"}
    )
    content = as_content(found)
    assert content["licenses"] == ["by", "by-sa"]
    assert section(Balance, content, "ledger") == found
    assert settings_sha256(content) == settings_sha256(dict(reversed(content.items())))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("per_photografer = 3", "'per_photografer' is no setting; there are: key, per_phot"),
        ("per_photographer = '3'", "here per_photographer: expected a whole number, found '3'"),
        ("per_photographer = true", "here per_photographer: expected a whole number, found True"),
        ("strict = 1", "here strict: expected true or false, found 1"),
        ("licenses = 'by'", "here licenses: expected an array of text, found 'by'"),
        ("licenses = [1]", "here licenses: expected text, found 1"),
        ("box = [1.0]", "here box: expected an array of a number, found"),
        ("order = 'last'", "here order: expected 'seeded' or 'first', found 'last'"),
        ("share = 2.0", "here: share: expected at most 1, found 2.0"),
        ("strict = false", "here: key is missing"),
    ],
)
def test_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text if "strict" in text and "false" in text else f"key = 'a'\n{text}")
    with pytest.raises(CurationError) as raised:
        section(Balance, load_settings(path), "here")
    assert message in str(raised.value)


def test_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    with pytest.raises(CurationError, match="No such file"):
        load_settings(path)
    path.write_text("[balance")
    with pytest.raises(CurationError, match="expected settings as TOML"):
        load_settings(path)


def test_differences() -> None:
    assert differences({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": None}) == [
        "b: it was begun with 2, asked for is 3"
    ]
