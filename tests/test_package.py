from __future__ import annotations

import configparser
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pass_dataset
from pass_dataset import errors
from pass_dataset.errors import MissingExtraError
from pass_dataset.extras import require

ROOT = Path(__file__).parent.parent
HEAVY = (
    *("tensorflow", "tensorflow_datasets", "torch", "datasets", "pandas", "ray", "pyarrow"),
    "jinja2",
)


def in_new_process(code: str, *options: str) -> str:
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "module",
    [
        "pass_dataset",
        "pass_dataset.commands.main",
        "pass_dataset.commands.passify.main",
        "pass_dataset.evaluate",
    ],
)
def test_import_is_light(module: str) -> None:
    code = f"import {module}, sys; print([m for m in {HEAVY} if m in sys.modules])"
    assert in_new_process(code) == "[]"


def test_import_is_fast() -> None:
    """By what it loads, which no busy machine changes: two of ours, and nothing of others."""
    code = (
        "import sys; before = set(sys.modules); import pass_dataset; "
        "print(*sorted(set(sys.modules) - before))"
    )
    # Without `site`, which loads whatever this environment's packages hang into every start.
    path = [str(ROOT), *(entry for entry in sys.path if entry.endswith("site-packages"))]
    code = f"import sys; sys.path += {path}; {code}"
    loaded = in_new_process(code, "-S").split()
    ours = [name for name in loaded if name.startswith("pass_dataset")]
    assert ours == ["pass_dataset", "pass_dataset.registration", "pass_dataset.version"]
    packages = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert packages == {"pass_dataset"}


def test_public_names_exist_and_are_sorted() -> None:
    assert pass_dataset.__all__ == sorted(pass_dataset.__all__)
    for name in pass_dataset.__all__:
        assert getattr(pass_dataset, name) is not None
        assert name in dir(pass_dataset)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pass_dataset.nothing  # noqa: B018


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sorted((ROOT / "pass_dataset").rglob("*.py")), ids=relative)
def test_all_lists_name_what_is_there(path: Path) -> None:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    if name.endswith("__main__"):
        pytest.skip("runs the command")
    try:
        module = importlib.import_module(name)
    except MissingExtraError as error:
        pytest.skip(f"needs {error.name}, which an extra installs")
    except ModuleNotFoundError as error:
        if str(error.name).startswith("pass_dataset"):
            raise
        pytest.skip(f"needs {error.name}, which an extra installs")
    names = getattr(module, "__all__", [])
    assert len(names) == len(set(names))
    for public in names:
        assert hasattr(module, public), f"{name}.{public}"


def test_errors_have_one_base_and_stand_in_the_tree() -> None:
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.PassDatasetError)
        assert name in str(errors.__doc__)


def test_wheel_has_every_package() -> None:
    config = configparser.RawConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "pass_dataset").rglob("__init__.py")
    }
    assert listed == found | {"pass_dataset.builder_hf", "pass_dataset.checksums"}


def test_missing_extra_says_how_to_install_it() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require("surely_not_installed.part", feature="Time travel", extra="tfds")
    assert str(caught.value) == (
        "Time travel needs the package 'surely_not_installed.part', which is not installed. "
        "Install it with: pip install 'pass-dataset[tfds]'"
    )
    assert isinstance(caught.value, ImportError)


def test_broken_extra_speaks_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_package.py").write_text("import its_own_missing_part")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="its_own_missing_part") as caught:
        require("broken_package", feature="Time travel", extra="tfds")
    assert not isinstance(caught.value, MissingExtraError)


def test_library_never_prints() -> None:
    """Only the command line does (ruff's T20 finds `print`; this finds what it does not)."""
    package = ROOT / "pass_dataset"
    for path in package.rglob("*.py"):
        # Commands, and worker processes that answer on their standard output.
        if path.name != "worker.py" and not path.is_relative_to(package / "commands"):
            assert not re.search(r"sys\.stdout|basicConfig", path.read_text()), path
