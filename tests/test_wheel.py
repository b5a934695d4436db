"""The wheel, installed into a clean environment outside the repository, does what it says."""

from __future__ import annotations

import os
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.environments import build_wheel

LOAD_BOTH = """
import sys, pass_dataset
assert "site-packages" in pass_dataset.__file__, pass_dataset.__file__
import tensorflow_datasets as tfds
import datasets
one = tfds.load("pass_mini", split="train", data_dir=sys.argv[1] + "/tfds")
two = datasets.load_dataset("pass_mini", split="train", cache_dir=sys.argv[1] + "/hf")
print(len(one), len(two), sorted(row["hash"] for row in two.select_columns("hash"))[0])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.mark.environments
def test_contents(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    for version in ("1.0.0", "2.0.0", "3.0.0"):
        assert f"pass_dataset/checksums/{version}.tsv" in sizes
    for name in (
        "builder_hf/README.md",
        "builder_hf/croissant.json",
        "builder_hf/croissant/1.0.0.json",
        "reports/credits/page.html",
        "py.typed",
        "archives/mini/pass_mini.tsv",
        "tfds/mini/README.md",
        "tfds/CITATIONS.bib",
        "pages/layout.html",
        "pages/style.css",
        "passify/report/images.html",
        "passify/report/page.html",
        "reports/stats/page.html",
        "reports/stats/pieces.html",
        "reports/catalog/page.html",
    ):
        assert f"pass_dataset/{name}" in sizes
    mini = {name: size for name, size in sizes.items() if "/mini/archives/" in name}
    assert len(mini) == 11
    assert sum(mini.values()) <= 1_500_000
    assert not [name for name in sizes if name.startswith(("tests/", "scripts/"))]
    assert any(name.endswith("licenses/LICENSE") for name in sizes)


@pytest.mark.environments
@pytest.mark.timeout(1800)
def test_clean_environment(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", f"{wheel}[tfds,hf]"]
    # With a source tree on its path, pip would take the package for installed.
    environ = {**os.environ, "PYTHONPATH": ""}
    subprocess.run(list(map(str, install)), check=True, cwd=tmp_path, env=environ)
    done = subprocess.run(
        [str(python), "-c", LOAD_BOTH, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environ,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-3:] == ["64", "64", "12e4503918276645091827364509182"]
    for command in ("pass-dataset", "passify", "pass-curate", "pass-evaluate"):
        assert (environment / "bin" / command).is_file()
    done = subprocess.run(
        [str(environment / "bin" / "pass-dataset"), "releases"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.stdout.count("images") >= 3
