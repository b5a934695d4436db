"""Rankers of another package, installed for these tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.passify import ROOT
from tests.support.rankers import install


@pytest.fixture(scope="package", autouse=True)
def other_rankers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """They are known here and in processes that are started."""
    folder = tmp_path_factory.mktemp("site")
    install(folder)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), str(ROOT), *filter(None, [before])])
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before
