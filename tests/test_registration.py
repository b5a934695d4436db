"""Both libraries know our datasets, whoever is imported first. Each case in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TFDS = "import tensorflow_datasets as tfds"
HF = "import datasets"
OURS = "import pass_dataset"
#: TFDS's own `pass`, loaded before ours is asked for.
TFDS_OWN = (
    "import importlib; tfds.builder_cls('pass'); "
    "importlib.import_module('tensorflow_datasets.datasets.pass.pass_dataset_builder')"
)


def run(*lines: str, cwd: Path | None = None) -> str:
    code = "\n".join(lines)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("order", [(OURS, TFDS), (TFDS, OURS), (TFDS, TFDS_OWN, OURS)])
def test_tfds(order: tuple[str, ...]) -> None:
    ask = "print(*(tfds.builder_cls(name).__module__ for name in ('pass', 'pass_mini')))"
    assert run(*order, ask) == (
        "pass_dataset.tfds.pass_dataset_builder pass_dataset.tfds.mini.pass_mini_dataset_builder"
    )


@pytest.mark.parametrize("order", [(OURS, HF), (HF, OURS)])
@pytest.mark.parametrize("crowded", [False, True])
def test_datasets(order: tuple[str, ...], crowded: bool, tmp_path: Path) -> None:
    """Also in a folder with other data files, which the library would list and take for ours."""
    if crowded:
        (tmp_path / "train").mkdir()
        (tmp_path / "train" / "other.csv").write_text("a,b\n1,2\n")
    ask = (
        "make = datasets.load_dataset_builder\n"
        "b = make('pass_mini'); print(type(b).__name__, b.config.data_files)\n"
        "b = make('pass'); print(type(b).__name__, b.config.name)\n"
        "b = make('pass', '2.0.0'); print(b.config.name, b.config.version)"
    )
    assert run(*order, ask, cwd=tmp_path).splitlines() == [
        "PassMini {}",
        "Pass 3.0.0",
        "2.0.0 2.0.0",
    ]


def test_other_datasets_load_as_before(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text("a,b\n1,2\n")
    ask = "print(datasets.load_dataset('csv', data_files='my.csv', split='train')[0])"
    assert run(OURS, HF, ask, cwd=tmp_path).endswith("{'a': 1, 'b': 2}")


def test_module_of_the_users_own_called_datasets(tmp_path: Path) -> None:
    (tmp_path / "datasets.py").write_text("MINE = 1\n")
    assert run(OURS, HF, "print(datasets.MINE)", cwd=tmp_path) == "1"


@pytest.mark.slow
def test_list_builders_still_works() -> None:
    ask = "names = tfds.list_builders(); print(names.count('pass'), 'mnist' in names)"
    assert run(OURS, TFDS, ask) == "1 True"


def test_torchvision_after_tensorflow_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Some versions of the two end the process then, before anyone could say why."""
    from pass_dataset.hooks import _warn_of_order

    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    _warn_of_order(sys)
    assert not caplog.records
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    _warn_of_order(sys)
    assert "Import torchvision first" in caplog.text


def test_torchvisions_first_module_is_watched(tmp_path: Path) -> None:
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text("from torchvision import extension\n")
    (tmp_path / "torchvision" / "extension.py").write_text("")
    (tmp_path / "tensorflow.py").write_text("")
    ask = (
        "import logging, sys; logging.basicConfig(stream=sys.stdout)",
        "import tensorflow, torchvision",
    )
    assert "segmentation fault" in run(OURS, *ask, cwd=tmp_path)
