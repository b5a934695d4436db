"""Lists of images by their hashes, or by the names that an own collection has: text files."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.list_lines import SUMS, entry_of, in_utf8
from pass_dataset.errors import MetadataError

__all__ = [
    "AROUND_HASH",
    "is_hash",
    "line_of",
    "names_in",
    "odd_names",
    "parse_hash_list",
    "read_hash_list",
    "resolve",
    "spellings",
    "unmatched",
    "with_spellings",
]

#: The MD5 of an address, each of its 16 bytes printed without a leading zero (YFCC-100M).
_HASH = r"^[0-9a-f]{16,32}$"
_IS_HASH = re.compile(_HASH)
_MD5_DIGITS = 32
_HEX = re.compile(r"[0-9a-fA-F]{16,32}")

#: What a program that makes checksums prints before a name, if it escapes none.
_SUM_BEFORE = rf"^(?:{SUMS}) [ *]"
#: Lines that are read one by one: escaped ones, addresses, and BSD's form of checksums.
_READ_SINGLY = r"^(?:\\|(?i:file://)|[A-Z][A-Z0-9-]+ ?\(.*\) = [0-9a-fA-F]{32,128}$)"
#: What may stand around a hash in the path of its image.
AROUND_HASH = r"(?s)^.*/|\.(?i:jpe?g)$"
_CONTROL = r"[\x00-\x1f\x7f]"
#: A hash among other things, as in rows of a CSV: to take the row for a name would keep an image.
_HASH_WITHIN = r"(?:^|[\s,;:=?&\"'\\|])[0-9a-fA-F]{16,32}(?:\.jpe?g)?(?:$|[\s,;:=?&\"'|])"
#: What some pages and answers of servers begin with, which were saved in a list's place.
_PAGE = re.compile(r"\s*(?:<(?:!|\?xml|html|head|body)|\{\s*\")", re.IGNORECASE)


def is_hash(text: str) -> bool:
    """True if it has the form of an image's hash.

    >>> is_hash("12e4503918276645091827364509182"), is_hash("PASS.0.tar")
    (True, False)
    """
    return _IS_HASH.fullmatch(text) is not None


def read_hash_list(path: str | os.PathLike[str]) -> pa.Array:
    """Reads a list of hashes, such as the filter's ``kept.txt``.

    A line is a hash, or the name of an image file that is called so, with or without folders
    before it (``PASS_dataset/0/<hash>.jpg``); in a collection of one's own, the name that it has
    there. What `sha256sum` and `md5sum` print of such files is read too, in any encoding that
    `pass_dataset.archives.list_lines` knows. Empty lines and lines that begin with ``#`` do not
    count.

    Returns:
      The hashes (Arrow strings), in the order of the file.

    Raises:
      MetadataError: the file cannot be read, or has what is no name.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MetadataError(
            f"{path}: cannot be read as a list of hashes: {error.strerror}"
        ) from error
    return names_in(data, str(path))


def names_in(data: bytes, where: str) -> pa.Array:
    """The hashes in the bytes of a list; see `read_hash_list`.

    Raises:
      MetadataError: the bytes are no text, or have what is no name.
    """
    try:
        text = in_utf8(data).decode()
    except UnicodeDecodeError as error:
        raise MetadataError(
            f"{where}: cannot be read as a list of hashes: expected text in UTF-8, or in UTF-16 "
            f"with a byte order mark: {error}"
        ) from error
    return parse_hash_list(text, where)


def parse_hash_list(text: str, where: str) -> pa.Array:
    """The hashes in the text of a list; see `read_hash_list`.

    Args:
      text: the content.
      where: it comes from, for messages.

    Raises:
      MetadataError: a line cannot be a name.
    """
    if _PAGE.match(text):
        raise MetadataError(
            f"{where}: expected a list of hashes, one a line, found a page or an answer of a "
            f"server: {text.strip()[:40]!r}"
        )
    if "\0" in text and "\n" not in text:  # of `find -print0`
        text = text.replace("\0", "\n")
    # Arrow's texts and not Python's: a list may have a million lines.
    lines = pa.array(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), pa.string())
    lines = pc.utf8_trim_whitespace(lines)
    lines = lines.filter(pc.invert(pc.match_substring_regex(lines, "^(#.*)?$")))
    _refuse(lines, pc.match_substring_regex(lines, _CONTROL), where, "control characters")
    names = pc.replace_substring_regex(lines, pattern=_SUM_BEFORE, replacement="")
    names = _read_singly(names, where)
    names = pc.replace_substring_regex(names, pattern=AROUND_HASH, replacement="")
    _refuse(lines, pc.match_substring_regex(names, r"^\s*$"), where, "no name")
    _refuse(lines, pc.match_substring_regex(names, _CONTROL), where, "control characters")
    among = pc.and_(
        pc.match_substring_regex(names, _HASH_WITHIN),
        pc.invert(pc.match_substring_regex(names, "^[0-9a-fA-F]+$")),
    )
    _refuse(lines, among, where, "a hash among other things")
    return names


def _refuse(lines: pa.Array, wrong: pa.Array, where: str, what: str) -> None:
    if pc.any(wrong, min_count=0).as_py():
        line = lines.filter(wrong)[0].as_py()
        raise MetadataError(
            f"{where}: expected a hash (16 to 32 hexadecimal characters), the name of an image, or "
            f"of its .jpg, on each line, found {what}: {line!r}"
        )


def _read_singly(lines: pa.Array, where: str) -> pa.Array:
    single = pc.match_substring_regex(lines, _READ_SINGLY)
    if not pc.any(single, min_count=0).as_py():
        return lines
    found = []
    for line in lines.filter(single).to_pylist():
        try:
            found.append(entry_of(line.encode()).names[0].decode())
        except ValueError as error:
            raise MetadataError(f"{where}: {line!r}: {error}") from error
    return pc.replace_with_mask(lines, single, pa.array(found, pa.string()))


def line_of(name: str) -> str:
    """The line of a list that stands for a name."""
    if re.search(r"\s$|\.jpe?g$", name, re.IGNORECASE):
        name += ".jpg"
    return f"./{name}" if name.startswith(("#", "\\")) else name


# --- a name in other spellings --------------------------------------------------------------------


def spellings(name: str) -> list[str]:
    """How an image may be called that a list calls so: the name first.

    A hash may be written in capitals, or as MD5 sums are printed elsewhere, with the zeros that
    the names of images have lost; accents may be of their own (NFD) or not (NFC).
    """
    found = {name: None}
    if not name.isascii():
        found |= dict.fromkeys(unicodedata.normalize(form, name) for form in ("NFC", "NFD"))
    if _HEX.fullmatch(name):
        lower = name.lower()
        shorter = [lower, lower.lstrip("0")]
        if len(name) == _MD5_DIGITS:
            shorter.append("".join(f"{byte:x}" for byte in bytes.fromhex(name)))
        found |= dict.fromkeys(one for one in shorter if is_hash(one))
    return list(found)


def _respelt(names: pa.Array) -> pa.Array:
    """Whether names have other spellings."""
    ascii_only = pc.string_is_ascii(names)
    capitals = pc.match_substring_regex(names, "^[0-9a-fA-F]*[A-F][0-9a-fA-F]*$")
    zeros = pc.match_substring_regex(names, "^(?:0|(?:[0-9a-f]{2})*0[0-9a-f](?:[0-9a-f]{2})*$)")
    # Only a sum of all 32 digits has zeros that an image's name has not, but for the first ones.
    zeros = pc.and_(
        zeros,
        pc.or_(
            pc.equal(pc.binary_length(names), _MD5_DIGITS),
            pc.match_substring_regex(names, "^0[0-9a-f]+$"),
        ),
    )
    return pc.or_(pc.or_(pc.invert(ascii_only), capitals), zeros)


def with_spellings(names: pa.Array) -> frozenset[str]:
    """All names, in all spellings."""
    found = set(names.to_pylist())
    for name in names.filter(_respelt(names)).to_pylist():
        found.update(spellings(name))
    return frozenset(found)


def resolve(names: pa.Array, known: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Names of a list as a collection spells them; those that it has not stay as they are.

    Args:
      names: of a list.
      known: those of the collection's images.
    """
    to_look_at = pc.and_(_respelt(names), pc.invert(pc.is_in(names, value_set=known)))
    if not pc.any(to_look_at, min_count=0).as_py():
        return names
    tried = [spellings(name) for name in names.filter(to_look_at).to_pylist()]
    all_tried = pa.array([one for each in tried for one in each], pa.string())
    there = set(all_tried.filter(pc.is_in(all_tried, value_set=known)).to_pylist())
    found = [next((one for one in each if one in there), each[0]) for each in tried]
    return pc.replace_with_mask(names, to_look_at, pa.array(found, pa.string()))


def unmatched(names: pa.Array, known: pa.Array | pa.ChunkedArray) -> list[str]:
    """Names of a list that a collection has not, in any spelling, each once."""
    found = resolve(names, known)
    left: list[str] = names.filter(pc.invert(pc.is_in(found, value_set=known))).unique().to_pylist()
    return left


def odd_names(names: pa.Array) -> pa.Array:
    """Those that cannot be hashes: of an own collection, or a slip."""
    return names.filter(pc.invert(pc.match_substring_regex(names, "(?i)" + _HASH))).unique()
