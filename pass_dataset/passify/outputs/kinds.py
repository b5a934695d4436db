"""What the kept images can be exported as."""

from __future__ import annotations

from typing import Literal

__all__ = ["EXPORT_KINDS", "ExportKind"]

ExportKind = Literal["copy", "hardlink", "symlink", "tar", "webdataset"]
EXPORT_KINDS: tuple[ExportKind, ...] = ("copy", "hardlink", "symlink", "tar", "webdataset")
