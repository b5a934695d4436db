"""A comparison as text: for people, as a list of hashes, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

import pyarrow as pa

from pass_dataset.reports.diff.comparison import MetadataDiff

__all__ = ["Side", "hash_list_pieces", "json_pieces", "summary_lines", "text_pieces"]

Side = Literal["removed", "added"]

_HASHES_A_PIECE = 8192


def summary_lines(diff: MetadataDiff) -> list[str]:
    """The counts, in a few lines."""
    lines = [
        f"{diff.old.label} to {diff.new.label}: {len(diff.removed):,} removed, "
        f"{len(diff.added):,} added, {diff.unchanged:,} in both"
    ]
    for side, columns in ((diff.old, diff.old_columns), (diff.new, diff.new_columns)):
        if columns:
            lines.append(f"columns only of {side.label}: {', '.join(map(_column, columns))}")
    changed = [f"{_column(name)} {number:,}" for name, number in diff.changed.items() if number]
    if changed:
        lines.append(f"of the images in both, other values in: {', '.join(changed)}")
    elif diff.changed:
        lines.append("of the images in both, all values are the same in the columns of both")
    return [*lines, *(f"not as expected: {text}" for text in diff.surprises)]


def text_pieces(diff: MetadataDiff) -> Iterator[str]:
    """Counts after ``#``; then removed hashes after ``-`` and added ones after ``+``."""
    yield _comments(diff)
    yield from _lines(diff.removed, "- ")
    yield from _lines(diff.added, "+ ")


def hash_list_pieces(diff: MetadataDiff, side: Side) -> Iterator[str]:
    """Removed or added hashes alone, one a line after a comment: a list that readers take."""
    yield f"# {side}\n{_comments(diff)}"
    yield from _lines(diff.removed if side == "removed" else diff.added, "")


def json_pieces(diff: MetadataDiff) -> Iterator[str]:
    """Everything, as JSON; the column of row numbers has the empty name."""
    content = {
        "old": {
            "label": diff.old.label,
            "path": str(diff.old.path),
            "images": diff.old_images,
            "only_columns": diff.old_columns,
        },
        "new": {
            "label": diff.new.label,
            "path": str(diff.new.path),
            "images": diff.new_images,
            "only_columns": diff.new_columns,
        },
        "num_removed": len(diff.removed),
        "num_added": len(diff.added),
        "num_unchanged": diff.unchanged,
        "changed_values": diff.changed,
        "not_as_expected": diff.surprises,
        "removed": diff.removed.to_pylist(),
        "added": diff.added.to_pylist(),
    }
    yield json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _column(name: str) -> str:
    return name or "row number"


def _comments(diff: MetadataDiff) -> str:
    return "".join(f"# {line}\n" for line in summary_lines(diff))


def _lines(hashes: pa.Array, prefix: str) -> Iterator[str]:
    for start in range(0, len(hashes), _HASHES_A_PIECE):
        piece = hashes.slice(start, _HASHES_A_PIECE).to_pylist()
        yield "".join(f"{prefix}{image_hash}\n" for image_hash in piece)
