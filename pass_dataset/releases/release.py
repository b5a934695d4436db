"""Releases of PASS: which files each consists of, and the size and SHA-256 of every one.

The facts live in checksum files, ``checksums/<version>.tsv``, in the column order of TFDS's own
``checksums.tsv`` (``url``, ``size``, ``sha256``, ``filename``; tab-separated, no header row),
preceded by ``# key<TAB>value`` lines. A collection of the user's own in the PASS layout is
described by a file of the same format, and is then as verifiable as PASS.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pass_dataset.errors import ReleaseError
from pass_dataset.releases.addresses import public_address

__all__ = [
    "DEFAULT_VERSION",
    "OFFICIAL_VERSIONS",
    "Release",
    "ReleaseFile",
    "format_parts",
    "format_release",
    "official_release",
    "parse_parts",
    "parse_release",
    "part_numbers",
    "read_release",
    "resolve_release",
    "with_sum",
]

OFFICIAL_VERSIONS = ("1.0.0", "2.0.0", "3.0.0")

#: The newest release: the dataset's maintenance policy (datasheet, appendix F.7 of the paper) is
#: that images found to show people are removed, so this is what someone who asks for none gets.
DEFAULT_VERSION = "3.0.0"

_NO_URL = "-"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: Up to ten exabytes; of far more digits Python makes no number.
_NUMBER = re.compile(r"\d{1,19}")
_KEYS = ("name", "version", "zenodo_record", "num_examples", "released", "changes", "purged")
_PUBLISHED = "published"
#: Begins the last line of a file that is kept by programs: the SHA-256 of all lines before it.
_SUM = "# sum\t"


@dataclass(frozen=True)
class ReleaseFile:
    """One file of a release.

    Attributes:
      filename: name inside the archive folder, without any path.
      size_bytes: exact size.
      sha256: lower-case hexadecimal SHA-256 of the whole file.
      url: where it is published, or None if nowhere.
    """

    filename: str
    size_bytes: int
    sha256: str
    url: str | None = None

    @property
    def is_tar(self) -> bool:
        return self.filename.endswith(".tar")

    def fits(self, sha256: str) -> bool:
        """True if bytes of the right size that hash to this are the file."""
        return sha256 == self.sha256


@dataclass(frozen=True)
class Release:
    """A release: its files and what is known of it.

    Attributes:
      version: PASS release number, the dataset version in TFDS and Hugging Face alike.
      files: all files, tars in order of their part number, one metadata CSV.
      name: dataset name, ``pass`` unless a checksum file says otherwise.
      zenodo_record: number of the Zenodo record, or None.
      num_examples: number of images in all tars together, or None if not known.
      released: ISO date of publication, or None.
      changes: what changed since the release before, or None.
      purged: number of images that were purged from these files, see `pass_dataset.builds.purging`.
      published: what the files that were purged were like before.
    """

    version: str
    files: tuple[ReleaseFile, ...]
    name: str = "pass"
    zenodo_record: str | None = None
    num_examples: int | None = None
    released: str | None = None
    changes: str | None = None
    purged: int = 0
    published: tuple[ReleaseFile, ...] = ()

    @property
    def origin(self) -> Release:
        """The release as it was before images were purged from it."""
        if not self.published:
            return self
        before = {file.filename: file for file in self.published}
        return replace(
            self,
            files=tuple(before.get(file.filename, file) for file in self.files),
            num_examples=None if self.num_examples is None else self.num_examples + self.purged,
            purged=0,
            published=(),
        )

    def is_of(self, other: Release) -> bool:
        """True if both are the same release, whatever was purged from either."""
        mine, theirs = self.origin, other.origin
        return (mine.name, mine.version, _contents(mine)) == (
            theirs.name,
            theirs.version,
            _contents(theirs),
        )

    def with_purged(self, file: ReleaseFile, images: int) -> Release:
        """The release after images were purged from a file; itself if that is known already.

        Args:
          file: what it is like now.
          images: number of images that it had before and has no more.
        """
        before = next(one for one in self.files if one.filename == file.filename)
        if (before.size_bytes, before.sha256) == (file.size_bytes, file.sha256):
            return self
        known = {one.filename for one in self.published}
        return replace(
            self,
            files=tuple(file if one is before else one for one in self.files),
            num_examples=None if self.num_examples is None else self.num_examples - images,
            purged=self.purged + images,
            published=self.published if file.filename in known else (*self.published, before),
        )

    @property
    def tars(self) -> tuple[ReleaseFile, ...]:
        """The image archives; a tar's position is its part number."""
        return tuple(file for file in self.files if file.is_tar)

    @property
    def metadata(self) -> ReleaseFile:
        """The metadata CSV."""
        return next(file for file in self.files if not file.is_tar)

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def doi(self) -> str | None:
        """DOI of its Zenodo record, which Zenodo makes of the record's number; None without one."""
        return None if self.zenodo_record is None else f"10.5281/zenodo.{self.zenodo_record}"

    @property
    def is_official(self) -> bool:
        """True if these are the very files of a published PASS release, or were before a purge."""
        if self.name != "pass" or self.version not in OFFICIAL_VERSIONS:
            return False
        return _contents(self.origin) == _contents(official_release(self.version))

    @property
    def label(self) -> str:
        """How messages call it: ``PASS 3.0.0``, or name and version of a user's own."""
        label = f"PASS {self.version}" if self.is_official else f"{self.name} {self.version}"
        if not self.published:
            return label
        return f"{label}, purged of {self.purged:,} image{'' if self.purged == 1 else 's'}"

    @property
    def known(self) -> str:
        """What is known of a release that is not of PASS, as text: what its checksum file says."""
        count = "" if self.num_examples is None else f"{self.num_examples:,} "
        text = f"{count}images in the layout of PASS: {self.label}."
        if self.changes:
            text += f" {self.changes}"
        return text

    def select(self, parts: Iterable[int] | None) -> tuple[ReleaseFile, ...]:
        """Files needed for some parts: their tars and the metadata CSV.

        Args:
          parts: part numbers, or None for all.

        Raises:
          ReleaseError: the release has no such part.
        """
        if parts is None:
            return self.files
        tars = self.tars
        wanted = sorted(set(parts))
        unknown = [part for part in wanted if not 0 <= part < len(tars)]
        if unknown or not wanted:
            found = ", ".join(map(str, unknown)) or "none"
            raise ReleaseError(
                f"{self.label} has parts 0 to {len(tars) - 1}; asked for: {found}. "
                "Give parts such as 0,3-5."
            )
        return (*(tars[part] for part in wanted), self.metadata)


def _contents(release: Release) -> set[tuple[str, int, str]]:
    return {(file.filename, file.size_bytes, file.sha256) for file in release.files}


def parse_parts(text: str) -> tuple[int, ...]:
    """Part numbers from text such as ``0,3-5``, sorted, each once.

    >>> parse_parts("0, 3-5")
    (0, 3, 4, 5)

    Raises:
      ReleaseError: the text is not of that form.
    """
    parts: set[int] = set()
    for item in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,4})(?:\s*-\s*(\d{1,4}))?\s*", item)
        if match is None:
            raise ReleaseError(f"parts: expected numbers and ranges such as 0,3-5, found {text!r}")
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if last < first:
            raise ReleaseError(f"parts: the range {item.strip()!r} runs backwards")
        parts.update(range(first, last + 1))
    return tuple(sorted(parts))


def part_numbers(parts: str | Iterable[int] | None) -> tuple[int, ...] | None:
    """Part numbers as an argument gives them: numbers, or text such as ``0,3-5``; None for all.

    >>> part_numbers("0,3-5")
    (0, 3, 4, 5)

    Raises:
      ReleaseError: the text is not of that form.
    """
    if parts is None:
        return None
    return parse_parts(parts) if isinstance(parts, str) else tuple(parts)


def format_parts(parts: Iterable[int]) -> str:
    """Part numbers as text; `parse_parts` reads it back.

    >>> format_parts([5, 0, 3, 4])
    '0,3-5'
    """
    runs: list[list[int]] = []
    for part in sorted(parts):
        if runs and part == runs[-1][1] + 1:
            runs[-1][1] = part
        else:
            runs.append([part, part])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)


def _checksums_folder() -> Path:
    # The wheel carries the top-level folder inside the package; an editable install or a checkout
    # leaves it beside the package.
    package = Path(__file__).parent.parent
    inside = package / "checksums"
    return inside if inside.is_dir() else package.parent / "checksums"


@functools.cache
def official_release(version: str = DEFAULT_VERSION) -> Release:
    """The published release of that number.

    >>> release = official_release("3.0.0")
    >>> release.label, release.num_examples, len(release.tars)
    ('PASS 3.0.0', 1439588, 10)

    Raises:
      ReleaseError: no such release.
    """
    if version not in OFFICIAL_VERSIONS:
        raise ReleaseError(_unknown(version))
    return read_release(_checksums_folder() / f"{version}.tsv")


def resolve_release(release: str | os.PathLike[str] | Release | None) -> Release:
    """The release meant by an argument.

    Args:
      release: a version (``3.0.0``), the path of a checksum file, a Release, or None for the
        default, 3.0.0.

    Raises:
      ReleaseError: neither a known version nor a checksum file that can be read.
    """
    if release is None:
        return official_release()
    if isinstance(release, Release):
        return release
    # Shells leave the ~ of --release=~/mine.tsv as it is, and so do strings in programs.
    text = os.path.expanduser(os.fspath(release))
    if text in OFFICIAL_VERSIONS:
        return official_release(text)
    if text.endswith(".tsv") or os.sep in text or os.path.isfile(text):
        return read_release(Path(text))
    raise ReleaseError(_unknown(text))


def _unknown(version: str) -> str:
    return (
        f"unknown release {version!r}: expected one of {', '.join(OFFICIAL_VERSIONS)}, or the path "
        "of a checksum file (pass-dataset checksums writes one for a collection of your own)"
    )


def read_release(path: str | os.PathLike[str]) -> Release:
    """Reads a checksum file.

    Raises:
      ReleaseError: the file cannot be read or a line is wrong; the message has file, line number,
        what was expected and what was found.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{path}: cannot be read as a checksum file: {error}") from error
    return parse_release(text, path)


def parse_release(text: str, path: Path) -> Release:
    """The release that the text of a checksum file describes.

    Args:
      text: the content.
      path: where it comes from, for messages (and for the version, if the name is ``X.Y.Z.tsv``).

    Raises:
      ReleaseError: a line is wrong.
    """
    _check_sum(text, path)
    facts: dict[str, str] = {}
    files: list[ReleaseFile] = []
    published: list[ReleaseFile] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            key, _, value = line[1:].strip().partition("\t")
            if key == _PUBLISHED:
                published.append(_parse_line(value, f"{path}, line {number}"))
            elif key in _KEYS and value:
                facts[key] = value.strip()
        elif line.strip():
            files.append(_parse_line(line, f"{path}, line {number}"))
    return replace(_checked_release(path, facts, files), published=tuple(published))


def _check_sum(text: str, path: Path) -> None:
    before, found, told = text.rpartition(f"\n{_SUM}")
    if found and with_sum(before + "\n") != f"{before}{found}{told.strip()}\n":
        raise ReleaseError(
            f"{path}: is damaged, or was changed by hand: expected lines with SHA-256 "
            f"{told.strip()[:64]!r}. Put it back from a copy, or have the files as published "
            "fetched with pass-dataset download --replace, and purge them again"
        )


def with_sum(text: str) -> str:
    """The text of a checksum file that is to be noticed when it is damaged.

    Earlier versions take the line that is added for a comment.
    """
    return f"{text}{_SUM}{hashlib.sha256(text.encode()).hexdigest()}\n"


def _parse_line(line: str, where: str) -> ReleaseFile:
    fields = line.split("\t")
    if len(fields) != 4:
        raise ReleaseError(
            f"{where}: expected 4 tab-separated fields (url, size, sha256, filename), "
            f"found {len(fields)}: {line!r}"
        )
    url, size, sha256, filename = (field.strip() for field in fields)
    if not _NUMBER.fullmatch(size):
        raise ReleaseError(f"{where}: expected the size in bytes, found {size!r}")
    if not _SHA256.fullmatch(sha256):
        raise ReleaseError(
            f"{where}: expected a SHA-256 of 64 lower-case hexadecimal digits, found {sha256!r}"
        )
    # The name is joined to the archive folder, so it must not be able to leave it.
    if not filename or filename.startswith(".") or "/" in filename or "\\" in filename:
        raise ReleaseError(f"{where}: expected a plain file name, found {filename!r}")
    return ReleaseFile(filename, int(size), sha256, None if url in ("", _NO_URL) else url)


def _checked_release(path: Path, facts: Mapping[str, str], files: list[ReleaseFile]) -> Release:
    version = facts.get("version") or (path.stem if _VERSION.fullmatch(path.stem) else "")
    if not _VERSION.fullmatch(version):
        raise ReleaseError(
            f"{path}: expected a line '# version<TAB>X.Y.Z' (or a file named X.Y.Z.tsv), "
            f"found version {version!r}"
        )
    name = facts.get("name", "pass")
    if not _NAME.fullmatch(name):
        raise ReleaseError(f"{path}: expected a name of a-z, 0-9 and _, found {name!r}")
    num_examples = facts.get("num_examples")
    for key in ("num_examples", "purged"):
        if not _NUMBER.fullmatch(facts.get(key, "0")):
            raise ReleaseError(f"{path}: expected {key} to be a number, found {facts[key]!r}")
    names = [file.filename for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ReleaseError(f"{path}: listed more than once: {', '.join(twice)}")
    others = [file.filename for file in files if not file.is_tar]
    if len(others) != 1 or not others[0].endswith(".csv") or len(files) < 2:
        raise ReleaseError(
            f"{path}: expected one or more .tar files and one metadata .csv, found "
            f"{len(files) - len(others)} .tar and {', '.join(others) or 'no .csv'}"
        )
    return Release(
        version=version,
        files=tuple(files),
        name=name,
        zenodo_record=facts.get("zenodo_record"),
        num_examples=None if num_examples is None else int(num_examples),
        released=facts.get("released"),
        changes=facts.get("changes"),
        purged=int(facts.get("purged", "0")),
    )


def format_release(release: Release) -> str:
    """The text of a release's checksum file; `read_release` reads it back to an equal release.

    Equal but for passwords and tokens in its addresses, which are left out: see `public_address`.
    """
    facts = {
        "name": None if release.name == "pass" else release.name,
        "version": release.version,
        "zenodo_record": release.zenodo_record,
        "num_examples": release.num_examples,
        "released": release.released,
        "changes": release.changes,
        "purged": release.purged or None,
    }
    lines = [f"# {key}\t{value}" for key, value in facts.items() if value is not None]
    lines += [f"# {_PUBLISHED}\t{_line(file)}" for file in release.published]
    lines += [_line(file) for file in release.files]
    return "\n".join(lines) + "\n"


def _line(file: ReleaseFile) -> str:
    # What opens doors is not passed on: this text is in receipts, and checksum files are published.
    url = public_address(file.url) if file.url else _NO_URL
    return f"{url}\t{file.size_bytes}\t{file.sha256}\t{file.filename}"
