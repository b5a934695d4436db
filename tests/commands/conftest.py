"""Data of the reports, which their commands are tried with too."""

from __future__ import annotations

from tests.reports.credits.conftest import hostile_csv
from tests.reports.stats.conftest import everything

__all__ = ["everything", "hostile_csv"]
