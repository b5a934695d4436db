from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from pass_dataset.files.checked_json import load_json, save_json

CONTENT = {"size": 12345, "names": ("a", "ü\udcff"), "half": 0.5, "none": None, "in": {"b": [1]}}


def test_saved_and_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    save_json(path, CONTENT, indent=1)
    assert load_json(path) == {**CONTENT, "names": ["a", "ü\udcff"]}
    assert json.loads(path.read_text())["size"] == 12345


def test_flipped_bits(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    save_json(path, CONTENT)
    content, chance, told = path.read_bytes(), random.Random(1), 0
    for _ in range(200):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        try:
            found = load_json(path)
        except ValueError:
            told += 1
        else:
            # Blanks, or the name of the checksum itself: what it says is the same.
            assert {key: found[key] for key in CONTENT} == json.loads(json.dumps(CONTENT))
    assert told > 150


@pytest.mark.parametrize("text", ["[]", "3", "{", "[" * 100_000, '{"a":' + "9" * 5000 + "}", ""])
def test_what_is_no_object(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"."):
        load_json(tmp_path / "a.json")


def test_of_former_versions(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"schema": 1}')
    assert load_json(tmp_path / "a.json") == {"schema": 1}
