from __future__ import annotations

import pytest

from pass_dataset.releases.config_names import (
    config_name,
    format_parts,
    limit_in,
    own_release_in,
    parts_in,
)


@pytest.mark.parametrize(
    ("parts", "text"),
    [([0], "0"), ([5, 3, 4, 0], "0_3-5"), ([0, 2], "0_2"), (range(10), "0-9"), ([10, 11], "10-11")],
)
def test_parts(parts: list[int], text: str) -> None:
    assert format_parts(parts) == text
    assert parts_in(f"parts_{text}") == tuple(sorted(parts))


@pytest.mark.parametrize("release", [None, "birds_1f3a90c2"])
@pytest.mark.parametrize("parts", [None, (0,), (0, 3, 4, 5), (7, 9)])
@pytest.mark.parametrize("limit", [None, 1, 1000])
def test_names_are_read_back(
    release: str | None, parts: tuple[int, ...] | None, limit: int | None
) -> None:
    name = config_name(release, parts, limit)
    assert (name is None) == (release is parts is limit is None)
    assert parts_in(name) == parts
    assert limit_in(name) == limit
    assert own_release_in(name) == release


def test_a_limit_of_eight_digits_is_no_release() -> None:
    assert own_release_in("first_10000000") is None


def test_a_release_may_have_any_name() -> None:
    assert parts_in("spare_parts_0a1b2c3d") is None
    assert limit_in("first_0a1b2c3d-parts_1") is None
