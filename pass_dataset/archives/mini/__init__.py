"""The mini release ``pass_mini``: the layout of PASS with 64 small pictures drawn by a script.

``scripts/tools/make_mini.py`` remakes every file; :mod:`pass_dataset.archives.mini.traps` names the
awkward rows that tests look for.
"""

from __future__ import annotations

from pathlib import Path

ARCHIVES = Path(__file__).parent / "archives"
CHECKSUMS = Path(__file__).parent / "pass_mini.tsv"
