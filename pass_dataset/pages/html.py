"""HTML of the pages that this package writes: safe text, tables, pictures inside the page."""

from __future__ import annotations

import base64
import html
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NewType

__all__ = ["Html", "Picture", "code", "escape", "image", "join", "table"]

#: Text that is HTML already. All else goes through `escape` before it gets into a page.
Html = NewType("Html", str)


@dataclass(frozen=True)
class Picture:
    """An encoded image.

    Attributes:
      mime_type: ``image/webp`` or ``image/jpeg``.
      data: the file's bytes.
      size_px: width and height.
    """

    mime_type: str
    data: bytes
    size_px: tuple[int, int]


def escape(text: str) -> Html:
    """Text as it is, whatever it holds.

    Lone surrogates, for which UTF-8 has no bytes, are shown as ``\\udcXX``.
    """
    return Html(html.escape(text.encode("utf-8", "backslashreplace").decode(), quote=True))


def code(text: str) -> Html:
    """Text set as code."""
    return Html(f"<code>{escape(text)}</code>")


def join(pieces: Iterable[Html]) -> Html:
    """Pieces one below the other."""
    return Html("\n".join(pieces))


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[Html]],
    numbers: Collection[int],
    *,
    caption: str | None = None,
) -> Html:
    """A table that scrolls sideways on a narrow screen, by keyboard too.

    Args:
      header: names of the columns, as text.
      rows: cells as HTML.
      numbers: columns of numbers, which are set to the right.
      caption: what the table shows, as text; None where the heading above says it.
    """

    def cells(tag: str, row: Sequence[Html], more: str = "") -> Iterator[str]:
        for column, content in enumerate(row):
            attribute = ' class="number"' if column in numbers else ""
            yield f"<{tag}{more}{attribute}>{content}</{tag}>"

    head = "".join(cells("th", [escape(name) for name in header], ' scope="col"'))
    body = "\n".join(f"<tr>{''.join(cells('td', row))}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>\n" if caption else ""
    return Html(
        f'<div class="wide" tabindex="0"><table>\n{title}<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def image(picture: Picture, text: str, scale: float) -> Html:
    """A picture within the page.

    Args:
      picture: what to show.
      text: what it shows, for those who do not see it.
      scale: size on the page, in CSS pixels a pixel: 0.5 is sharp on dense displays.
    """
    width, height = (max(1, round(side * scale)) for side in picture.size_px)
    data = base64.b64encode(picture.data).decode()
    return Html(
        f'<img src="data:{picture.mime_type};base64,{data}" alt="{escape(text)}" '
        f'width="{width}" height="{height}">'
    )
