"""Places counted in cells; the globe's edges belong to some cell."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest

from pass_dataset.reports.stats.places import Cell, Places, count_places


def counted(*places: tuple[float | None, float | None]) -> Places:
    latitude, longitude = zip(*places, strict=True) if places else ((), ())
    return count_places(pa.array(latitude, pa.float64()), pa.array(longitude, pa.float64()))


def test_cells() -> None:
    found = counted(
        (51.5, -0.1), (51.999, -0.9), (51.5, 0.0), (-0.5, -179.5), (None, None), (51.1, -0.5)
    )
    assert found.cells == (Cell(51, -1, 3), Cell(-1, -180, 1), Cell(51, 0, 1))
    assert (found.known, found.missing, found.half_known, found.cell_degrees) == (5, 1, 0, 1)


@pytest.mark.parametrize(
    ("place", "cell"),
    [
        ((90.0, 180.0), (89, 179)),
        ((-90.0, -180.0), (-90, -180)),
        ((0.0, 0.0), (0, 0)),
        ((-0.0001, -0.0001), (-1, -1)),
        ((89.9999999, 179.9999999), (89, 179)),
    ],
)
def test_edges(place: tuple[float, float], cell: tuple[int, int]) -> None:
    assert counted(place).cells == (Cell(*cell, 1),)


def test_odd_places_are_counted_and_not_drawn() -> None:
    found = counted(
        (0.0, 0.0), (91.0, 5.0), (5.0, -180.5), (math.inf, 1.0), (10.0, None), (None, 10.0)
    )
    assert (found.known, found.half_known, found.missing) == (4, 2, 0)
    assert (found.outside, found.at_zero) == (3, 1)
    assert found.cells == (Cell(0, 0, 1),)


def test_nothing() -> None:
    found = counted()
    assert (found.known, found.half_known, found.missing, found.cells) == (0, 0, 0, ())


def test_no_position_is_kept() -> None:
    assert "51.507351" not in repr(counted((51.507351, -0.127758)))
