"""Pictures within pages."""

from __future__ import annotations

import pytest

from pass_dataset.pages.picture import Picture


def test_address_has_all_of_it() -> None:
    assert Picture("image/webp", b"RIFF", (8, 6)).address == "data:image/webp;base64,UklGRg=="


@pytest.mark.parametrize(
    ("size_px", "shown_px"), [((8, 6), (4, 3)), ((440, 1), (220, 1)), ((1, 1), (1, 1))]
)
def test_is_never_too_small_to_be_there(
    size_px: tuple[int, int], shown_px: tuple[int, int]
) -> None:
    assert Picture("image/webp", b"RIFF", size_px).shown_px(0.5) == shown_px
