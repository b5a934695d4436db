"""Credits as a page: one HTML file, photographers in order of their names, no script."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from pass_dataset.pages.html import Html, code, escape, join
from pass_dataset.pages.template import fill_page
from pass_dataset.pages.words import count
from pass_dataset.releases.citation import BIBTEX
from pass_dataset.releases.licenses import DATASET_LICENSE, License
from pass_dataset.reports.credits.credit import Credit
from pass_dataset.reports.credits.names import decode_name, section_of
from pass_dataset.reports.credits.reading import Credits, Terms

__all__ = ["MOST_LISTED", "page_pieces"]

#: With more images than these, the page has their numbers only: it could not be opened on a phone.
MOST_LISTED = 50_000

#: From so many names on, a section is laid out only when it is looked at; and their height.
_LONG_ROWS = 200
_ROW_REM = 2.7

_NAMELESS = "Without a name"


def page_pieces(credits_: Credits) -> Iterator[str]:
    """The page as HTML text that needs no other file, photographer by photographer."""
    terms = credits_.terms()
    sections = _sections(credits_)
    # Nothing that is escaped has a NUL.
    page = fill_page(
        "pass_dataset.reports.credits",
        title=escape(credits_.source.label),
        summary=_summary(credits_),
        terms=_terms(terms),
        example=_example(credits_),
        missing=join(Html(f"<li>{escape(what)}</li>") for what in credits_.missing()),
        yfcc=_yfcc(credits_),
        unlisted=_unlisted(credits_),
        dataset=_dataset(credits_),
        sections=_navigation(sections),
        photographers="\0",
    )
    head, foot = page.split("\0")
    yield head
    yield from _photographers(credits_, show_terms=len(terms) > 1)
    yield foot


def _photographs(number: int) -> str:
    return count(number, "photograph", "photographs")


def _link(address: str, text: str | None = None) -> Html:
    shown = escape(address if text is None else text)
    return Html(f'<a href="{escape(address)}" rel="noopener">{shown}</a>')


# --- what is true of all --------------------------------------------------------------------------


def _summary(credits_: Credits) -> Html:
    photographers = count(len(credits_.creators()), "photographer", "photographers")
    return escape(f"{_photographs(len(credits_))} by {photographers}.")


def _license(license_: License | None, text: str | None) -> Html:
    if license_ is not None:
        return _link(license_.url, license_.name)
    return escape("licence not known" if text is None else f"{text} (its address is not known)")


def _terms(terms: Sequence[Terms]) -> Html:
    if len(terms) == 1:
        return Html(f"All are under {_license(terms[0].license, terms[0].text)}.")
    each = (
        f"{_photographs(each.num_images)}: {_license(each.license, each.text)}" for each in terms
    )
    return Html("; ".join(each) + ".")


def _example(credits_: Credits) -> Html:
    credit = credits_.first()
    return Html("") if credit is None else Html(f"<blockquote>{escape(credit.text)}</blockquote>")


def _yfcc(credits_: Credits) -> Html:
    """Where what is missing, and the images themselves, can be found."""
    if not credits_.source.is_pass:
        return Html("")
    text = (
        "Titles and pages stand in the metadata of YFCC-100M, the collection that PASS was drawn "
        "from."
    )
    if credits_.table["yfcc_row"].null_count < len(credits_):
        text += " <code>pass-dataset credits --format csv</code> gives each photograph's row there."
    if len(credits_) <= MOST_LISTED:
        text += " The links below lead to the files in YFCC-100M's public bucket, by their hash."
    return Html(f"<p>{text}</p>")


def _unlisted(credits_: Credits) -> Html:
    if len(credits_) <= MOST_LISTED:
        return Html("")
    return Html(
        f'<p class="notice">Of more than {MOST_LISTED:,} photographs this page has the numbers '
        "only. Which photograph is whose: <code>pass-dataset credits --format csv</code>.</p>"
    )


def _dataset(credits_: Credits) -> Html:
    source = credits_.source
    where = f" {_link(source.url)}" if source.url else ""
    if not source.is_pass:
        return Html(f"<p>{escape(source.label)}.{where}</p>")
    license_ = _link(DATASET_LICENSE.url, DATASET_LICENSE.name)
    return Html(
        f"<p>{escape(source.label)}, as a collection under {license_}.{where}</p>\n"
        f"<pre><code>{escape(BIBTEX.strip())}</code></pre>"
    )


# --- photographers --------------------------------------------------------------------------------


def _sections(credits_: Credits) -> list[str]:
    names = (section_of(decode_name(creator)) for creator in credits_.creators())
    sections = list(dict.fromkeys(names))
    return [*sections, _NAMELESS] if credits_.table["creator"].null_count else sections


def _anchor(section: str) -> str:
    return "names-" + "-".join(section.lower().replace("–", " ").split())


def _navigation(sections: Sequence[str]) -> Html:
    return join(Html(f'<a href="#{_anchor(name)}">{escape(name)}</a>') for name in sections)


def _photographers(credits_: Credits, show_terms: bool) -> Iterator[str]:
    is_listed = len(credits_) <= MOST_LISTED

    def section(credits_of_one: Sequence[Credit]) -> str:
        name = credits_of_one[0].name
        return _NAMELESS if name is None else section_of(name)

    for title, groups in itertools.groupby(credits_.by_creator(), key=section):
        rows = [_photographer(group, is_listed, show_terms) for group in groups]
        yield (
            f'<section id="{_anchor(title)}"{_laid_out_late(len(rows))}>\n'
            f'<h3>{escape(title)}</h3>\n<ul class="names">\n'
        )
        yield from rows
        yield "</ul>\n</section>\n"


def _laid_out_late(rows: int) -> str:
    """Attributes of a section that is long, with its height for the scroll bar."""
    if rows < _LONG_ROWS:
        return ""
    return f' class="long" style="contain-intrinsic-size: auto {rows * _ROW_REM:.0f}rem"'


def _photographer(credits_: Sequence[Credit], is_listed: bool, show_terms: bool) -> str:
    credit = credits_[0]
    # Names may be written from right to left, and must not turn round what follows.
    who = f"<bdi>{escape(credit.name or 'photographer not known')}</bdi>"
    terms = f" {_license(credit.license, credit.license_text)}" if show_terms else ""
    number = _photographs(len(credits_))
    if not is_listed:
        return f'<li>{who} <span class="soft">{number}</span>{terms}</li>\n'
    images = " ".join(map(_image, credits_))
    return (
        f'<li>{who}{terms}\n<details><summary>{number}</summary><p class="hashes">{images}</p>'
        "</details></li>\n"
    )


def _image(credit: Credit) -> Html:
    shown = code(credit.hash)
    if credit.file_url is None:
        return shown
    return Html(f'<a href="{escape(credit.file_url)}" rel="noopener">{shown}</a>')
