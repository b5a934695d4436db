"""Numbers in words: small shares are not rounded away."""

from __future__ import annotations

import pytest

from pass_dataset.pages.words import count, duration, percent, share


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.5, "50.0 %"),
        (0.0123, "1.2 %"),
        (0.00234, "0.23 %"),
        (0.0000456, "0.005 %"),
        (0.000001, "under 0.001 %"),
        (0.9996, "99.96 %"),
        (0.9999999, "over 99.999 %"),
    ],
)
def test_percent(part: float, text: str) -> None:
    assert percent(part).replace("\xa0", " ") == text


def test_others() -> None:
    assert share(0, 0) == "–"
    assert share(1, 4) == "25.0\xa0%"
    assert count(1, "image", "images") == "1 image"
    assert count(1234, "image", "images") == "1,234 images"
    assert duration(5.25) == "5.2 s"
    assert duration(125) == "2 min 05 s"
    assert duration(3_600_000 + 120) == "1,000 h 02 min"
