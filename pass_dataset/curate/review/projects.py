"""A queue as projects of other tools, and decisions taken in from their files.

The tools read images as files: those of a project are copied beside it, in a folder ``images``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from pass_dataset.curate.review.desk import Desk
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.label_studio import labelling_config, read_tasks, tasks
from pass_dataset.curate.review.reading import ImageReader
from pass_dataset.curate.review.record import load_record
from pass_dataset.curate.review.serving import open_desk
from pass_dataset.curate.review.shown_image import for_browser
from pass_dataset.curate.review.via import Said, read_via, via2_csv, via2_project, via3_project
from pass_dataset.errors import CurationError, PassDatasetError
from pass_dataset.files.whole import write_whole

__all__ = ["PROJECT_IMAGES", "Taken", "take_in", "write_projects"]

Tool = Literal["via", "via3", "label_studio"]
#: Images of a project: VIA has all of it in one tab of a browser.
PROJECT_IMAGES = 1000
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
_PAGE = 200


@dataclass(frozen=True)
class Taken:
    """What was taken in: images, flags among them, and names that the review does not have."""

    images: int
    flagged: int
    unknown: int


def write_projects(folder: ReviewFolder, queue: str, tool: str, out: Path) -> list[Path]:
    """Writes a queue as projects of 1,000 images, with the images.

    Args:
      folder: of the review.
      queue: which images, in which order.
      tool: ``via``, ``via3`` or ``label_studio``.
      out: folder, which is made.

    Returns:
      The projects' files.

    Raises:
      CurationError: there is no such review, queue or tool.
      OSError: they cannot be written.
    """
    record = load_record(folder)
    flags = list(record.settings.flags)
    written = []
    (out / "images").mkdir(parents=True, exist_ok=True)
    with open_desk(folder) as desk, ImageReader(folder, record) as reader:
        rows = np.asarray(desk.queue(queue).rows)
        for number, start in enumerate(range(0, len(rows), PROJECT_IMAGES)):
            said = []
            for row in rows[start : start + PROJECT_IMAGES].tolist():
                file = _copy(reader, row, out)
                if file is not None:
                    said.append((file, *_so_far(desk, row)))
            name = f"{number:04d}"
            path = out / f"{name}.json"
            content: object
            if tool == "via":
                content = via2_project(name, said, flags)
                write_whole(path.with_suffix(".csv"), via2_csv(said).encode())
            elif tool == "via3":
                content = via3_project(name, said, flags)
            elif tool == "label_studio":
                content = tasks(said)
                write_whole(out / "labelling.xml", labelling_config(flags).encode())
            else:
                raise CurationError(f"{tool}: expected via, via3 or label_studio")
            write_whole(path, json.dumps(content, indent=1).encode())
            written.append(path)
    return written


def _copy(reader: ImageReader, row: int, out: Path) -> str | None:
    """Copies an image under the number of its row: names of sources may be no names of files."""
    try:
        data, kind = for_browser(reader.read(row))
    except (PassDatasetError, OSError):
        return None  # what cannot be shown cannot be looked at
    file = f"images/{row:08d}.{_ENDINGS[kind]}"
    write_whole(out / file, data, durable=False)
    return file


def _so_far(desk: Desk, row: int) -> tuple[str | None, str]:
    for name in desk.seats.reviewers:
        if name in desk.seats.first and (mark := desk.seats.first[name].marks.get(row)):
            return mark.flag, mark.note
    return None, ""


def take_in(folder: ReviewFolder, path: Path, reviewer: str, queue: str) -> Taken:
    """Takes decisions in as those of a reviewer: every image of the file was looked at.

    Args:
      folder: of the review.
      path: what VIA or Label Studio has saved.
      reviewer: who has looked.
      queue: which the projects were written from.

    Raises:
      CurationError: the file is none of these, or has a flag that the review has not.
      OSError: it cannot be read.
    """
    text = path.read_text(encoding="utf-8-sig")
    is_list = text.lstrip().startswith("[")
    said = read_tasks(text, str(path)) if is_list else read_via(text, str(path))
    record = load_record(folder)
    wrong = sorted({flag for _, flag, _ in said if flag} - {*record.settings.flags})
    if wrong:
        raise CurationError(
            f"{path}: has the flag {wrong[0]!r}; the review has {', '.join(record.settings.flags)}"
        )
    with open_desk(folder) as desk:
        known = {int(row) for row in desk.queue(queue).rows}
        found = {row: one for one in said if (row := _row(one[0])) in known}
        _decide(desk, reviewer, queue, found)
    flagged = sum(flag is not None for _, flag, _ in found.values())
    return Taken(len(found), flagged, len(said) - len(found))


def _row(file: str) -> int:
    name = Path(file).stem
    return int(name) if name.isdecimal() and len(name) == 8 else -1


def _decide(desk: Desk, reviewer: str, queue: str, found: dict[int, Said]) -> None:
    rows: Sequence[int] = list(found)
    seat = desk.seats.seat(reviewer, desk.queue(queue).look)
    for row, (_, flag, note) in found.items():
        before = seat.marks.get(row)
        if (flag, note) != ((None, "") if before is None else (before.flag, before.note)):
            desk.mark(reviewer, queue, (0, 0), row, flag, note)
    for start in range(0, len(rows), _PAGE):
        desk.accept(reviewer, queue, (0, 0), list(rows[start : start + _PAGE]))
