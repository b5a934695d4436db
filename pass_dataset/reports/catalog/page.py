"""The catalog page: one HTML file, pictures inside, laid out as TFDS's documentation is."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.archives.removals import RemovalList, removals_for
from pass_dataset.errors import FolderError
from pass_dataset.files.whole import write_whole
from pass_dataset.pages.picture import Picture
from pass_dataset.pages.template import render
from pass_dataset.reports.catalog.entry import CatalogEntry, describe_build
from pass_dataset.reports.catalog.pictures import (
    ExampleTable,
    draw_figure,
    first_examples,
    tabulate,
)
from pass_dataset.tfds.stored import TfdsBuild, open_build

__all__ = ["render_catalog_page", "write_catalog_page"]

_FIGURE_ROWS, _FIGURE_COLUMNS = 3, 4
_TABLE_ROWS = 10


def write_catalog_page(
    data_dir: str | os.PathLike[str],
    *,
    name: str | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Path:
    """Writes the page of a build.

    Args:
      data_dir: TFDS's ``data_dir``, of which the newest version is described, or the folder of
        one version.
      name: dataset to look for; None for the only one there.
      out: file to write; None for ``<name>-<version>.html`` in the working folder.

    Returns:
      The file written.

    Raises:
      UnreadableBuildError: no such build, or it cannot be read.
      FolderError: the file cannot be written.
      MissingExtraError: TFDS or a package it draws with is not installed.
    """
    build = open_build(data_dir, name)
    removals = removals_for(build.folder)
    while True:
        page = _page(build, removals)
        # Drawing takes a while, and an image may be removed meanwhile.
        before, removals = removals, removals_for(build.folder)
        if removals.hashes <= before.hashes:
            break
    stem = "-".join(filter(None, (build.name, build.config, build.version)))
    path = Path(out) if out is not None else Path(f"{stem}.html")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page.encode())
    except OSError as error:
        raise FolderError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def _page(build: TfdsBuild, removals: RemovalList) -> str:
    count = max(_FIGURE_ROWS * _FIGURE_COLUMNS, _TABLE_ROWS)
    examples = first_examples(build, count, removals)
    return render_catalog_page(
        describe_build(build),
        draw_figure(build, examples, rows=_FIGURE_ROWS, columns=_FIGURE_COLUMNS),
        tabulate(build, examples.take(_TABLE_ROWS)),
    )


def render_catalog_page(entry: CatalogEntry, figure: Picture, examples: ExampleTable) -> str:
    """The page as HTML text that needs no other file."""
    full_name = "/".join(filter(None, (entry.name, entry.config)))
    split = entry.splits[0].name if entry.splits else "train"
    return render(
        __package__,
        "page.html",
        {
            "entry": entry,
            "full_name": full_name,
            "num_examples": sum(split.num_examples for split in entry.splits),
            "load_name": repr(f"{full_name}:{entry.version}"),
            "load_split": repr(split),
            "figure": figure,
            "examples": examples,
            "code_parts": _code_parts,
            "is_picture": _is_picture,
            "is_web_address": _is_web_address,
            "paragraphs_of": _paragraphs,
            "python_text": repr,
            "size": _size,
        },
    )


@dataclass(frozen=True)
class _Part:
    """A part of a text that is code, or is not."""

    text: str
    is_code: bool


def _code_parts(text: str) -> list[_Part]:
    """Text parted at `code` in backticks; nothing else in it means anything."""
    parts = re.split(r"`([^`]+)`", text)
    return [_Part(part, number % 2 == 1) for number, part in enumerate(parts)]


def _paragraphs(text: str) -> list[str]:
    return [piece.strip() for piece in re.split(r"\n\s*\n", text) if piece.strip()]


def _is_web_address(text: str) -> bool:
    """Nothing but these: an address that runs a script is no home page."""
    return text.startswith(("https://", "http://"))


def _is_picture(cell: Picture | str) -> bool:
    return isinstance(cell, Picture)


def _size(size_bytes: int | None) -> str:
    """Binary units with two decimals, as TFDS prints sizes."""
    if size_bytes is None:
        return "Unknown size"
    size, unit = float(size_bytes), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.2f} {unit}" if unit != "B" else f"{size_bytes} B"
