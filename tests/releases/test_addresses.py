"""Addresses as they are shown: nothing in them opens a door."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pass_dataset.releases.addresses import (
    address_in,
    check_address,
    public_address,
    without_secrets,
)
from pass_dataset.releases.release import Release, ReleaseFile, format_release, part_numbers

ZENODO = "https://zenodo.org/records/6615455/files/PASS.0.tar?download=1"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (ZENODO, ZENODO),
        ("https://me:secret@host/x", "https://host/x"),
        ("https://secret@host:8080/x?y", "https://host:8080/x"),
        ("https://me:sec/ret@host/x", "https://host/x"),
        ("https://me:sec?re#t@host/x", "https://host/x"),
        ("https://me:s@cret@host", "https://host"),
        ("https://host/x?token=secret&file=a.tar", "https://host/x?file=a.tar"),
        ("https://host/x?X-Amz-Signature=secret#secret", "https://host/x"),
        ("https://host/x?id=" + "s" * 100, "https://host/x"),
        ("https://host/@scope/x@1.0", "https://host/@scope/x@1.0"),
        ("https://[::1]:80/x@y", "https://[::1]:80/x@y"),
        ("ftp://me:secret@[junk/x", "ftp://[junk/x"),
        ("s3://secret@bucket/x", "s3://bucket/x"),
        ("file:///data/a@b?c", "file:///data/a@b?c"),
        ("a folder?x=y", "a folder?x=y"),
        ("", ""),
    ],
)
def test_public(url: str, shown: str) -> None:
    assert public_address(url) == shown
    assert public_address(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "failed: https://me:secret@host/x, port 80",
        "url: /x?token=secret (Caused by nothing)",
        "'http://host/?secret'",
        "<ftp://secret@host>: and http://me:secret@host/",
        "To continue: pass-dataset download x --mirror=https://me:secret@host/",
    ],
)
def test_text(text: str) -> None:
    assert "secret" not in without_secrets(text)


secrets = st.text(
    st.characters(codec="ascii", exclude_characters=" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f"), min_size=1
)


@given(secrets)
def test_no_password_is_shown(secret: str) -> None:
    marked = f"Q7{secret}Q7"
    for url in (f"https://me:{marked}@host/x", f"https://host/x?token={marked}"):
        assert "Q7" not in public_address(url).replace("%", "")
        assert "Q7" not in without_secrets(f"it was {url} that failed")


@given(st.text())
def test_any_text(text: str) -> None:
    assert isinstance(public_address(text), str)
    assert isinstance(without_secrets(text), str)
    try:
        assert check_address(text).hostname
    except ValueError as error:
        assert len(str(error)) < 300


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("https://host/folder", "https://host/folder/a%20b.tar"),
        ("https://host/folder//", "https://host/folder/a%20b.tar"),
        ("https://host/folder/?token=a/b&c#d", "https://host/folder/a%20b.tar?token=a/b&c"),
        ("file:///data", "file:///data/a%20b.tar"),
    ],
)
def test_address_in_a_folder(base: str, address: str) -> None:
    assert address_in(base, "a b.tar") == address


def test_what_is_written_of_a_release_has_no_secret() -> None:
    url = "https://me:secret@host/PASS.0.tar?key=secret&download=1"
    files = (ReleaseFile("PASS.0.tar", 1, "0" * 64, url), ReleaseFile("m.csv", 1, "1" * 64, ZENODO))
    text = format_release(Release("1.0.0", files, published=(files[0],)))
    assert "secret" not in text
    assert text.count("https://host/PASS.0.tar?download=1") == 2 and ZENODO in text


@pytest.mark.parametrize(
    ("given_parts", "numbers"), [(None, None), ("0,3-5", (0, 3, 4, 5)), ([2, 1], (2, 1))]
)
def test_parts_as_they_are_given(given_parts: object, numbers: tuple[int, ...] | None) -> None:
    assert part_numbers(given_parts) == numbers  # type: ignore[arg-type]
