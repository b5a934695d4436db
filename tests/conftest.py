"""What all tests share: an environment of their own, and a small collection."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# After TensorFlow, which brings a libcurl of its own, it refuses to be imported.
with contextlib.suppress(ImportError):
    import pycurl  # noqa: F401

from tests.support import slurm as slurm_support
from tests.support.collection import Collection

# Read when `datasets` is imported: nothing here may ask the Hub.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# One for all clusters of a process: Ray keeps the first that it reads, and would keep it in the
# home, of which every test has another.
os.environ["RAY_AUTH_TOKEN"] = "0123456789abcdef" * 4
# Of several processes on few cores, more threads than one would wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples each time, and no limit of time; `HYPOTHESIS_PROFILE=search` looks for new ones.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("search", deadline=None, max_examples=5000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

# A shell's background job has Ctrl-C ignored, and Python then never hears it: tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).parent.parent.parent / "shared"


#: What a test asks for tells its kind: fixture and marker.
_KINDS = {"slurm": "slurm", "browser": "browser"}


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for fixture, kind in _KINDS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(kind)


@pytest.fixture(autouse=True)
def own_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """No test reads or writes the user's caches."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    for name in ("PASS_ARCHIVES", "PASS_REMOVALS"):
        monkeypatch.delenv(name, raising=False)
    yield
    shutil.rmtree(home, ignore_errors=True)  # thousands of them fill a disk


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """The command line sets up logging; the next test starts without."""
    logger = logging.getLogger("pass_dataset")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """Three tars of five images and their CSV, described as release 1.0.0 of its own."""
    made = Collection(tmp_path / "archives")
    made.describe()
    return made


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Four tars of 60 images and their checksum file."""
    made = Collection(tmp_path_factory.mktemp("many") / "archives", tars=4, per_tar=60)
    made.describe()
    return made


@pytest.fixture
def shared() -> Path:
    """Real facts, golden data and images, which a user's clone does not have."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared with facts, golden data and test images")
    return SHARED


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images that the golden data speaks of: the files of `images/`, not the folders in it."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared with golden data and test images")
    folder = tmp_path_factory.mktemp("photographs")
    for path in (SHARED / "images").iterdir():
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    return folder


@pytest.fixture(scope="session")
def cascade_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The checkpoint of Cascade R-CNN that the golden data was computed with, 290 MB."""
    if not SHARED.is_dir():
        pytest.skip("needs the folder ../shared with golden data and test images")
    path = tmp_path_factory.mktemp("weights") / "model.pkl"
    script = SHARED / "golden" / "make_cascade_weights.py"
    subprocess.run([sys.executable, str(script), str(path)], check=True)
    yield path
    path.unlink()


@pytest.fixture(scope="session")
def _slurm_cluster() -> Iterator[slurm_support.Cluster]:
    pytest.importorskip("submitit")
    why_not = slurm_support.missing()
    if why_not:
        pytest.skip(why_not)
    with slurm_support.start_cluster() as cluster:
        yield cluster


@pytest.fixture
def slurm(
    _slurm_cluster: slurm_support.Cluster, monkeypatch: pytest.MonkeyPatch
) -> Iterator[slurm_support.Cluster]:
    """A SLURM cluster of this machine, which this process and its children talk to."""
    for name, value in _slurm_cluster.environment.items():
        monkeypatch.setenv(name, value)
    yield _slurm_cluster
    _slurm_cluster.cancel_all()
