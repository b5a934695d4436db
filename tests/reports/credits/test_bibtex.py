"""The bibliography, read by pybtex."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pass_dataset.reports.credits import Credits
from pass_dataset.reports.credits.bibtex import _entry, bibtex_pieces, entry_key, latex
from pass_dataset.reports.credits.credit import Credit, Source
from tests.reports.credits.hostile import ENCODED, NAMES

database = pytest.importorskip("pybtex.database", reason="needs pybtex")

KEY = re.compile(r"[a-z0-9][a-z0-9.-]*")


def read(credits_: Credits) -> dict[str, Any]:
    parsed = database.parse_string("".join(bibtex_pieces(credits_)), "bibtex")
    return dict(parsed.entries)


def unescaped(text: str) -> str:
    """What LaTeX prints for what `latex` writes."""
    words = {
        "textbackslash": "\\",
        "textbraceleft": "{",
        "textbraceright": "}",
        "textasciicircum": "^",
        "textasciitilde": "~",
        "textless": "<",
        "textgreater": ">",
        "textbar": "|",
    }
    text = re.sub(r"\\([a-z]+)\{\}", lambda found: f"\0{words[found[1]]}", text)
    return re.sub(r"\\([$&#_%])", r"\1", text).replace("\0", "")


def test_every_photographer_has_an_entry(hostile: Credits) -> None:
    entries = read(hostile)
    assert len(entries) == 2 + len(ENCODED) + 1
    assert len({key.lower() for key in entries}) == len(entries)
    assert all(KEY.fullmatch(key) for key in entries if key != "asano21pass")
    images = [
        image for entry in entries.values() for image in entry.fields.get("images", "").split()
    ]
    assert sorted(images) == sorted(credit.hash for credit in hostile)
    for group in hostile.by_creator():
        entry = entries[entry_key(group[0])]
        assert entry.fields["images"].split() == [credit.hash for credit in group]
        number = "1 photograph" if len(group) == 1 else f"{len(group)} photographs"
        assert entry.fields["title"] == f"{{{number} in PASS 3.0.0}}"
        assert (
            "CC BY 2.0, \\url{https://creativecommons.org/licenses/by/2.0/}"
            in (entry.fields["note"])
        )
        assert entry.fields["howpublished"] == "\\url{https://doi.org/10.5281/zenodo.6615455}"
        if group[0].name is None:
            assert "author" not in entry.persons
            assert "name is not known" in entry.fields["note"]
        else:
            # One person, whatever "and" or comma the name has.
            (person,) = entry.persons["author"]
            assert unescaped(str(person)) == f"{{{group[0].name}}}"


def test_dataset_and_paper_come_first(hostile: Credits, mixed: Credits) -> None:
    paper, dataset = list(read(hostile).items())[:2]
    assert paper[0] == "asano21pass"
    assert dataset[0] == "pass-3.0.0"
    assert dataset[1].fields["doi"] == "10.5281/zenodo.6615455"
    assert dataset[1].fields["year"] == "2022"
    assert "CC BY 4.0" in dataset[1].fields["note"]
    assert [str(person) for person in dataset[1].persons["author"]] == [
        str(person) for person in paper[1].persons["author"]
    ]
    # A collection of one's own is not PASS.
    assert not any("asano" in key or key.startswith("pass") for key in read(mixed))


def test_licences_apart(mixed: Credits) -> None:
    entries = read(mixed)
    assert [entry.fields["note"] for entry in entries.values()] == [
        "CC BY 2.0, \\url{https://creativecommons.org/licenses/by/2.0/}",
        "CC0\\_1.0 \\& more",
        "Licence not known",
    ]
    assert all("howpublished" not in entry.fields for entry in entries.values())


@pytest.mark.parametrize("name", NAMES)
def test_escapes(name: str) -> None:
    escaped = latex(name)
    assert unescaped(escaped) == name
    # BibTeX counts braces, whatever stands before them.
    depths = [
        escaped[: place + 1].count("{") - escaped[: place + 1].count("}")
        for place in range(len(escaped))
    ]
    assert min(depths) >= 0
    assert depths[-1] == 0


def test_keys_stay(hostile: Credits) -> None:
    keys = {group[0].name: entry_key(group[0]) for group in hostile.by_creator()}
    assert keys["Ünal Öz"] == "photographs-unal-oz-" + keys["Ünal Öz"][-10:]
    assert re.fullmatch(r"photographs-[0-9a-f]{10}", keys["山の音"])
    assert keys == {group[0].name: entry_key(group[0]) for group in hostile.by_creator()}


def test_says_what_is_missing(hostile: Credits) -> None:
    head = next(bibtex_pieces(hostile))
    assert "Not in the metadata and so not here: title; page of the photograph." in head
    assert "@" not in head
    assert all(line.startswith("% ") for line in head.splitlines())


def test_nothing_of_a_file_is_obeyed() -> None:
    """Labels, addresses, hashes, licences: all may come from files of others."""
    hostile = "}\n@misc{evil, title={x}}\\input{/etc/passwd} %\x1b"
    credit = Credit(
        hash=f"abc_{hostile}",
        creator="a",
        license_text=hostile,
        license=None,
        yfcc_row=None,
        source=Source(hostile, f"https://doi.org/10.1/{hostile}", False),
    )
    assert latex(hostile) == (
        "\\textbraceright{} @misc\\textbraceleft{}evil, title=\\textbraceleft{}x"
        "\\textbraceright{}\\textbraceright{}\\textbackslash{}input\\textbraceleft{}/etc/passwd"
        "\\textbraceright{} \\% "
    )
    entry = "".join(_entry([credit]))
    assert "\x1b" not in entry
    parsed = database.parse_string(entry, "bibtex").entries
    assert list(parsed) == [entry_key(credit)]
    assert parsed[entry_key(credit)].fields["howpublished"] == (
        "\\url{https://doi.org/10.1/%7D%0A@misc%7Bevil,%20title=%7Bx%7D%7D%5Cinput"
        "%7B/etc/passwd%7D%20%%1B}"
    )
