"""Examples in docstrings are true: those with `>>>`, and indented ones that begin with an import.

`pytest --doctest-modules` would import every module, and with them TensorFlow, PyTorch and Ray.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in sorted((ROOT / "pass_dataset").rglob("*.py"))
}
_INDENTED = re.compile(r"(?:^    .*\n?|^\n)+", re.MULTILINE)
#: What the examples take for granted.
_BEFORE = "transform = None\n"


def docstrings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""


def examples(source: str) -> list[str]:
    blocks = [
        textwrap.dedent(found[0]).strip()
        for text in docstrings(source)
        for found in _INDENTED.finditer(text)
    ]
    return [block for block in blocks if block.startswith(("from ", "import "))]


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if ">>> " in source])
def test_doctests(name: str) -> None:
    module = importlib.import_module(
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    )
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if examples(source)])
def test_indented(name: str, tmp_path: Path) -> None:
    pytest.importorskip("sybil")
    pytest.importorskip("torch")
    page = tmp_path / "page.md"
    page.write_text(
        "\n\n".join(f"```python\n{_BEFORE}{code}\n```" for code in examples(SOURCES[name]))
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.examples", str(page), str(tmp_path / "world")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_examples_are_found() -> None:
    source = '"""Text.\n\n    from a import b\n\n    b()\n\nmore\n    no code\n"""\n'
    assert examples(source) == ["from a import b\n\nb()"]
