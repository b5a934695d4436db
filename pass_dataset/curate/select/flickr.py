"""Rows of YFCC100M's metadata: which are selected, and what the others are refused for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pass_dataset.curate.select.gathered import Gathering
from pass_dataset.curate.select.law import IS_HASH, address_hash
from pass_dataset.curate.select.licenses import FLICKR, Licenses
from pass_dataset.curate.select.rules import Refused, Rules, is_sound_text, position, taken
from pass_dataset.curate.select.settings import SelectSettings

__all__ = ["COLUMNS", "FIELDS", "FlickrRows"]

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
#: Beyond so many kinds of licences and markers, they are no longer told apart: it is garbage.
_MOST_VERDICTS = 1000
_KNOWN = {(one.name, one.url): one.short for one in FLICKR}
_LAST = 8  # fields from the name of the licence to the marker, but for the first


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
          columns: of the text: 25 or 23.
        """
        self._licenses = Licenses(settings.licenses)
        self._rules = Rules(settings)
        self._gathered = gathered
        self._counts = gathered.counts
        self._verdicts: dict[tuple[bytes, bytes, bytes], _Verdict] = {}
        self._others: dict[str | None, _Verdict] = {}
        self._tabs = columns - 1
        before = 1 if columns == len(COLUMNS) + 2 else 0
        places = [COLUMNS.index(name) for name in FIELDS]
        # The hash stands after the id, so what follows is one further.
        self._places = [place + before * (1 if place == 0 else 2) for place in places]
        self._hash = 2 if before else None

    def take_lines(self, lines: Iterable[bytes], number: int) -> None:
        """Takes lines of text, without their newlines.

        Args:
          lines: of the text.
          number: of the first of them.
        """
        verdicts, tabs, rows = self._verdicts, self._tabs, 0
        for line in lines:
            rows += 1
            found = line.count(b"\t")
            if found != tabs:
                cause = "too-few-columns" if found < tabs else "too-many-columns"
                self._counts.refuse(cause, number + rows - 1)
                continue
            # From the right there is little to cut, which is what most rows need.
            _, name, url, _, _, _, _, _, marker = line.rsplit(b"\t", _LAST)
            verdict = verdicts.get((name, url, marker))
            if verdict is None:
                verdict = self._judged(name, url, marker, number + rows - 1)
            verdict.rows += 1
            if verdict.cause is None:
                fields = line.split(b"\t")
                taken = [fields[place] for place in self._places]
                self.take(
                    b"\t".join(taken if self._hash is None else [*taken, fields[self._hash]]),
                    number + rows - 1,
                )
        self._counts.rows += rows

    def verdict(self, name: bytes, url: bytes, marker: bytes, number: int) -> bool:
        """Counts a row by licence and marker; True if it is to be taken."""
        verdict = self._verdicts.get((name, url, marker))
        if verdict is None:
            verdict = self._judged(name, url, marker, number)
        verdict.rows += 1
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

    def take(self, row: bytes, number: int) -> None:
        """Takes a row whose licence and marker are as asked for: `FIELDS`, with tabs between."""
        try:
            self._add(row, number)
        except Refused as cause:
            self._counts.refuse(str(cause), number)

    def _add(self, row: bytes, number: int) -> None:
        try:
            text = row.decode()
        except UnicodeDecodeError:
            raise Refused("no-utf8") from None
        if "\0" in text:
            raise Refused("nul-byte")
        fields: Sequence[str] = text.split("\t")
        if len(fields) != len(FIELDS) + (self._hash is not None):  # SQLite alone may have tabs
            raise Refused("too-many-columns")
        photo, nsid, nickname, date, title, longitude, latitude, page, address = fields[:9]
        if not (photo.isascii() and photo.isdigit()):
            raise Refused("bad-id")
        if not address.startswith(("http://", "https://")):
            raise Refused("bad-address")
        north, east = position(latitude, longitude)
        day = taken(date)
        if self._rules.are_any:
            self._rules.check(north, east, day)
        if date == "null":
            self._counts.note("null-date", number)
        if "%" in text and not (is_sound_text(nickname) and is_sound_text(title)):
            self._counts.note("bad-encoding", number)
        name = address_hash(address)
        if self._hash is not None and fields[12] != name:
            self._counts.note("hash-differs", number)
            # What the files are called by is what the source says.
            name = fields[12] if IS_HASH.fullmatch(fields[12]) else name
        self._gathered.add(
            (
                *(name, number, photo, nsid or None, nickname, title, day, north, east),
                *(page, address, None, fields[11] or None, fields[9], fields[10]),
            )
        )

    def finish(self) -> None:
        """Adds what was counted by licence to the counts."""
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
