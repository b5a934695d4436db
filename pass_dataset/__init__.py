"""PASS, 1.44 million CC-BY photographs without people, for self-supervised pretraining.

Importing this package makes `tfds.load('pass')` and `datasets.load_dataset('pass')` work; it
imports neither library, and nothing else that is slow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pass_dataset.registration import register as _register

if TYPE_CHECKING:
    from pass_dataset.downloads import DownloadReport, download
    from pass_dataset.errors import PassDatasetError
    from pass_dataset.records import ImageRecord, PassArchive
    from pass_dataset.releases import Release, ReleaseFile, official_release, read_release
    from pass_dataset.verification import Verification, verify

__version__ = "0.1.0"

__all__ = [
    "DownloadReport",
    "ImageRecord",
    "PassArchive",
    "PassDatasetError",
    "Release",
    "ReleaseFile",
    "Verification",
    "__version__",
    "download",
    "official_release",
    "read_release",
    "verify",
]

#: Public name to the module that has it; loaded on first use.
_HOMES = {
    "DownloadReport": "downloads",
    "ImageRecord": "records",
    "PassArchive": "records",
    "PassDatasetError": "errors",
    "Release": "releases",
    "ReleaseFile": "releases",
    "Verification": "verification",
    "download": "downloads",
    "official_release": "releases",
    "read_release": "releases",
    "verify": "verification",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


_register()
