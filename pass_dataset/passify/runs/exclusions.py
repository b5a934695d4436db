"""Opt-out lists: images that must not be looked at, nor be in what is kept.

A line names an image by its path within the source, as ``kept.txt`` writes it, or by the SHA-256 of
its file: 64 hexadecimal digits, with or without ``sha256:`` before them; what `sha256sum` prints
names it by both. One that is named by its path is never read; one that is named by its hash is read
to be known, and no further. How a list may be written is told in `archives.list_lines`, and which
spellings of a path are the same in `sources.path_forms`. In doubt an image is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pass_dataset.archives.list_lines import entry_of
from pass_dataset.errors import RunError, SourceError
from pass_dataset.files.hashing import file_sha256
from pass_dataset.passify.runs.run_folder import RunFolder
from pass_dataset.passify.sources.list_file import read_lines
from pass_dataset.passify.sources.names import name_to_text
from pass_dataset.passify.sources.path_forms import PathForm, form_of

__all__ = ["Exclusions", "Line", "exclusions_of"]


class Line(NamedTuple):
    """A line of a list.

    Attributes:
      text: as it stands.
      paths: of the image that it names, each of which it may mean.
      sha256: of that image's file; None where the line has none.
    """

    text: str
    paths: tuple[str, ...]
    sha256: str | None


@dataclass(frozen=True)
class Exclusions:
    """What a list names.

    Attributes:
      paths: paths within the source, as text, in the form of `form`.
      hashes: SHA-256 of files, as hexadecimal text.
      form: how paths are compared.
      lines: of the list, but for comments.
      file: the list, for messages.
    """

    paths: frozenset[str] = frozenset()
    hashes: frozenset[str] = frozenset()
    form: PathForm = field(default_factory=PathForm)
    lines: tuple[Line, ...] = ()
    file: str = ""

    @classmethod
    def load(
        cls, path: Path, form: PathForm | None = None, *, may_be_empty: bool = False
    ) -> Exclusions:
        """Reads a list.

        Args:
          path: of the list.
          form: how paths of the source are compared.
          may_be_empty: take one that names no image.

        Raises:
          SourceError: it cannot be read, or names no image: a list that lost its lines is not
            taken for one that has none.
        """
        form = form or PathForm()
        paths: set[str] = set()
        hashes: set[str] = set()
        lines = []
        for number, line in read_lines(bytes(path)):
            try:
                names, sha256 = entry_of(line)
            except ValueError as error:
                raise SourceError(f"{path}: line {number}: {error}") from error
            forms = tuple(dict.fromkeys(map(form.of_name, names)))
            paths.update(forms)
            if sha256 is not None:
                hashes.add(sha256)
            # A file may be called so, or it is a comment: then it need not name one.
            if line.strip() and not line.startswith(b"#"):
                lines.append(Line(name_to_text(line), forms, sha256))
        if not lines and not may_be_empty:
            raise SourceError(
                f"{path}: expected an opt-out list, an image a line, found no image named in it; "
                "if there are no opt-outs, leave the list away"
            )
        return cls(frozenset(paths), frozenset(hashes), form, tuple(lines), str(path))

    def __len__(self) -> int:
        return len(self.paths) + len(self.hashes)

    def lines_without(self, found: set[str]) -> list[str]:
        """Lines that name none of what was found (paths in their form, SHA-256), as they stand."""
        return [
            line.text
            for line in self.lines
            if line.sha256 not in found and found.isdisjoint(line.paths)
        ]

    def has_path(self, text: str) -> bool:
        """True if the image with that path, as text, is named by it."""
        return bool(self.paths) and self.form.of_text(text) in self.paths


def exclusions_of(folder: RunFolder) -> Exclusions | None:
    """The list that a run was given; None if it was given none.

    Raises:
      RunError: it is not the list any more that the run was given.
      SourceError: it cannot be read.
    """
    settings = folder.settings()
    path = folder.exclusions_path
    if settings.exclusions_sha256 is None:
        return None
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    if sha256 != settings.exclusions_sha256:
        raise RunError(
            f"{path}: is not the opt-out list any more that the run was given (SHA-256 {sha256}, "
            f"expected {settings.exclusions_sha256}); put that one back"
        )
    # Its SHA-256 says that it was empty from the start.
    return Exclusions.load(path, form_of(settings.source), may_be_empty=True)
