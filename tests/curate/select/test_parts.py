"""The parts of `select`, each by itself."""

from __future__ import annotations

import bz2
import itertools
import random
from pathlib import Path

import pyarrow as pa
import pytest

from pass_dataset.curate.select import known_totals
from pass_dataset.curate.select import text as text_module
from pass_dataset.curate.select.bzip2 import OVERLAP_BYTES, Damage, blocks_between
from pass_dataset.curate.select.duplicates import repeated
from pass_dataset.curate.select.gathered import PIECE_SCHEMA, Counts
from pass_dataset.curate.select.law import address_hash
from pass_dataset.curate.select.licenses import FLICKR, Licenses, short_name
from pass_dataset.curate.select.rules import Refused, Rules, is_sound_text, position, taken
from pass_dataset.curate.select.settings import SelectSettings
from pass_dataset.curate.select.text import Seams, take_text


def test_law() -> None:
    address = "http://farm8.staticflickr.com/7205/6985418911_df7747990d.jpg"
    assert address_hash(address) == "4e2f7a26a1dfbf165a7e30bdabf7e72a"
    assert address_hash(address.replace("http:", "https:")) == address_hash(address)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("Attribution License", "by"),
        ("by-nc-nd", "by-nc-nd"),
        ("CC BY 4.0", "by"),
        ("cc-by-sa-2.0", "by-sa"),
        ("CC BY-NC 3.0 igo", "by-nc"),
        ("http://creativecommons.org/licenses/by/2.0/", "by"),
        ("https://creativecommons.org/licenses/by-nd/4.0/deed.en", "by-nd"),
        ("CC0", "zero"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "zero"),
        ("http://creativecommons.org.evil.example/licenses/by/2.0/", None),
        ("by someone", None),
        ("", None),
    ],
)
def test_short_names(text: str, short: str | None) -> None:
    assert short_name(text) == short


def test_licenses() -> None:
    by, sa = FLICKR[0], FLICKR[1]
    assert Licenses(["by"]).accepts(by.name, by.url)
    assert not Licenses(["by"]).accepts(sa.name, sa.url)
    assert Licenses([sa.name, "by"]).accepts(sa.name, sa.url)
    only = Licenses(["https://creativecommons.org/licenses/by/2.0"])
    assert only.accepts("", by.url)
    assert not only.accepts("CC BY 4.0", "http://creativecommons.org/licenses/by/4.0/")
    assert not Licenses(["by"]).accepts(by.name, "http://example.org/mine")
    assert Licenses([]).accepts("whatever", "")


def test_rules() -> None:
    settings = SelectSettings(
        boxes=((170.0, -20.0, -170.0, 20.0), (0.0, 0.0, 1.0, 1.0)),
        dates=(("2004-01-01", "2004-12-31"), ("2010-05-05", "2010-05-05")),
    )
    rules = Rules(settings)
    for north, east in ((0.5, 0.5), (0.0, 175.0), (-20.0, -171.0)):
        rules.check(north, east, "2010-05-05 23:59:59.0")
    for north, east in ((2.0, 0.5), (0.0, 165.0), (None, None)):
        with pytest.raises(Refused, match="outside"):
            rules.check(north, east, "2004-06-01 00:00:00.0")
    for date in (None, "2005-01-01 00:00:00.0"):
        with pytest.raises(Refused, match="date"):
            rules.check(0.5, 0.5, date)


@pytest.mark.parametrize("latitude", ["90.1", "nan", "inf", "x", "", "1e999", "٣x"])
def test_positions(latitude: str) -> None:
    with pytest.raises(Refused, match="bad-position"):
        position(latitude, "12")


def test_values() -> None:
    assert position("", "") == (None, None)
    assert position("0", "-180") == (0.0, -180.0)
    assert taken("null") is None
    assert taken("2007-05-06 06:11:48.0") == "2007-05-06 06:11:48.0"
    with pytest.raises(Refused, match="bad-date"):
        taken("2007-02-30 06:11:48.0")
    assert is_sound_text("100%25+%zz+%C3%A9")
    assert not is_sound_text("caf%E9")


@pytest.mark.parametrize(
    "wrong",
    [
        {"boxes": ((0.0, 0.0, 200.0, 1.0),)},
        {"boxes": ((0.0, 2.0, 1.0, 1.0),)},
        {"dates": (("2004-13-01", "2005-01-01"),)},
        {"dates": (("2005-01-01", "2004-01-01"),)},
        {"licenses": ("",)},
        {"shard_rows": 0},
    ],
)
def test_settings_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="|".join(wrong)):
        SelectSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [20_001, 100_000, 1 << 20])
def test_blocks_of_bzip2(step: int) -> None:
    """Whatever the pieces: each block once, streams one after the other included."""
    rng = random.Random(step)
    texts = [rng.randbytes(n) + b"abc" * n for n in (200_000, 0, 1, 100_000)]
    data = b"".join(
        bz2.compress(text, level) for level, text in zip((1, 9, 5, 2), texts, strict=True)
    )
    found = []
    for start in range(0, len(data), step):
        stop = min(len(data), start + step)
        window = data[start : stop + OVERLAP_BYTES]
        found += list(blocks_between(window, start, start, stop, len(data)))
    assert not any(isinstance(block, Damage) for block in found)
    assert b"".join(found) == b"".join(texts)  # type: ignore[arg-type]


def test_mark_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """48 bits that look like a block's beginning, within a block."""
    from pass_dataset.curate.select import bzip2

    text = random.Random(0).randbytes(200_000)
    data = bz2.compress(text, 1)
    marks = bzip2._marks(data)
    fake = sorted([*marks, (marks[0][0] + 1001, False)])
    monkeypatch.setattr(bzip2, "_marks", lambda data: fake)
    blocks = list(blocks_between(data, 0, 0, len(data), len(data)))
    assert b"".join(blocks) == text  # type: ignore[arg-type]


def test_repeated(tmp_path: Path) -> None:
    """Exact, even where the 64 bits of different texts are equal; at any number at a time."""
    texts = [None if n % 7 == 0 else f"t{n % 40}" for n in range(200)]
    keys = [None if text is None else len(text) for text in texts]  # hardly tells any apart
    files = []
    for number, start in enumerate((0, 50, 50, 120)):
        stop = (50, 50, 120, 200)[number]
        nulls = pa.table([pa.nulls(stop - start, item.type) for item in PIECE_SCHEMA], PIECE_SCHEMA)
        table = nulls.drop_columns(["photo_id", "id_key"])
        table = table.append_column("photo_id", pa.array(texts[start:stop], pa.string()))
        table = table.append_column("id_key", pa.array(keys[start:stop], pa.uint64()))
        files.append(tmp_path / f"{number}.arrow")
        with pa.ipc.new_file(files[-1], PIECE_SCHEMA) as writer:
            writer.write_table(table.select(PIECE_SCHEMA.names).cast(PIECE_SCHEMA))
    seen: set[str] = set()
    expected = []
    for place, text in enumerate(texts):
        if text is not None and text in seen:
            expected.append(place)
        seen.add(text or "")
    for most in (20, 1000):
        assert repeated(files, "photo_id", "id_key", most).tolist() == expected
    assert repeated([], "photo_id", "id_key").tolist() == []


def test_seams() -> None:
    """Lines over the ends of pieces, one of which has no newline at all."""
    seams = Seams()
    pieces = [
        Counts(head="first", tail="sec"),
        Counts(tail="o", has_newline=False),
        Counts(head="nd", tail=""),
        Counts(head="", tail="rest"),
    ]
    lines = [seams.line_before(counts) for counts in pieces]
    assert [*lines, seams.last_line()] == [b"first", None, b"second", b"", b"rest"]


class Lines:
    """What is told of text, by the line."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def take_block(self, block: bytes, number: int, size: int | None = None) -> int:
        assert number == len(self.lines)
        taken = block[:size].split(b"\n")
        assert taken.pop() == b""
        self.lines += taken
        return len(taken)


def lines_of(pieces: list[list[bytes]]) -> list[bytes]:
    """All lines of text in pieces of blocks, those over the ends of pieces included."""
    seams, found = Seams(), []
    for blocks in pieces:
        lines, counts = Lines(), Counts()
        take_text(blocks, lines, counts)  # type: ignore[arg-type]
        before = seams.line_before(counts)
        found += ([] if before is None else [before]) + lines.lines
    last = seams.last_line()
    return found if last is None else [*found, last]


@pytest.mark.parametrize("seed", range(6))
def test_lines_are_the_same_wherever_they_are_cut(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that are too long the beginning is seen: never their beginning and their end."""
    monkeypatch.setattr(text_module, "_MOST_LINE_BYTES", 40)
    monkeypatch.setattr(text_module, "_HALF_LINE_BYTES", 20)
    rng = random.Random(seed)
    sizes = [rng.choice((0, 3, 19, 39, 40, 41, 59, 60, 61, 100, 300)) for _ in range(60)]
    lines = [bytes(rng.choices(b"abc\t", k=size)) for size in sizes]
    whole = b"\n".join(lines)
    expected = [line[:40] for line in lines if line is not lines[-1] or line]
    for size in (1, 7, 33, 64, 1000, 10_000):
        monkeypatch.setattr(text_module, "_BLOCK_BYTES", size)
        for count in (1, 2, 5):
            ends = sorted(rng.randrange(len(whole)) for _ in range(count - 1))
            pieces = [
                [whole[at : min(at + size, stop)] for at in range(start, stop, size)]
                for start, stop in itertools.pairwise([0, *ends, len(whole)])
            ]
            assert lines_of(pieces) == expected


def test_known_totals() -> None:
    shorts = {short: [photos, 100] for short, photos in known_totals.PHOTOS.items()}
    shorts["by"][1] = known_totals.VIDEOS_BY
    shorts["by-nc"][1] = known_totals.ALL_VIDEOS - known_totals.VIDEOS_BY - 400
    assert known_totals.differences(known_totals.ROWS, shorts) == []
    shorts["by"][0] -= 1
    assert known_totals.differences(known_totals.ROWS, shorts) == [
        "photographs: 99,206,564 are known, 99,206,563 were found",
        "photographs under by: 17,210,144 are known, 17,210,143 were found",
    ]
    assert not known_totals.is_whole(200_000)
