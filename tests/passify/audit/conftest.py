"""Two releases of pictures: the later one has lost four images, and has two new ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.collection import Collection
from tests.support.passify import picture

#: What the detectors of painted squares find, by number of the image: share of red, of blue.
SCORES: dict[int, tuple[float, float]] = {
    3: (0.8, 0.0),
    11: (0.0, 0.6),
    17: (0.3, 0.0),
    23: (0.0, 0.0),
    30: (0.7, 0.2),
    31: (0.2, 0.0),
}
#: A wide image, on which `tests.support.detectors.Raising` fails.
WIDE = 35
#: Images that only the earlier release has, and such that only the later one has.
REMOVED, ADDED = frozenset({3, 11, 17, 23}), frozenset({38, 39})


def body(number: int) -> bytes:
    face, person = SCORES.get(number, (0.0, 0.0))
    return picture(face, person, seed=number, wide=number == WIDE)


def make_release(folder: Path, without: frozenset[int], version: str) -> Collection:
    made = Collection(folder, tars=4, per_tar=10, body=body, without=without)
    made.describe(version)
    return made


@pytest.fixture(scope="session")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_release(tmp_path_factory.mktemp("releases") / "earlier", ADDED, "1.0.0")


@pytest.fixture(scope="session")
def later(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return make_release(tmp_path_factory.mktemp("releases") / "later", REMOVED, "2.0.0")
