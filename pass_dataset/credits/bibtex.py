"""Credits as BibTeX: the dataset and its paper, then one entry a photographer.

One entry an image would be a bibliography of 1.44 million. An entry's field ``images``, which
bibliography styles do not print, has the hashes of all images.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import re
import unicodedata
from collections.abc import Iterator, Sequence

from pass_dataset.credits.credit import ALWAYS_MISSING, Credit, Source
from pass_dataset.credits.names import decode_name
from pass_dataset.credits.reading import Credits
from pass_dataset.licenses import DATASET_LICENSE
from pass_dataset.releases import Release

__all__ = ["bibtex_pieces", "entry_key", "latex", "paper"]

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


def bibtex_pieces(credits_: Credits) -> Iterator[str]:
    """The text of the bibliography, entry by entry."""
    yield _head(credits_)
    if credits_.release is not None and credits_.source.is_pass:
        yield "\n" + paper()
        yield "\n" + _dataset(credits_.release)
    for creator, credits_of_one in credits_.by_creator():
        yield "\n" + _entry(creator, credits_of_one)


def paper() -> str:
    """The entry of the paper that describes PASS."""
    resource = importlib.resources.files("pass_dataset.tfds") / "CITATIONS.bib"
    return resource.read_text(encoding="utf-8")


def latex(text: str) -> str:
    """Text as it is, for LaTeX."""
    return text.translate(_LATEX)


def entry_key(creator: str | None) -> str:
    """The key of a photographer's entry: always the same for the same name, and plain ASCII.

    Args:
      creator: URL-encoded as in the CSV; None for those without a name.
    """
    if creator is None:
        return "photographs-unknown"
    plain = unicodedata.normalize("NFKD", decode_name(creator)).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:24].rstrip("-")
    digest = hashlib.sha256(creator.encode()).hexdigest()[:10]
    return "-".join(filter(None, ("photographs", slug, digest)))


def _head(credits_: Credits) -> str:
    # BibTeX skips what is outside of entries, as long as there is no at sign in it.
    lines = [
        f"Credits of {len(credits_):,} images of {credits_.source.label.replace('@', ' ')}, by "
        "pass-dataset credits.",
        "One entry for each photographer; its field images, which no style prints, has the hashes.",
        f"Not in the metadata and so not here: {'; '.join(ALWAYS_MISSING)}.",
        "Say so where you have changed a photograph.",
        r"UTF-8. Needs \usepackage{url} or hyperref; emoji and other scripts need XeLaTeX or "
        "LuaLaTeX with a font that has them.",
    ]
    return "".join(f"% {line}\n" for line in lines)


def _dataset(release: Release) -> str:
    authors = re.search(r"author\s*=\s*\{(.*)\}", paper())
    fields = {
        "author": authors[1] if authors else None,
        "title": "{" + latex(release.label) + "}",
        "year": release.released[:4] if release.released else None,
        "publisher": "Zenodo",
        "doi": release.doi,
        "howpublished": _url(f"https://doi.org/{release.doi}"),
        "note": f"{DATASET_LICENSE.name}, {_url(DATASET_LICENSE.url)}",
    }
    return _format(f"pass-{release.version}", fields)


def _entry(creator: str | None, credits_: Sequence[Credit]) -> str:
    source = credits_[0].source
    number = f"{len(credits_):,} photograph{'' if len(credits_) == 1 else 's'}"
    fields = {
        "author": None if creator is None else "{" + latex(decode_name(creator)) + "}",
        "key": "unknown" if creator is None else None,
        "title": "{" + f"{number} in {latex(source.label)}" + "}",
        "howpublished": _where(source),
        "note": _note(creator, credits_),
        "images": " ".join(credit.hash for credit in credits_),
    }
    return _format(entry_key(creator), fields)


def _where(source: Source) -> str | None:
    return None if source.url is None else _url(source.url)


def _note(creator: str | None, credits_: Sequence[Credit]) -> str:
    terms = dict.fromkeys((credit.license_name, credit.license) for credit in credits_)
    notes = []
    for name, license_ in terms:
        if license_ is not None:
            notes.append(f"{license_.name}, {_url(license_.url)}")
        else:
            notes.append("Licence not known" if name is None else latex(name))
    if creator is None:
        notes.append("The photographer's name is not known")
    return "; ".join(notes)


def _url(address: str) -> str:
    return rf"\url{{{address}}}"


def _format(key: str, fields: dict[str, str | None]) -> str:
    lines = [
        f"  {name:<12} = {{{value}}},\n" for name, value in fields.items() if value is not None
    ]
    return f"@misc{{{key},\n{''.join(lines)}}}\n"
