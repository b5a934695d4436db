from __future__ import annotations

import subprocess
import sys

import pytest

AFTER_TENSORFLOW = """
import tensorflow
from pass_dataset.curate.fetch.client import Client
from pass_dataset.downloads.retries import RetryPolicy
from pass_dataset.errors import CurationError
try:
    Client(1, RetryPolicy(), 0).ask(1, "http://127.0.0.1:1/")
except CurationError as error:
    print(error)
else:
    print("import pycurl before")  # their libcurls get on
"""


@pytest.mark.slow
def test_pycurl_after_tensorflow_is_a_sentence() -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("pycurl")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", AFTER_TENSORFLOW], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "import pycurl before" in done.stdout
