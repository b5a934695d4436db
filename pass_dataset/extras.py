"""Optional packages: imported when first needed, with an error that says how to install them."""

from __future__ import annotations

import importlib
from types import ModuleType

from pass_dataset.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, *, feature: str, extra: str) -> ModuleType:
    """Imports a package that only an extra installs.

    Args:
      module: what to import.
      feature: what needs it, as the start of a sentence.
      extra: the extra of this package that installs it.

    Raises:
      MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # Only its absence is ours to explain; a package that breaks on import says why itself.
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtraError(
            f"{feature} needs the package {module!r}, which is not installed. "
            f"Install it with: pip install 'pass-dataset[{extra}]'",
            name=module,
        ) from error
