"""Imports stand at the top of modules, where a reader and every tool look for them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "pass_dataset"

#: Libraries that extras install: what needs them must be importable by those who work without.
EXTRAS = frozenset({"PIL", "datasets", "matplotlib", "onnx", "tensorflow", "torch", "torchvision"})


def late_imports(source: str) -> Iterator[str]:
    """Imports in functions, except of libraries of extras and where a comment above says why."""
    lines = source.splitlines()
    tree = ast.parse(source)
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    imports = {
        node.lineno: node
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    explained: set[int] = set()
    for line, node in sorted(imports.items()):
        # A reason holds for all imports right below it.
        if lines[line - 2].lstrip().startswith("# ") or line in explained:
            explained.add((node.end_lineno or line) + 1)
        elif not libraries(node) <= EXTRAS:
            yield ast.unparse(node)


def libraries(node: ast.Import | ast.ImportFrom) -> set[str]:
    modules = (
        [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    )
    return {module.partition(".")[0] for module in modules}


def test_imports_stand_at_the_top() -> None:
    """But for commands, which import the library in their handlers."""
    late = [
        f"{path.relative_to(PACKAGE.parent)}: {statement}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not path.is_relative_to(PACKAGE / "commands")
        for statement in late_imports(path.read_text())
    ]
    assert not late, "move it to the top, or say in a comment right above why it stands here"


def test_late_imports_are_found() -> None:
    source = """
import json
def first():
    import torch, PIL.Image
    if True:
        import numpy
    # It is slow.
    import pyarrow
    from requests import (
        get,
    )
    from os import path
    work()
    import requests
async def second():
    from pass_dataset import files
    lambda: files
"""
    assert list(late_imports(source)) == [
        "import numpy",
        "import requests",
        "from pass_dataset import files",
    ]
