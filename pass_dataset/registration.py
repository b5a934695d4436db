"""Has TFDS and Hugging Face `datasets` know `pass` and `pass_mini`, if they are ever imported.

What is done to them (`hooks`) is loaded when the first of them is: most processes, such as workers,
import none, and would wait for nothing.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["register"]

#: What there are hooks for, but for what is imported after one of these.
LIBRARIES = frozenset({"tensorflow_datasets", "datasets", "torchvision.extension"})


def register() -> None:
    """Arranges for both libraries to know the datasets, now or when they are imported."""
    watch = _Watch()
    sys.meta_path.insert(0, watch)
    if LIBRARIES & sys.modules.keys():
        watch.end()


class _Watch:
    """Finds nothing: it is asked for every module, and looks whether one is there to be met."""

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in LIBRARIES:
            return None
        self.end()
        # The hooks stand before all others now, and are asked as if they always had.
        return importlib.util.find_spec(name)

    def end(self) -> None:
        """Sets the hooks, whoever of several threads comes first, and watches no longer."""
        with self._lock:
            if self in sys.meta_path:
                sys.meta_path.remove(self)
                importlib.import_module("pass_dataset.hooks").register()
