from __future__ import annotations

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from pass_dataset.errors import ReleaseError
from pass_dataset.releases.release import (
    Release,
    ReleaseFile,
    format_parts,
    format_release,
    parse_parts,
    parse_release,
    read_release,
)
from tests.properties.damage import damaged

PATH = Path("checksums.tsv")
SHA = "0" * 64

words = st.text("abcdefghijklmnop0123456789_ -äé", min_size=1, max_size=20).map(str.strip)
facts = st.one_of(st.none(), words.filter(bool))
stems = st.text("abcXYZ019_-. ü", min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and not text.startswith(".")
)
sizes = st.integers(0, 10**19 - 1)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
urls = st.one_of(st.none(), words.filter(bool).map(lambda text: f"https://host/{text}"))


@st.composite
def releases(draw: st.DrawFn) -> Release:
    names = draw(st.lists(stems, min_size=1, max_size=4, unique=True))
    files = [ReleaseFile(f"{n}.tar", draw(sizes), draw(digests), draw(urls)) for n in names]
    metadata = ReleaseFile(f"{draw(stems)}.csv", draw(sizes), draw(digests), draw(urls))
    return Release(
        version=".".join(map(str, draw(st.tuples(*[st.integers(0, 99)] * 3)))),
        files=(*files, metadata),
        name=draw(st.sampled_from(["pass", "my_photos2"])),
        zenodo_record=draw(facts),
        num_examples=draw(st.one_of(st.none(), sizes)),
        released=draw(facts),
        changes=draw(facts),
        purged=draw(st.integers(0, 100)),
        published=tuple(draw(st.lists(st.sampled_from(files), max_size=2, unique=True))),
    )


@given(releases())
def test_what_was_written_is_read(release: Release) -> None:
    assert parse_release(format_release(release), PATH) == release


def check(text: str) -> None:
    try:
        found = parse_release(text, PATH)
    except ReleaseError as error:
        assert str(error).startswith(str(PATH))
    else:
        # What is understood can be written, and then says the same.
        assert parse_release(format_release(found), PATH) == found


def described(*lines: str) -> str:
    """A checksum file with these lines besides its own."""
    own = ["# version\t1.0.0", f"-\t1\t{SHA}\ta.tar", f"-\t1\t{SHA}\tb.csv"]
    return "\n".join([*own, *lines])


@given(st.text())
@example(described(f"-\t{'9' * 5000}\t{SHA}\tc.tar"))  # a number that Python refuses to read
@example(described(f"# num_examples\t{'9' * 5000}"))
@example(described(f"# purged\t{'9' * 5000}"))
@example(described(f"-\t\N{ARABIC-INDIC DIGIT ONE}\t{SHA}\tc.tar"))
@example(described(f"-\t\N{SUPERSCRIPT TWO}\t{SHA}\tc.tar"))
@example(described("# version\t\N{ARABIC-INDIC DIGIT ONE}.0.0"))
@example(described(f"-\t1\t{SHA}\tc\0.tar"))
@example(described("# published\t"))
def test_any_text(text: str) -> None:
    check(text)


@given(st.data(), releases())
def test_damaged_file(data: st.DataObject, release: Release) -> None:
    content = data.draw(damaged(format_release(release).encode()))
    check(content.decode(errors="replace"))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    for content in (b"\xff", b"\xff\xfe", b"\x80" * 100):
        (tmp_path / PATH).write_bytes(content)
        try:
            read_release(tmp_path / PATH)
        except ReleaseError as error:
            assert str(tmp_path / PATH) in str(error)
        else:
            raise AssertionError(content)


@given(st.sets(st.integers(0, 9999), min_size=1))
def test_parts_are_read_back(parts: set[int]) -> None:
    assert parse_parts(format_parts(parts)) == tuple(sorted(parts))


@given(st.one_of(st.text(), st.text("0123456789,- ", max_size=30)))
@example("9" * 5000)
@example("0-\N{ARABIC-INDIC DIGIT NINE}")
@example("3-1")
@example("")
def test_any_parts(text: str) -> None:
    try:
        found = parse_parts(text)
    except ReleaseError:
        pass
    else:
        assert found == tuple(sorted(set(found)))
        assert 0 <= found[0] <= found[-1] <= 9999
