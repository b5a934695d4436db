from __future__ import annotations

import random

import pytest

from pass_dataset.archives.list_lines import line_to_name
from pass_dataset.passify.sources.names import name_to_text, text_to_name

NAMES = {
    b"n01440764/image 1.JPEG": "n01440764/image 1.JPEG",
    "Ünïcode/日本.jpg".encode(): "Ünïcode/日本.jpg",
    b"quotes ' \" `$x`.jpg": "quotes ' \" `$x`.jpg",
    b"50%25.jpg": "50%25.jpg",
    b"within\\n.jpg": "within\\n.jpg",
    b"new\nline.jpg": "\\new\\nline.jpg",
    b"tab\tcr\r.jpg": "\\tab\\tcr\\r.jpg",
    b"caf\xe9.jpg": "\\caf\\xe9.jpg",
    b"\\first.jpg": "\\\\\\first.jpg",
    b"\\\n": "\\\\\\\\n",
    "line\u2028end.jpg".encode(): "\\line\\xe2\\x80\\xa8end.jpg",
    b"\x1b[31mred.jpg": "\\\\x1b[31mred.jpg",
    b"\xc2\x85.jpg": "\\\\xc2\\x85.jpg",
}


@pytest.mark.parametrize(("name", "text"), NAMES.items())
def test_text_of_a_name(name: bytes, text: str) -> None:
    assert name_to_text(name) == text
    assert text_to_name(text) == name


def test_all_names_come_back_and_are_one_line() -> None:
    rng = random.Random(0)
    pieces = [b"\\", b"\n", b"\r", b"a", b"x41", b"\xff", b"\xe2\x80", "é".encode(), b"n", b" "]
    for _ in range(5000):
        name = b"".join(rng.choices(pieces, k=rng.randrange(1, 8)))
        text = name_to_text(name)
        assert text_to_name(text) == name
        assert text.splitlines() == [text]
        assert text.encode().decode() == text


def test_line_of_another_program_is_the_name() -> None:
    assert line_to_name(b"caf\xe9.jpg") == b"caf\xe9.jpg"
    assert line_to_name(b"a\\b.jpg") == b"a\\b.jpg"


@pytest.mark.parametrize("text", ["\\a\\q", "\\a\\", "\\\\x4"])
def test_wrong_escape(text: str) -> None:
    with pytest.raises(ValueError, match="a name that begins with a backslash is an escaped one"):
        text_to_name(text)
