"""Of worker processes that a disturbed command starts: they are counted and killed with it."""

import os
import sys

if os.environ.get("DISTURBED_LOG"):
    sys.path.insert(0, os.environ["DISTURBED_TESTS"])
    from tests.support.disturbed import install

    install()
