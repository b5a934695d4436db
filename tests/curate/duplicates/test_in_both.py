from __future__ import annotations

import io
from pathlib import Path

import pytest

from pass_dataset.curate.duplicates.in_both import copies_in


def test_copies_are_found(shared: Path) -> None:
    """The same file, one made anew and smaller, and one that is another photograph."""
    image = pytest.importorskip("PIL.Image")
    first, second, third, *_ = sorted((shared / "images" / "labelled").rglob("*.jpg"))
    with image.open(second) as opened:
        again = io.BytesIO()
        small = opened.convert("RGB").resize((opened.width * 3 // 4, opened.height * 3 // 4))
        small.save(again, "JPEG", quality=70)
    others = [path.read_bytes() for path in (first, second)]
    own = [first.read_bytes(), again.getvalue(), third.read_bytes(), b"no image"]
    assert copies_in([*others, *own].__getitem__, 2, 4) == 2
    # Ours are not looked for among ours.
    assert copies_in([others[0], *own[1:2], *own[1:2]].__getitem__, 1, 2) == 0
