"""A real Ray of two cores, in the test's own process."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def ray_cluster() -> Iterator[Any]:
    """Of two cores, which the executor finds connected; all is as before when it ends."""
    ray = pytest.importorskip("ray")
    environment = dict(os.environ)
    try:
        ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
        )
        # It leaves how it authenticates to whatever is started from here.
        os.environ.pop("RAY_AUTH_MODE", None)
        yield ray
    finally:
        ray.shutdown()
        # What it had to kill it does not wait for, which would be a warning in some later test.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        os.environ.clear()
        os.environ.update(environment)
