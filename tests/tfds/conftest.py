"""Collections large enough for many shards, and builds of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.support.collection import Collection


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Four tars of 60 images and their checksum file."""
    made = Collection(tmp_path_factory.mktemp("many") / "archives", tars=4, per_tar=60)
    made.describe()
    return made


@pytest.fixture
def quiet_tfds() -> Any:
    """TFDS without progress bars."""
    tfds = pytest.importorskip("tensorflow_datasets")
    tfds.disable_progress_bar()
    return tfds


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }
