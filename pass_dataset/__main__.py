"""`python -m pass_dataset` is the command `pass-dataset`."""

from __future__ import annotations

import sys

from pass_dataset.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
