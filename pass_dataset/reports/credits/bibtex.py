"""Credits as BibTeX: the paper and the dataset, then one entry a photographer.

One entry an image would be a bibliography of 1.44 million. An entry's field ``images``, which
bibliography styles do not print, has the hashes of all images.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import urllib.parse
from collections.abc import Iterator, Sequence

from pass_dataset.releases.citation import BIBTEX, BIBTEX_AUTHORS
from pass_dataset.releases.licenses import DATASET_LICENSE
from pass_dataset.releases.release import Release
from pass_dataset.reports.credits.credit import ALWAYS_MISSING, Credit
from pass_dataset.reports.credits.reading import Credits

__all__ = ["bibtex_pieces", "entry_key", "latex"]

#: What means something in LaTeX. Braces have no backslash before them, as BibTeX counts those too.
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        **{sign: f"\\{sign}" for sign in "$&#_%"},
    }
)


#: Characters that stay as they are in an address (RFC 3986), and what is encoded already.
_IN_URLS = ":/?#[]@!$&'()*+,;=-._~%"
#: Line ends among them: a line of BibTeX's may begin an entry.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def bibtex_pieces(credits_: Credits) -> Iterator[str]:
    """The text of the bibliography, entry by entry."""
    yield _head(credits_)
    if credits_.release is not None and credits_.source.is_pass:
        yield "\n" + BIBTEX
        yield "\n" + _dataset(credits_.release)
    for credits_of_one in credits_.by_creator():
        yield "\n" + _entry(credits_of_one)


def latex(text: str) -> str:
    """Text as it is, for LaTeX."""
    return _CONTROL.sub(" ", text).translate(_LATEX)


def entry_key(credit: Credit) -> str:
    """The key of a photographer's entry, in plain ASCII.

    It is always the same for the same name and licence.
    """
    plain = unicodedata.normalize("NFKD", credit.name or "").encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:24].rstrip("-")
    told_apart_by = f"{credit.creator or ''}\n{credit.license_name or ''}"
    digest = hashlib.sha256(told_apart_by.encode()).hexdigest()[:10]
    return "-".join(filter(None, ("photographs", slug, digest)))


def _head(credits_: Credits) -> str:
    # BibTeX skips what is outside of entries, as long as there is no at sign in it.
    label = _CONTROL.sub(" ", credits_.source.label.replace("@", " "))
    lines = [
        f"Credits of {len(credits_):,} images of {label}, by pass-dataset credits.",
        "One entry for each photographer; its field images, which no style prints, has the hashes.",
        f"Not in the metadata and so not here: {'; '.join(ALWAYS_MISSING)}.",
        "Say so where you have changed a photograph.",
        r"UTF-8. Needs \usepackage{url} or hyperref; emoji and other scripts need XeLaTeX or "
        "LuaLaTeX with a font that has them.",
    ]
    return "".join(f"% {line}\n" for line in lines)


def _dataset(release: Release) -> str:
    fields = {
        "author": BIBTEX_AUTHORS,
        "title": "{" + latex(release.label) + "}",
        "year": latex(release.released[:4]) if release.released else None,
        "publisher": "Zenodo",
        "doi": None if release.doi is None else latex(release.doi),
        "howpublished": _url(f"https://doi.org/{release.doi}"),
        "note": f"{DATASET_LICENSE.name}, {_url(DATASET_LICENSE.url)}",
    }
    return _format(f"pass-{release.version}", fields)


def _entry(credits_: Sequence[Credit]) -> str:
    """The entry of images of one photographer under one licence."""
    credit = credits_[0]
    number = f"{len(credits_):,} photograph{'' if len(credits_) == 1 else 's'}"
    fields = {
        "author": None if credit.name is None else "{" + latex(credit.name) + "}",
        "key": "unknown" if credit.name is None else None,
        "title": "{" + f"{number} in {latex(credit.source.label)}" + "}",
        "howpublished": None if credit.source.url is None else _url(credit.source.url),
        "note": _note(credit),
        "images": " ".join(latex(each.hash) for each in credits_),
    }
    return _format(entry_key(credit), fields)


def _note(credit: Credit) -> str:
    if credit.license is not None:
        note = f"{credit.license.name}, {_url(credit.license.url)}"
    elif credit.license_text is not None:
        note = latex(credit.license_text)
    else:
        note = "Licence not known"
    return note if credit.name is not None else f"{note}; the photographer's name is not known"


def _url(address: str) -> str:
    # Braces, blanks, backslashes and all that is not ASCII would end it, or be obeyed.
    return rf"\url{{{urllib.parse.quote(address, safe=_IN_URLS)}}}"


def _format(key: str, fields: dict[str, str | None]) -> str:
    lines = [
        f"  {name:<12} = {{{value}}},\n" for name, value in fields.items() if value is not None
    ]
    return f"@misc{{{key},\n{''.join(lines)}}}\n"
