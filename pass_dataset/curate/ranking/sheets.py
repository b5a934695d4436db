"""Contact sheets of the highest scores: one HTML file, pictures inside, no script.

Pictures are blurred beyond recognition unless it is asked for otherwise, so that a page can be
opened, and counted, before somebody decides to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.curate.ranking.scores import Scored, Scores, highest
from pass_dataset.errors import PassDatasetError
from pass_dataset.files.whole import write_whole
from pass_dataset.images.decoding import decode
from pass_dataset.pages.picture import Picture
from pass_dataset.pages.template import render
from pass_dataset.passify.report.thumbnails import make_thumbnail
from pass_dataset.progress import Progress, Silent

__all__ = ["write_sheets"]


@dataclass(frozen=True)
class _Shown:
    """An image as it is shown; without a picture there is a problem."""

    place: int
    name: str
    score: str
    picture: Picture | None
    problem: str = ""


def write_sheets(
    scores: Scores,
    names: Sequence[str],
    count: int,
    path: Path,
    *,
    what: str,
    is_blurred: bool = True,
    progress: Progress | None = None,
) -> Path:
    """Writes sheets of the images with the highest scores.

    Args:
      scores: of the images.
      names: of the scores, a sheet each.
      count: images of each.
      path: of the file.
      what: the collection, as the page calls it.
      is_blurred: nothing in the pictures is to be recognised.
      progress: shows how far it is.

    Returns:
      The file.

    Raises:
      CurationError: there is no such score.
      MissingExtraError: Pillow is not installed.
      OSError: it cannot be written.
    """
    chosen = [(name, highest(scores, name, count)) for name in names]
    task = (progress or Silent()).task(
        "Reading images", sum(len(images) for _, images in chosen), "images"
    )
    sections = []
    for name, images in chosen:
        shown = []
        for place, image in enumerate(images, 1):
            shown.append(_show(scores, image, place, is_blurred))
            task.advance(1)
        sections.append({"name": name, "images": shown})
    task.finish()
    fields = {"what": what, "is_blurred": is_blurred, "sections": sections, "asked": count}
    write_whole(path, render(__package__, "page.html", fields).encode())
    return path


def _show(scores: Scores, image: Scored, place: int, is_blurred: bool) -> _Shown:
    score = f"{image.score:.3f}"
    try:
        pixels = decode(scores.read(image)).pixels
    except (OSError, PassDatasetError):
        pixels = None
    if pixels is None:
        return _Shown(place, image.name, score, None, "it cannot be read any more")
    return _Shown(place, image.name, score, make_thumbnail(pixels, blur_all=is_blurred))
