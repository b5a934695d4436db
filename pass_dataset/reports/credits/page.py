"""Credits as a page: one HTML file, photographers in order of their names, no script."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pass_dataset.pages.template import render_pieces
from pass_dataset.releases.citation import BIBTEX
from pass_dataset.releases.licenses import DATASET_LICENSE, License
from pass_dataset.reports.credits.credit import Credit
from pass_dataset.reports.credits.names import decode_name, section_of
from pass_dataset.reports.credits.reading import Credits

__all__ = ["MOST_LISTED", "page_pieces"]

#: With more images than these, the page has their numbers only: it could not be opened on a phone.
MOST_LISTED = 50_000

#: From so many names on, a section is laid out only when it is looked at; and their height.
_LONG_ROWS = 200
_ROW_REM = 2.7

_NAMELESS = "Without a name"


@dataclass(frozen=True, slots=True)
class Photographer:
    """A row of the page.

    Attributes:
      name: as people read it; None where there is none.
      num_images: how many photographs.
      license, license_text: as of `Credit`; all of them have the same.
      images: the photographs, where the page lists them.
    """

    name: str | None
    num_images: int
    license: License | None
    license_text: str | None
    images: Sequence[Credit]


@dataclass(frozen=True)
class Section:
    """Photographers whose names begin alike.

    Attributes:
      title: how they begin.
      photographers: in the order of their names.
    """

    title: str
    photographers: Sequence[Photographer] = ()

    @property
    def anchor(self) -> str:
        """What a link names it by."""
        return "names-" + "-".join(self.title.lower().replace("–", " ").split())

    @property
    def late_rem(self) -> int | None:
        """Height for the scroll bar, where it is laid out only when it is looked at."""
        rows = len(self.photographers)
        return None if rows < _LONG_ROWS else round(rows * _ROW_REM)


def page_pieces(credits_: Credits) -> Iterator[str]:
    """The page as HTML text that needs no other file, photographer by photographer."""
    is_listed = len(credits_) <= MOST_LISTED
    return render_pieces(
        __package__,
        "page.html",
        {
            "source": credits_.source,
            "num_images": len(credits_),
            "num_creators": len(credits_.creators()),
            "terms": credits_.terms(),
            "example": credits_.first(),
            "missing": credits_.missing(),
            "has_yfcc_rows": credits_.table["yfcc_row"].null_count < len(credits_),
            "is_listed": is_listed,
            "most_listed": MOST_LISTED,
            "dataset_license": DATASET_LICENSE,
            "paper": BIBTEX.strip(),
            "navigation": _navigation(credits_),
            "sections": _sections(credits_, is_listed),
        },
    )


def _navigation(credits_: Credits) -> list[Section]:
    titles = dict.fromkeys(section_of(decode_name(creator)) for creator in credits_.creators())
    if credits_.table["creator"].null_count:
        titles[_NAMELESS] = None
    return [Section(title) for title in titles]


def _sections(credits_: Credits, is_listed: bool) -> Iterator[Section]:
    groups = (_photographer(group, is_listed) for group in credits_.by_creator())
    for title, photographers in itertools.groupby(groups, key=_title):
        yield Section(title, list(photographers))


def _title(photographer: Photographer) -> str:
    return _NAMELESS if photographer.name is None else section_of(photographer.name)


def _photographer(credits_: Sequence[Credit], is_listed: bool) -> Photographer:
    credit = credits_[0]
    return Photographer(
        credit.name,
        len(credits_),
        credit.license,
        credit.license_text,
        credits_ if is_listed else (),
    )
