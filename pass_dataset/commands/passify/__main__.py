"""`python -m pass_dataset.passify` is the command `passify`."""

from __future__ import annotations

import sys

from pass_dataset.commands.passify.main import main

if __name__ == "__main__":
    sys.exit(main())
