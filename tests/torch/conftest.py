"""What the tests of the PyTorch readers share; without PyTorch they are left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from pass_dataset.archives import mini
from tests.support.collection import Collection

pytest.importorskip("torch", reason="needs the extra `torch`")
pytest.importorskip("torchvision", reason="needs the extra `torch`")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            # The tests ask for more workers than a small machine has cores.
            item.add_marker(pytest.mark.filterwarnings("ignore:This DataLoader will create"))
            # Python 3.12 and later; workers are forked unless a test says otherwise.
            item.add_marker(pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning"))


@pytest.fixture
def mini_root() -> tuple[Path, Path]:
    """`root` and `release` of the mini release: 64 pictures."""
    return mini.ARCHIVES, mini.CHECKSUMS


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """600 images that cannot be decoded, in three tars."""
    made = Collection(tmp_path_factory.mktemp("many") / "archives", tars=3, per_tar=200)
    made.describe()
    return made
