"""A synthetic release on a real web server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pass_dataset import PassArchive
from tests.support.nginx import SCRIPTS, Nginx, running


@dataclass(frozen=True)
class Published:
    """A release that nginx serves, 30 MB in three tars; its folder is not told to the loader."""

    nginx: Nginx
    cache: Path
    hashes: list[str]

    @property
    def release(self) -> Path:
        return self.nginx.folder / "checksums.tsv"

    def stream(self, **others: Any) -> Any:
        """The stream of its records, images as bytes."""
        import datasets

        import pass_dataset  # noqa: F401  (registers the datasets)

        arguments = {"mirrors": self.nginx.url, "cache_dir": str(self.cache), **others}
        made = datasets.load_dataset(
            "pass", release=str(self.release), split="train", streaming=True, **arguments
        )
        return made.cast_column("image", datasets.Image(decode=False))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    prefix = tmp_path_factory.mktemp("published")
    with running(prefix) as nginx:
        make = [sys.executable, str(SCRIPTS / "make_synthetic.py"), str(nginx.folder)]
        small = ["--images", "600", "--body-bytes-mean", "50000", "--tars", "3"]
        subprocess.run([*make, *small], check=True, capture_output=True)
        archive = PassArchive(nginx.folder, nginx.folder / "checksums.tsv", save_index=False)
        yield Published(nginx, prefix / "cache", [record.hash for record in archive])


@pytest.fixture(autouse=True)
def nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "PASS_ARCHIVES" not in os.environ
