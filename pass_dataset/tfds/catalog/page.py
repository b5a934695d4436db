"""The catalog page: one HTML file, pictures inside, laid out as TFDS's documentation is."""

from __future__ import annotations

import base64
import html
import importlib.resources
import os
import re
import string
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NewType

from pass_dataset.errors import FolderError
from pass_dataset.folders import write_whole
from pass_dataset.tfds.catalog.entry import CatalogEntry, FeatureRow, VersionRow, describe_build
from pass_dataset.tfds.catalog.pictures import (
    ExampleTable,
    Picture,
    draw_figure,
    first_examples,
    tabulate,
)
from pass_dataset.tfds.stored.builds import open_build

__all__ = ["render_catalog_page", "write_catalog_page"]

#: Text that is HTML already. All else goes through `_escape` before it gets into the page.
_Html = NewType("_Html", str)

_TEMPLATE = "page.html"
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
    examples = first_examples(build, max(_FIGURE_ROWS * _FIGURE_COLUMNS, _TABLE_ROWS))
    page = render_catalog_page(
        describe_build(build),
        draw_figure(build, examples, rows=_FIGURE_ROWS, columns=_FIGURE_COLUMNS),
        tabulate(build, examples.take(_TABLE_ROWS)),
    )
    stem = "-".join(filter(None, (build.name, build.config, build.version)))
    path = Path(out) if out is not None else Path(f"{stem}.html")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, page.encode())
    except OSError as error:
        raise FolderError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def render_catalog_page(entry: CatalogEntry, figure: Picture, examples: ExampleTable) -> str:
    """The page as HTML text that needs no other file."""
    resource = importlib.resources.files("pass_dataset.tfds.catalog") / _TEMPLATE
    template = string.Template(resource.read_text(encoding="utf-8"))
    full_name = "/".join(filter(None, (entry.name, entry.config)))
    return template.substitute(
        title=_escape(full_name),
        version=_escape(entry.version),
        summary=_escape(_summary(entry)),
        description=_paragraphs(entry.description),
        config_description=_paragraphs(entry.config_description),
        load_code=_escape(_load_code(entry)),
        homepage=_link(entry.homepage),
        source=_dotted(entry.source),
        license=_license(entry.license),
        versions=_versions(entry.versions),
        download_size=_escape(_size(entry.download_bytes)),
        dataset_size=_escape(_size(entry.dataset_bytes)),
        file_format=_code(entry.file_format),
        auto_cached=_inline(entry.auto_cached),
        splits=_splits(entry),
        feature_structure=_escape(entry.feature_structure),
        features=_features(entry.features),
        supervised_keys=_code(entry.supervised_keys),
        figure=_image(figure, f"Examples of {full_name}", scale=0.5),
        examples=_examples(examples),
        citation=_escape(entry.citation or "None."),
    )


# --- text -----------------------------------------------------------------------------------------


def _escape(text: str) -> _Html:
    return _Html(html.escape(text, quote=True))


def _code(text: str) -> _Html:
    return _Html(f"<code>{_escape(text)}</code>")


def _dotted(text: str) -> _Html:
    """The dotted name of a class, which may break after a dot."""
    return _Html(_code(text).replace(".", ".<wbr>"))


def _license(text: str | None) -> _Html:
    return _Html(f"<dt>License</dt><dd>{_link(text)}</dd>" if text else "")


def _inline(text: str) -> _Html:
    """Text with `code` in backticks; nothing else in it means anything."""
    return _Html(re.sub(r"`([^`]+)`", r"<code>\1</code>", _escape(text)))


def _paragraphs(text: str) -> _Html:
    pieces = filter(None, (piece.strip() for piece in re.split(r"\n\s*\n", text)))
    return _join(_Html(f"<p>{_inline(piece)}</p>") for piece in pieces)


def _link(address: str | None) -> _Html:
    if not address:
        return _Html("–")
    # Nothing but these: an address that runs a script is no home page.
    if not address.startswith(("https://", "http://")):
        return _escape(address)
    escaped = _escape(address)
    return _Html(f'<a href="{escaped}" rel="noopener">{escaped}</a>')


def _join(pieces: Iterable[_Html]) -> _Html:
    return _Html("\n".join(pieces))


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


def _summary(entry: CatalogEntry) -> str:
    images = sum(split.num_examples for split in entry.splits)
    return f"{images:,} examples · {_size(entry.dataset_bytes)} · {entry.file_format}"


def _load_code(entry: CatalogEntry) -> str:
    full_name = "/".join(filter(None, (entry.name, entry.config)))
    split = entry.splits[0].name if entry.splits else "train"
    return (
        "import pass_dataset\n"
        "import tensorflow_datasets as tfds\n\n"
        f"ds = tfds.load({f'{full_name}:{entry.version}'!r}, split={split!r})"
    )


# --- tables and pictures --------------------------------------------------------------------------


def _table(header: Sequence[str], rows: Iterable[Sequence[_Html]], numbers: set[int]) -> _Html:
    """A table that scrolls sideways on a narrow screen, by keyboard too.

    Args:
      header, rows: cells as HTML.
      numbers: columns of numbers, which are set to the right.
    """

    def cells(tag: str, row: Sequence[_Html]) -> Iterator[str]:
        for column, content in enumerate(row):
            attribute = ' class="number"' if column in numbers else ""
            yield f"<{tag}{attribute}>{content}</{tag}>"

    head = "".join(cells("th", [_escape(name) for name in header]))
    body = "\n".join(f"<tr>{''.join(cells('td', row))}</tr>" for row in rows)
    return _Html(
        f'<div class="wide" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _versions(versions: Sequence[VersionRow]) -> _Html:
    def item(row: VersionRow) -> _Html:
        marks = [("default", row.is_default), ("this build", row.is_this)]
        badges = "".join(f' <span class="badge">{text}</span>' for text, shown in marks if shown)
        notes = _inline(row.notes or "No release notes.")
        return _Html(f"<li>{_code(row.version)}{badges}<br>{notes}</li>")

    return _join(map(item, versions))


def _splits(entry: CatalogEntry) -> _Html:
    rows = [
        (
            _code(repr(split.name)),
            _escape(f"{split.num_examples:,}"),
            _escape(f"{split.num_shards:,}"),
            _escape(_size(split.size_bytes)),
        )
        for split in entry.splits
    ]
    return _table(("Split", "Examples", "Shards", "Size"), rows, {1, 2, 3})


def _features(features: Sequence[FeatureRow]) -> _Html:
    header = ("Feature", "Class", "Shape", "Dtype", "Description", "Value range")
    rows = [
        (
            _code(row.name) if row.name else _Html(""),
            _escape(row.class_name),
            _escape(row.shape),
            _escape(row.dtype),
            _escape(row.description),
            _escape(row.value_range),
        )
        for row in features
    ]
    return _table(header, rows, set())


def _image(picture: Picture, text: str, scale: float) -> _Html:
    width, height = (round(side * scale) for side in picture.size_px)
    data = base64.b64encode(picture.data).decode()
    return _Html(
        f'<img src="data:{picture.mime_type};base64,{data}" alt="{_escape(text)}" '
        f'width="{width}" height="{height}">'
    )


def _examples(examples: ExampleTable) -> _Html:
    def cell(column: str, content: Picture | str) -> _Html:
        if isinstance(content, Picture):
            return _image(content, column, scale=0.5)
        return _escape(content)

    rows = [
        [cell(*pair) for pair in zip(examples.columns, row, strict=True)] for row in examples.rows
    ]
    return _table(examples.columns, rows, set())
