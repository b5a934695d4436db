"""Rows of YFCC100M's metadata: which are selected, and what the others are refused for."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.select.batch import (
    LOOKED_AT,
    hashes_of,
    is_plain,
    photographs_of,
    unsound,
)
from pass_dataset.curate.select.cut import Cut
from pass_dataset.curate.select.gathered import PIECE_SCHEMA, Gathering, Photograph, table_of
from pass_dataset.curate.select.law import IS_HASH, address_hash
from pass_dataset.curate.select.licenses import FLICKR, License, Licenses
from pass_dataset.curate.select.rules import Refused, Rules, is_sound_text, position, taken
from pass_dataset.curate.select.scan import Scan, ending_of
from pass_dataset.curate.select.settings import SelectSettings
from pass_dataset.files.arrow import column_of, numbers_of, truths_of

__all__ = ["COLUMNS", "FIELDS", "UNKNOWN", "FlickrRows", "code_of"]

#: The columns of the old text and of SQLite, by the names that they have there (the README of the
#: dataset; its newer text has the line's number before them and the hash as third).
COLUMNS = (
    *("photoid", "uid", "unickname", "datetaken", "dateuploaded", "capturedevice", "title"),
    *("description", "usertags", "machinetags", "longitude", "latitude", "accuracy", "pageurl"),
    *("downloadurl", "licensename", "licenseurl", "serverid", "farmid", "secret"),
    *("secretoriginal", "ext", "marker"),
)
#: What is read of a row that may be selected, in this order, and then the hash.
FIELDS = (
    *("photoid", "uid", "unickname", "datetaken", "title", "longitude", "latitude", "pageurl"),
    *("downloadurl", "licensename", "licenseurl", "ext"),
)
_HASH = "hash"
Lines: TypeAlias = "npt.NDArray[np.int64]"
#: Beyond so many kinds of licences and markers, they are no longer told apart: it is garbage.
_MOST_VERDICTS = 1000
_KNOWN = {(one.name, one.url): one.short for one in FLICKR}
#: Licence and marker of all rows but a few: what is searched for, and what it says.
_CODES = [
    (one.name.encode(), one.url.encode(), marker) for one in FLICKR for marker in (b"0", b"1")
]
_MARKERS = b"01"
_LINE = PIECE_SCHEMA.get_field_index("line")
#: Lines that are asked for, before they are looked at.
_MOST_HELD_BYTES = 4 << 20
_FIRST_CODE = ord("a")
#: The code of a row of which nothing is known.
UNKNOWN = b"-"
_ENDINGS = [f"\t{one.name}\t{one.url}\t".encode() for one in FLICKR]


def code_of(license_: License, marker: bytes) -> str:
    """What stands for a licence and a marker, in `FlickrRows.take_coded`."""
    place = _CODES.index((license_.name.encode(), license_.url.encode(), marker))
    return chr(_FIRST_CODE + place)


@dataclass
class _Verdict:
    """What becomes of all rows with the same licence and marker, and how many there were.

    Attributes:
      cause: why they are refused; None: they are looked at.
      short: of the licence; None: it is not known.
    """

    cause: str | None
    short: str | None
    is_video: bool
    rows: int = 0
    first: int = 0


class FlickrRows:
    """Takes rows and gathers what is selected; ask for the counts after `finish`."""

    def __init__(self, settings: SelectSettings, gathered: Gathering, columns: int) -> None:
        """Takes nothing yet.

        Args:
          settings: what is asked for.
          gathered: takes what is selected.
          columns: of the text: 25 or 23; 0: rows have a code and `FIELDS`, see `take_coded`.
        """
        self._licenses = Licenses(settings.licenses)
        self._rules = Rules(settings)
        self._gathered = gathered
        self._counts = gathered.counts
        self._verdicts: dict[tuple[bytes, bytes, bytes], _Verdict] = {}
        self._others: dict[str | None, _Verdict] = {}
        self._texts: list[bytes] = []
        self._lines: list[Lines] = []
        self._held = 0
        self._tabs = columns - 1 if columns else len(FIELDS)
        before = 1 if columns == len(COLUMNS) + 2 else 0
        self._hash = len(FIELDS) if before else None
        places = [COLUMNS.index(name) for name in FIELDS] if columns else range(len(FIELDS))
        # The line's number stands before all, and the hash after the id; before `FIELDS` alone, a
        # code.
        shifted = (
            place + (before * (1 if place == 0 else 2) if columns else 1) for place in places
        )
        self._places = dict(zip(FIELDS, shifted, strict=True))
        if before:
            self._places[_HASH] = 2
        self._picked = operator.itemgetter(*self._places.values())

    def take_block(self, block: bytes, number: int, size: int | None = None) -> int:
        """Takes lines of text; returns how many there were.

        Args:
          block: lines, each with its newline.
          number: of the first of them.
          size: bytes of the block that are lines; None: all.
        """
        scan = Scan(block, size)
        for row in np.flatnonzero(scan.tabs != self._tabs).tolist():
            cause = "too-few-columns" if scan.tabs[row] < self._tabs else "too-many-columns"
            self._counts.refuse(cause, number + row)
        rows = np.flatnonzero(scan.tabs == self._tabs)
        codes = scan.codes(rows, _ENDINGS, _MARKERS)
        wanted = np.zeros(len(rows), bool)
        for code, count in enumerate(np.bincount(codes + 1).tolist(), -1):
            if code < 0:  # nothing that is known: one by one
                for place in np.flatnonzero(codes < 0).tolist():
                    row = int(rows[place])
                    wanted[place] = self.verdict(
                        *ending_of(*scan.lines(rows[[place]])), number + row
                    )
            elif count:
                those = codes == code
                if self._count(_CODES[code], number + int(rows[those.argmax()]), count):
                    wanted |= those
        rows = rows[wanted]
        self._hold(scan.text_of(rows), rows + number)
        self._counts.rows += len(scan.tabs)
        return len(scan.tabs)

    def _hold(self, text: bytes, lines: Lines) -> None:
        """Holds lines that are asked for until they are worth looking at by the column."""
        self._texts.append(text)
        self._lines.append(lines)
        self._held += len(text)
        if self._held >= _MOST_HELD_BYTES:
            self._take_held()

    def _take_held(self) -> None:
        if self._texts:
            cut, lines = Cut(b"".join(self._texts)), np.concatenate(self._lines)
            self._texts, self._lines, self._held = [], [], 0
            self._take_lines(cut, np.arange(len(lines)), lines)

    def take_line(self, line: bytes, number: int) -> None:
        """Takes one line of text, without its newline, as `take_block` does."""
        tabs = line.count(b"\t")
        if tabs != self._tabs:
            cause = "too-few-columns" if tabs < self._tabs else "too-many-columns"
            self._counts.refuse(cause, number)
        elif self.verdict(*ending_of(line), number):
            for photograph in self._photographs([(line, number)]):
                self._gathered.add(photograph)
        self._counts.rows += 1

    def verdict(self, name: bytes, url: bytes, marker: bytes, number: int) -> bool:
        """Counts a row by licence and marker; True if it is to be taken."""
        return self._count((name, url, marker), number, 1)

    def _count(self, key: tuple[bytes, bytes, bytes], first: int, rows: int) -> bool:
        """The same of some rows."""
        verdict = self._verdicts.get(key)
        if verdict is None:
            verdict = self._judged(*key, first)
        verdict.rows += rows
        verdict.first = min(verdict.first, first)
        return verdict.cause is None

    def _judged(self, name: bytes, url: bytes, marker: bytes, number: int) -> _Verdict:
        words = [part.decode("utf-8", "surrogateescape") for part in (name, url)]
        short = _KNOWN.get((words[0], words[1]))
        if marker not in (b"0", b"1"):
            cause: str | None = "bad-marker"
        elif short is None and not (self._licenses.asked and self._licenses.accepts(*words)):
            cause = "unknown-license"
        elif marker == b"1":
            cause = "video"
        else:
            cause = None if self._licenses.accepts(*words) else "license"
        verdict = _Verdict(cause, short, marker == b"1", first=number)
        if len(self._verdicts) >= _MOST_VERDICTS and short is None:
            return self._others.setdefault(cause, verdict)
        self._verdicts[name, url, marker] = verdict
        return verdict

    def take_coded(
        self,
        block: bytes,
        numbers: Lines,
        one: Callable[[int], tuple[bytes, bytes, bytes, bytes]],
    ) -> None:
        """Takes rows of which licence and marker are told by a code.

        Args:
          block: lines of a code (`code_of`, `UNKNOWN`) and, of what is asked for, `FIELDS`, which
            may have newlines.
          numbers: of each line.
          one: licence's name and address, marker, and such a line of a row, by its number.
        """
        cut = Cut(block)
        if len(cut.tabs) != len(numbers):  # some field has a newline: rows are read one by one
            cut = Cut(b"%s\n" % UNKNOWN * len(numbers))
        codes = cut.first_bytes() - np.uint8(_FIRST_CODE)
        for code, count in enumerate(np.bincount(codes).tolist()[: len(_CODES)]):
            if count:
                first = int(numbers[(codes == code).argmax()])
                self._count(_CODES[code], first, count)
        # Here fields may have tabs.
        is_right = cut.tabs == self._tabs
        wrong = np.flatnonzero((cut.tabs > 0) & ~is_right)
        others = list(zip(cut.lines(wrong), numbers[wrong].tolist(), strict=True))
        for number in numbers[codes >= len(_CODES)].tolist():
            name, url, marker, row = one(number)
            if self.verdict(name, url, marker, number):
                others.append((row, number))
        rows = np.flatnonzero(is_right)
        self._take_lines(cut, rows, numbers[rows], others)
        self._counts.rows += len(numbers)

    def _take_lines(
        self, cut: Cut, rows: Lines, lines: Lines, others: Sequence[tuple[bytes, int]] = ()
    ) -> None:
        """Takes lines of text, the plain ones by the column, the others one by one.

        Args:
          cut: the text.
          rows: those that are asked for, and have as many columns as they should.
          lines: their numbers.
          others: rows that are none, and their numbers.
        """
        # Boxes and dates are looked at one by one.
        plain = np.zeros(len(rows), bool) if self._rules.are_any else cut.is_plain(rows)
        if plain.any():
            plain[plain], columns = self._plain_columns(cut, rows[plain])
        table = PIECE_SCHEMA.empty_table()
        if plain.any():
            hashes = self._plain_hashes(columns, lines[plain])
            table = photographs_of(columns, lines[plain], hashes)
            self._note_plain(columns, lines[plain])
        odd = self._photographs(
            [*zip(cut.lines(rows[~plain]), lines[~plain].tolist(), strict=True), *others]
        )
        if odd or table.num_rows:
            self._gathered.add_table(_merged(table, lines[plain], odd))

    def _plain_columns(
        self, cut: Cut, rows: Lines
    ) -> tuple[npt.NDArray[np.bool_], Mapping[str, pa.Array]]:
        """Which lines of ASCII are plain, and what is read of those, each column cut once."""
        looked_at = self._columns(cut, rows, LOOKED_AT)
        plain = is_plain(looked_at)
        if not plain.all():
            places = column_of(np.flatnonzero(plain))
            looked_at = {name: column.take(places) for name, column in looked_at.items()}
        others = self._columns(cut, rows[plain], self._places.keys() - set(LOOKED_AT))
        return plain, {**looked_at, **others}

    def _columns(self, cut: Cut, rows: Lines, names: Iterable[str]) -> Mapping[str, pa.Array]:
        """What is read of lines."""
        return {name: cut.column(rows, self._places[name], self._tabs) for name in names}

    def _plain_hashes(self, columns: Mapping[str, pa.Array], lines: Lines) -> pa.Array:
        """What the files of plain rows are called by: what the source says."""
        computed = hashes_of(columns["downloadurl"])
        said = columns.get(_HASH)
        if said is None or said.equals(computed):
            return computed
        is_other = pc.not_equal(said, computed)
        differs = np.flatnonzero(truths_of(is_other))
        self._counts.note("hash-differs", int(lines[differs[0]]), len(differs))
        others = said.filter(is_other)
        is_hash = pc.match_substring_regex(others, f"^{IS_HASH.pattern}$")
        return pc.replace_with_mask(
            computed, is_other, pc.if_else(is_hash, others, computed.filter(is_other))
        )

    def _note_plain(self, columns: Mapping[str, pa.Array], lines: Lines) -> None:
        nulls = np.flatnonzero(truths_of(pc.equal(columns["datetaken"], "null")))
        for what, places in (("null-date", nulls), ("bad-encoding", unsound(columns))):
            if len(places):
                self._counts.note(what, int(lines[places[0]]), len(places))

    def _photographs(self, rows: Iterable[tuple[bytes, int]]) -> list[Photograph]:
        """Rows, one by one; those that are refused are counted."""
        found = []
        for row, number in rows:
            try:
                found.append(self._photograph(row, number))
            except Refused as cause:
                self._counts.refuse(str(cause), number)
        return found

    def _photograph(self, row: bytes, number: int) -> Photograph:
        try:
            text = row.decode()
        except UnicodeDecodeError:
            raise Refused("no-utf8") from None
        if "\0" in text:
            raise Refused("nul-byte")
        split = text.split("\t")
        if len(split) != self._tabs + 1:  # SQLite alone may have tabs in a field
            raise Refused("too-many-columns")
        fields: Sequence[str] = self._picked(split)
        photo, nsid, nickname, date, title, longitude, latitude, page, address = fields[:9]
        if not (photo.isascii() and photo.isdigit()):
            raise Refused("bad-id")
        if not address.startswith(("http://", "https://")):
            raise Refused("bad-address")
        north, east = position(latitude, longitude)
        day = taken(date)
        self._rules.check(north, east, day)
        if date == "null":
            self._counts.note("null-date", number)
        if not (is_sound_text(nickname) and is_sound_text(title)):
            self._counts.note("bad-encoding", number)
        name = address_hash(address)
        if self._hash is not None and fields[self._hash] != name:
            self._counts.note("hash-differs", number)
            # What the files are called by is what the source says.
            name = fields[self._hash] if IS_HASH.fullmatch(fields[self._hash]) else name
        return (
            *(name, number, photo, nsid or None, nickname, title, day, north, east),
            *(page, address, None, fields[11] or None, fields[9], fields[10]),
        )

    def finish(self) -> None:
        """Adds what was counted by licence to the counts."""
        self._take_held()
        counts = self._counts
        for verdict in (*self._verdicts.values(), *self._others.values()):
            if verdict.cause is not None:
                counts.refuse(verdict.cause, verdict.first, verdict.rows)
            if verdict.short is not None and verdict.cause != "bad-marker":
                counts.license(
                    verdict.short,
                    videos=verdict.rows * verdict.is_video,
                    photos=verdict.rows * (not verdict.is_video),
                )


def _merged(plain: pa.Table, lines: Lines, odd: Sequence[Photograph]) -> pa.Table:
    """A table with some more photographs between its own, by their lines."""
    if not odd:
        return plain
    others = table_of(sorted(odd, key=operator.itemgetter(_LINE)))
    # Most stay side by side: so this is less than to move each.
    places = np.searchsorted(lines, numbers_of(others["line"].chunk(0))).tolist()
    parts, start = [], 0
    for number, place in enumerate(places):
        parts += [plain.slice(start, place - start), others.slice(number, 1)]
        start = place
    return pa.concat_tables([*parts, plain.slice(start)]).combine_chunks()
