"""What scenarios check first; they run as scripts, beside this file."""

from __future__ import annotations

import importlib.util
import sys


def check(made, expected, what):
    """Ends the scenario unless it found what it should."""
    if made != expected:
        sys.exit(f"{what}: expected {expected!r}, found {made!r}")


def check_absent(*modules):
    """Ends the scenario if one of these can be imported."""
    check([name for name in modules if importlib.util.find_spec(name)], [], "what is installed")


def check_installed_plainly():
    """Ends the scenario if this package is not that of the wheel."""
    import pass_dataset

    check("site-packages" in pass_dataset.__file__, True, "installed plainly")
