"""Data of the audit, which its command is tried with too."""

from __future__ import annotations

from tests.passify.audit.conftest import later

__all__ = ["later"]
