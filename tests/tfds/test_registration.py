"""`pass` is ours whichever is imported first, and built data sets are found by their names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow_datasets")

OURS_FIRST = "import pass_dataset; import tensorflow_datasets as tfds"
TFDS_FIRST = "import tensorflow_datasets as tfds; import pass_dataset"
THEIR_PASS_FIRST = """
import importlib
import tensorflow_datasets as tfds
assert tfds.builder_cls("pass").__module__.startswith("tensorflow_datasets")
importlib.import_module("tensorflow_datasets.datasets.pass.pass_dataset_builder")
import pass_dataset
"""
CHECK = """
names = tfds.list_builders()
assert "mnist" in names and "pass" in names, names
builder = tfds.builder("pass", data_dir="{folder}")
assert type(builder).__module__ == "pass_dataset.tfds.pass_dataset_builder", type(builder)
assert str(builder.version) == "3.0.0"
assert tfds.builder_cls("mnist").__module__.startswith("tensorflow_datasets")
"""


@pytest.mark.parametrize("start", [OURS_FIRST, TFDS_FIRST, THEIR_PASS_FIRST])
def test_import_orders(tmp_path: Path, start: str) -> None:
    code = start + CHECK.format(folder=tmp_path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_builds_are_found_by_name(quiet_tfds: Any, tmp_path: Path) -> None:
    import pass_dataset  # noqa: F401

    config = quiet_tfds.download.DownloadConfig(max_examples_per_split=10)
    limited = quiet_tfds.builder("pass_mini", data_dir=tmp_path)
    limited.download_and_prepare(download_config=config)
    quiet_tfds.builder("pass_mini", data_dir=tmp_path).download_and_prepare()

    whole = quiet_tfds.builder("pass_mini", version="1.0.0", data_dir=tmp_path)
    assert whole.info.splits["train"].num_examples == 64
    name = f"pass_mini/{limited.builder_config.name}" if limited.builder_config else ""
    name = name or f"pass_mini/{Path(limited.data_dir).parent.name}"
    again = quiet_tfds.builder(name, data_dir=tmp_path)
    assert again.info.splits["train"].num_examples == 10
