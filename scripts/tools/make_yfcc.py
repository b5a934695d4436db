"""Makes metadata in the forms that YFCC100M's has, of any length, and says what is in it.

    python scripts/tools/make_yfcc.py OUT --rows 200000 --form bz2 --parts 10

writes `yfcc100m_dataset` (or its parts, or `yfcc100m_dataset.sql`) into the folder OUT, and beside
it `planted.json`: how many rows there are of each licence, how many photographs and videos, and
how many rows of each kind that cannot be used. The same arguments give the same rows.

Licences, videos and positions are about as frequent as in YFCC100M; few photographers took most of
the photographs. What is planted is planted in rows that would be selected without it (photographs
under CC BY), so that the counts are those of ``pass-curate select`` as it is without settings.
"""

from __future__ import annotations

import argparse
import bz2
import contextlib
import gzip
import hashlib
import io
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote_plus

import numpy as np

__all__ = ["COLUMNS", "Planted", "Row", "main", "make", "rows_of"]

#: Of the SQLite file, and of the text but for its first and third column.
COLUMNS = (
    *("photoid", "uid", "unickname", "datetaken", "dateuploaded", "capturedevice", "title"),
    *("description", "usertags", "machinetags", "longitude", "latitude", "accuracy", "pageurl"),
    *("downloadurl", "licensename", "licenseurl", "serverid", "farmid", "secret"),
    *("secretoriginal", "ext", "marker"),
)
#: Short name, name in the metadata, photographs in YFCC100M.
LICENSES = (
    ("by", "Attribution License", 17_210_144),
    ("by-sa", "Attribution-ShareAlike License", 9_408_154),
    ("by-nd", "Attribution-NoDerivs License", 4_910_766),
    ("by-nc", "Attribution-NonCommercial License", 12_674_885),
    ("by-nc-sa", "Attribution-NonCommercial-ShareAlike License", 28_776_835),
    ("by-nc-nd", "Attribution-NonCommercial-NoDerivs License", 26_225_780),
)
VIDEOS = 793_436 / 100e6
POSITIONED = 0.48
#: Rows by a photographer, on average: 99.2 million by 581,099 in YFCC100M.
ROWS_PER_PHOTOGRAPHER = 172

#: What cannot be used, and is counted as refused.
REFUSED = (
    "too-few-columns",
    "too-many-columns",
    "bad-marker",
    "unknown-license",
    "nul-byte",
    "no-utf8",
    "bad-id",
    "bad-address",
    "bad-position",
    "bad-date",
)
#: Of these, those of which not even licence and kind are told.
UNTOLD = frozenset({"too-few-columns", "too-many-columns", "bad-marker", "unknown-license"})
#: What only text can have.
TEXT_ALONE = frozenset({"too-few-columns", "too-many-columns", "nul-byte", "no-utf8"})
#: What is counted and kept. Only the 25 columns have a hash.
NOTED = ("null-date", "bad-encoding", "hash-differs")
DUPLICATES = ("duplicate-id", "duplicate-hash")

#: Invented. The first ones look like something else to careless readers.
NICKNAMES = (
    *("NA", "null", "None", "nan", "12e45", "0", "", "+"),
    *map(quote_plus, ("山の音", "Ёжик", "naïve café", "a%b", "x+y", "Blue Heron Studio<3")),
    *map(quote_plus, ("tin_kettle", "Lumen & Loam", "Nordlicht 65°", "Salt/Shaker")),
)
DEVICES = ("Canon+EOS+5D", "NIKON+D90", "Apple+iPhone+4", "", "SONY+DSC-W55", "Panasonic+DMC-TZ5")
WORDS = (
    *("harbour", "lighthouse", "evening", "snow", "bridge", "fern", "window", "lamp", "canyon"),
    *("tea", "river", "sails", "marble", "garden", "roof", "ranges", "dawn", "moss", "kettle"),
    *map(quote_plus, ("雨", "fog & rain", "«été»", "100%", "Öland")),
)
_BLOCK = 10_000
_HEX = tuple(f"{byte:x}" for byte in range(256))
Row = list[str]


@dataclass
class Planted:
    """What is in the metadata.

    Attributes:
      rows: all.
      selected: photographs under CC BY that can be used: rows of the ledger.
      photos, videos: rows that say so, by the short name of the licence.
      refused: rows that cannot be used, by cause.
      noted: rows that are selected, with something of note, by its name.
      duplicates: rows that are selected and go no further.
      photographers: of the photographs under CC BY.
    """

    rows: int = 0
    selected: int = 0
    photos: Counter[str] = field(default_factory=Counter)
    videos: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)
    photographers: Counter[str] = field(default_factory=Counter)

    def content(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "rows": self.rows,
            "photos": dict(self.photos),
            "videos": dict(self.videos),
            "refused": dict(self.refused),
            "noted": dict(self.noted),
            "duplicates": dict(self.duplicates),
            "selected": self.selected,
            "went_on": self.selected - sum(self.duplicates.values()),
            "photographers": len(self.photographers),
            "most_by_one": max(self.photographers.values(), default=0),
        }


def law(address: str) -> str:
    """The hash of an address: MD5, its bytes printed without leading zeros."""
    return "".join([_HEX[byte] for byte in hashlib.md5(address.encode()).digest()])


def rows_of(
    count: int,
    seed: int,
    planted: Planted,
    *,
    each: int,
    kinds: Sequence[str] = (*REFUSED, *NOTED, *DUPLICATES),
) -> Iterator[Row]:
    """Rows of 25 columns (more or fewer where that is planted), counted as they are made.

    Args:
      count: rows.
      seed: other rows for another.
      planted: is added to.
      each: rows of each planted kind.
      kinds: what is planted.
    """
    if count < 2 * each * len(kinds) + 1:
        raise ValueError(f"{count} rows are too few for {each} of each of {len(kinds)} kinds")
    places = np.random.default_rng([seed, 1]).choice(count - 1, each * len(kinds), replace=False)
    special = {int(at) + 1: kinds[number % len(kinds)] for number, at in enumerate(places)}
    shares = np.array([photos for _, _, photos in LICENSES], float)
    shares /= shares.sum()
    people = max(3, count // ROWS_PER_PHOTOGRAPHER)
    last: Row = []
    for start in range(0, count, _BLOCK):
        block = _Block(np.random.default_rng([seed, 2, start]), shares, people)
        for at in range(min(_BLOCK, count - start)):
            number = start + at
            kind = special.get(number)
            # The first row is sound, so that there is something to repeat.
            row = block.row(number, at, is_by=kind is not None or number == 0)
            if kind is not None:
                row = _with(kind, row, last)
            planted.rows += 1
            _count(planted, row, kind, LICENSES[block.license(at)][0] if kind is None else "by")
            if kind is None and row[24] == "0" and row[17] == LICENSES[0][1]:
                last = row
            yield row


class _Block:
    """Some thousand rows, whose numbers are drawn at once."""

    def __init__(self, random: np.random.Generator, shares: np.ndarray, people: int) -> None:
        n = _BLOCK
        self._licenses = random.choice(len(shares), n, p=shares).tolist()
        self._people = (people * random.random(n) ** 3).astype(np.int64).tolist()
        self._videos = (random.random(n) < VIDEOS).tolist()
        self._positioned = (random.random(n) < POSITIONED).tolist()
        self._longitudes = random.uniform(-180, 180, n).round(6).tolist()
        self._latitudes = random.uniform(-85, 85, n).round(6).tolist()
        self._numbers = random.integers(0, 1 << 31, (n, 4)).tolist()
        self._words = random.integers(0, len(WORDS), n).tolist()
        self._lengths = np.minimum(random.exponential(14, n), 200).astype(np.int64).tolist()
        self._forced: set[int] = set()

    def license(self, at: int) -> int:
        return 0 if at in self._forced else self._licenses[at]

    def row(self, number: int, at: int, *, is_by: bool) -> Row:
        if is_by:
            self._forced.add(at)
        a, b, c, d = self._numbers[at]
        short, name, _ = LICENSES[self.license(at)]
        person, word = self._people[at], self._words[at]
        photo = str(2_000_000_000 + 37 * number)
        nsid = f"{10_000_000 + person}@N{person % 10:02}"
        nickname = NICKNAMES[person] if person < len(NICKNAMES) else f"{WORDS[person % 7]}{person}"
        secret = f"{a:08x}{b % 256:02x}"
        farm, server = 1 + b % 9, 2 + c % 8000
        is_video = self._videos[at] and not is_by
        text = "+".join((WORDS * 9)[word : word + self._lengths[at]])
        is_positioned = self._positioned[at]
        month, day, hour, minute = 1 + a % 12, 1 + b % 28, c % 24, d % 60
        extension = "jpg" if d % 200 else "png"
        return [
            str(number),
            photo,
            law(f"http://farm{farm}.staticflickr.com/{server}/{photo}_{secret}.jpg"),
            nsid,
            nickname,
            f"{2004 + d % 10}-{month:02}-{day:02} {hour:02}:{minute:02}:{a % 60:02}.0",
            str(1_100_000_000 + d % 300_000_000),
            DEVICES[d % len(DEVICES)],
            f"{WORDS[word]}+{number}",
            text,
            ",".join((WORDS * 2)[word : word + a % 8]),
            "",
            str(self._longitudes[at]) if is_positioned else "",
            str(self._latitudes[at]) if is_positioned else "",
            str(1 + c % 16) if is_positioned else "",
            f"http://www.flickr.com/photos/{nsid}/{photo}/",
            f"http://farm{farm}.staticflickr.com/{server}/{photo}_{secret}.jpg",
            name,
            f"http://creativecommons.org/licenses/{short}/2.0/",
            str(server),
            str(farm),
            secret,
            f"{d:08x}{c % 256:02x}",
            extension,
            "1" if is_video else "0",
        ]


def _with(kind: str, row: Row, last: Row) -> Row:
    """A row that is spoilt, or repeats another."""
    row = list(row)
    if kind == "too-few-columns":
        return row[:-3]
    if kind == "too-many-columns":
        return [*row, "0"]
    if kind == "duplicate-id":
        row[1] = last[1]
    elif kind == "duplicate-hash":
        row[2], row[16] = last[2], last[16]
    else:
        at, value = {
            "bad-marker": (24, "2"),
            "unknown-license": (18, "http://example.org/mine/"),
            "nul-byte": (8, "a\0b"),
            "no-utf8": (8, "caf\udce9"),  # written as one byte
            "bad-id": (1, f"{row[1]}x"),
            "bad-address": (16, "gone"),
            "bad-position": (12, "181.5"),
            "bad-date": (5, "2007-13-45 25:61:00.0"),
            "null-date": (5, "null"),
            "bad-encoding": (8, "caf%E9+au+lait"),
            "hash-differs": (2, law(row[1])),
        }[kind]
        row[at] = value
        if kind == "bad-position":
            row[13] = row[13] or "10.5"
    return row


def _count(planted: Planted, row: Row, kind: str | None, short: str) -> None:
    if kind in REFUSED:
        planted.refused[kind] += 1
        if kind in UNTOLD:
            return
    if row[24] == "1":
        planted.videos[short] += 1
        return
    planted.photos[short] += 1
    if kind in REFUSED or short != "by":
        return
    planted.selected += 1
    planted.photographers[row[3]] += 1
    if kind is not None:
        (planted.noted if kind in NOTED else planted.duplicates)[kind] += 1


def make(
    out: Path,
    count: int,
    *,
    form: str = "text",
    parts: int = 1,
    columns: int = 25,
    seed: int = 0,
    each: int | None = None,
) -> Planted:
    """Writes metadata into a folder, and `planted.json` beside it.

    Args:
      out: the folder; made if missing.
      count: rows.
      form: text, bz2, gz, zst or sqlite.
      parts: files of text; SQLite has one.
      columns: 25, or 23 as the old parts and SQLite have them.
      seed: other rows for another.
      each: rows of each planted kind; None: one in ten thousand, and at least one.
    """
    is_old = columns == 23 or form == "sqlite"
    kinds = [
        kind
        for kind in (*REFUSED, *NOTED, *DUPLICATES)
        if not (is_old and kind == "hash-differs") and not (form == "sqlite" and kind in TEXT_ALONE)
    ]
    planted = Planted()
    each = max(1, count // 10_000) if each is None else each
    rows = rows_of(count, seed, planted, each=each, kinds=kinds)
    out.mkdir(parents=True, exist_ok=True)
    if form == "sqlite":
        _write_sqlite(out / "yfcc100m_dataset.sql", rows)
    else:
        _write_text(out, rows, count, form, parts, is_old)
    text = json.dumps({**planted.content(), "seed": seed}, indent=1)
    (out / "planted.json").write_text(text + "\n")
    return planted


def _write_text(
    out: Path, rows: Iterator[Row], count: int, form: str, parts: int, is_old: bool
) -> None:
    ending = "" if form == "text" else f".{form}"
    for part in range(parts):
        name = "yfcc100m_dataset" if parts == 1 else f"yfcc100m_dataset-{part}"
        size = (part + 1) * count // parts - part * count // parts
        with _opened(out / f"{name}{ending}", form) as file:
            for _, row in zip(range(size), rows, strict=False):
                written = [row[1], *row[3:]] if is_old else row
                file.write(("\t".join(written) + "\n").encode("utf-8", "surrogateescape"))


@contextlib.contextmanager
def _opened(path: Path, form: str) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        file: Any = raw
        if form == "gz":  # no name and no time, so that it is the same each time
            file = gzip.GzipFile("", "wb", 6, raw, mtime=0)
        elif form == "bz2":
            file = bz2.BZ2File(raw, "wb")
        elif form == "zst":
            import zstandard  # an extra's

            file = zstandard.ZstdCompressor().stream_writer(raw, closefd=False)
        buffered = io.BufferedWriter(file, 1 << 20)
        yield buffered
        buffered.flush()
        if file is not raw:
            file.close()


def _write_sqlite(path: Path, rows: Iterator[Row]) -> None:
    """As the published file: pages of 1,024 bytes, no index."""
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA page_size = 1024")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        kinds = {"photoid": "integer", "longitude": "real", "latitude": "real", "marker": "integer"}
        database.execute(
            "CREATE TABLE yfcc100m_dataset ("
            + ", ".join(f"{name} {kinds.get(name, 'text')}" for name in COLUMNS)
            + ")"
        )
        database.execute("BEGIN")
        marks = ", ".join("?" * len(COLUMNS))
        database.executemany(
            f"INSERT INTO yfcc100m_dataset VALUES ({marks})",
            ([row[1], *row[3:]] for row in rows),
        )
        database.execute("COMMIT")


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes it; exit status 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write into")
    parser.add_argument("--rows", type=int, default=200_000, help="default: %(default)s")
    parser.add_argument("--form", choices=("text", "bz2", "gz", "zst", "sqlite"), default="text")
    parser.add_argument("--parts", type=int, default=1, help="files of text; default: 1")
    parser.add_argument("--columns", type=int, choices=(23, 25), default=25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--each", type=int, metavar="N", help="rows of each planted kind; default: rows / 10,000"
    )
    options = parser.parse_args(arguments)
    planted = make(
        options.out,
        options.rows,
        form=options.form,
        parts=options.parts,
        columns=options.columns,
        seed=options.seed,
        each=options.each,
    )
    print(json.dumps(planted.content(), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
