"""Every supported line of `datasets`, each in an environment of its own and without network."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.collection import Collection
from tests.support.environments import (
    ROOT,
    Environment,
    build_wheel,
    prepare,
    run_without_network,
)

HERE = Path(__file__).parent
SCRIPT = ROOT / "builder_hf" / "pass.py"

pytestmark = pytest.mark.environments

#: The oldest one with what was new beside it: the lower bounds that the extra `hf` declares. On
#: newer Pythons, the oldest that there are for them.
_LOWER_BOUNDS = (
    ("numpy==1.26.*", "pyarrow==16.*", "pillow==10.3.*")
    if sys.version_info < (3, 13)
    else ("pyarrow<21",)
)
ENVIRONMENTS = {
    "2.21": Environment("datasets-2.21", ("datasets==2.21.*", *_LOWER_BOUNDS)),
    "3.6": Environment("datasets-3.6", ("datasets==3.6.*",)),
    "4": Environment("datasets-4", ("datasets==4.*",)),
    "5": Environment("datasets-5", ("datasets==5.*",)),
}
#: From 4 on the library reads no scripts.
WITH_SCRIPT = ("2.21", "3.6")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> None:
    wheel = build_wheel(tmp_path_factory.mktemp("wheel"))
    prepare(list(ENVIRONMENTS.values()), wheel)


@pytest.mark.timeout(1800)  # the first test makes all environments
@pytest.mark.parametrize("version", ENVIRONMENTS)
def test_scenario(version: str, prepared: None, tmp_path: Path) -> None:
    collection = Collection(tmp_path / "archives", per_tar=40)
    collection.describe()
    (tmp_path / "archives.tsv").rename(tmp_path / "birds.tsv")
    done = run_without_network(
        ENVIRONMENTS[version],
        HERE / "scenario.py",
        tmp_path,
        ROOT / "tests" / "support" / "bad_server.py",
        *([SCRIPT] if version in WITH_SCRIPT else []),
        home=tmp_path,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    said = done.stdout.splitlines()[-1]
    assert said.startswith(f"ok {version}")
    assert said.endswith(f" 120 {'script' if version in WITH_SCRIPT else 'no script'}")


@pytest.mark.parametrize("version", WITH_SCRIPT)
def test_the_script_says_what_it_needs(version: str, prepared: None, tmp_path: Path) -> None:
    """The package is there, but not to be found by this Python."""
    code = f"""
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name == "pass_dataset":
            raise ModuleNotFoundError("No module named 'pass_dataset'", name=name)
sys.meta_path.insert(0, Without())
import datasets
datasets.load_dataset({str(SCRIPT)!r}, trust_remote_code=True, cache_dir="cache")
"""
    (tmp_path / "without.py").write_text(code)
    done = run_without_network(ENVIRONMENTS[version], tmp_path / "without.py", home=tmp_path)
    assert done.returncode == 1
    assert "which is not installed here" in done.stderr.splitlines()[-1]
    assert "pip install 'pass-dataset[hf]'" in done.stderr.splitlines()[-1]
