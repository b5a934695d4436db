"""The catalog page: one HTML file, pictures inside, laid out as TFDS's documentation is."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from pass_dataset.errors import FolderError
from pass_dataset.files import write_whole
from pass_dataset.pages.html import Html, Picture, code, escape, image, join, table
from pass_dataset.pages.template import fill_page
from pass_dataset.reports.catalog.entry import CatalogEntry, FeatureRow, VersionRow, describe_build
from pass_dataset.reports.catalog.pictures import (
    ExampleTable,
    draw_figure,
    first_examples,
    tabulate,
)
from pass_dataset.tfds.stored import open_build

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
    full_name = "/".join(filter(None, (entry.name, entry.config)))
    return fill_page(
        "pass_dataset.reports.catalog",
        title=escape(full_name),
        version=escape(entry.version),
        summary=escape(_summary(entry)),
        description=_paragraphs(entry.description),
        config_description=_paragraphs(entry.config_description),
        load_code=escape(_load_code(entry)),
        homepage=_link(entry.homepage),
        source=_dotted(entry.source),
        license=_license(entry.license),
        versions=_versions(entry.versions),
        download_size=escape(_size(entry.download_bytes)),
        dataset_size=escape(_size(entry.dataset_bytes)),
        file_format=code(entry.file_format),
        auto_cached=_inline(entry.auto_cached),
        splits=_splits(entry),
        feature_structure=escape(entry.feature_structure),
        features=_features(entry.features),
        supervised_keys=code(entry.supervised_keys),
        figure=image(figure, f"Examples of {full_name}", scale=0.5),
        examples=_examples(examples),
        citation=escape(entry.citation or "None."),
    )


# --- text -----------------------------------------------------------------------------------------


def _dotted(text: str) -> Html:
    """The dotted name of a class, which may break after a dot."""
    return Html(code(text).replace(".", ".<wbr>"))


def _license(text: str | None) -> Html:
    return Html(f"<dt>License</dt><dd>{_link(text)}</dd>" if text else "")


def _inline(text: str) -> Html:
    """Text with `code` in backticks; nothing else in it means anything."""
    return Html(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))


def _paragraphs(text: str) -> Html:
    pieces = filter(None, (piece.strip() for piece in re.split(r"\n\s*\n", text)))
    return join(Html(f"<p>{_inline(piece)}</p>") for piece in pieces)


def _link(address: str | None) -> Html:
    if not address:
        return Html("–")
    # Nothing but these: an address that runs a script is no home page.
    if not address.startswith(("https://", "http://")):
        return escape(address)
    escaped = escape(address)
    return Html(f'<a href="{escaped}" rel="noopener">{escaped}</a>')


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


def _versions(versions: Sequence[VersionRow]) -> Html:
    def item(row: VersionRow) -> Html:
        marks = [("default", row.is_default), ("this build", row.is_this)]
        badges = "".join(f' <span class="badge">{text}</span>' for text, shown in marks if shown)
        notes = _inline(row.notes or "No release notes.")
        return Html(f"<li>{code(row.version)}{badges}<br>{notes}</li>")

    return join(map(item, versions))


def _splits(entry: CatalogEntry) -> Html:
    rows = [
        (
            code(repr(split.name)),
            escape(f"{split.num_examples:,}"),
            escape(f"{split.num_shards:,}"),
            escape(_size(split.size_bytes)),
        )
        for split in entry.splits
    ]
    return table(("Split", "Examples", "Shards", "Size"), rows, {1, 2, 3})


def _features(features: Sequence[FeatureRow]) -> Html:
    header = ("Feature", "Class", "Shape", "Dtype", "Description", "Value range")
    rows = [
        (
            code(row.name) if row.name else Html(""),
            escape(row.class_name),
            escape(row.shape),
            escape(row.dtype),
            escape(row.description),
            escape(row.value_range),
        )
        for row in features
    ]
    return table(header, rows, set())


def _examples(examples: ExampleTable) -> Html:
    def cell(column: str, content: Picture | str) -> Html:
        if isinstance(content, Picture):
            return image(content, column, scale=0.5)
        return escape(content)

    rows = [
        [cell(*pair) for pair in zip(examples.columns, row, strict=True)] for row in examples.rows
    ]
    return table(examples.columns, rows, set())
