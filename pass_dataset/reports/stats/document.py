"""The figures as files: JSON for programs, a page for people."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pass_dataset.files.whole import write_whole
from pass_dataset.reports.stats.collect import Stats
from pass_dataset.reports.stats.page import render_page

__all__ = ["JSON_SCHEMA", "as_json", "write_json", "write_page"]

#: Number of the layout of the JSON: raised when a field goes, or changes its meaning or unit. New
#: fields may come without.
JSON_SCHEMA = 1


def as_json(stats: Stats) -> str:
    """The figures as a JSON object, one field a line.

    ``schema`` is `JSON_SCHEMA`; all other fields have the names, meanings and units that `Stats`
    and the classes of its fields state. Pairs and triples are lists; ``cells`` of ``places`` has
    lists ``[south, west, images]``; null is what is not known.
    """
    content: dict[str, Any] = {"schema": JSON_SCHEMA, **asdict(stats)}
    if stats.places is not None:
        content["places"]["cells"] = [
            (cell.south, cell.west, cell.images) for cell in stats.places.cells
        ]
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_json(stats: Stats, path: str | os.PathLike[str]) -> Path:
    """Writes the figures as JSON.

    Raises:
      OSError: the file cannot be written.
    """
    return _written(Path(path), as_json(stats))


def write_page(stats: Stats, path: str | os.PathLike[str]) -> Path:
    """Writes the figures as one HTML file that needs no other.

    Raises:
      OSError: the file cannot be written.
    """
    # Here, as Jinja2 takes long to import, and no command but this one needs it.

    return _written(Path(path), render_page(stats, written_at=time.time()))


def _written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())
    return path
