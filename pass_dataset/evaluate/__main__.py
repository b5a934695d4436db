"""`python -m pass_dataset.evaluate` is the command `pass-evaluate`."""

from __future__ import annotations

import importlib
import sys

# By name: no floor imports the one above it, and this is a door, not a floor.
sys.exit(importlib.import_module("pass_dataset.commands.evaluate.main").main())
