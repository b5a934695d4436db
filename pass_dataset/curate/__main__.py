"""`python -m pass_dataset.curate` is the command `pass-curate`."""

from __future__ import annotations

import importlib
import sys

# By name: no floor imports the one above it, and this is a door, not a floor.
sys.exit(importlib.import_module("pass_dataset.commands.curate.main").main())
