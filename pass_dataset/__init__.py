"""PASS, 1.44 million CC-BY photographs without people, for self-supervised pretraining.

Importing this package makes `tfds.load('pass')` and `datasets.load_dataset('pass')` work; it
imports neither library, and nothing else that is slow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pass_dataset.registration import register as _register
from pass_dataset.version import __version__

if TYPE_CHECKING:
    from pass_dataset.archives.integrity import Verification, verify
    from pass_dataset.archives.records import ImageRecord, PassArchive
    from pass_dataset.downloads import DownloadReport, download
    from pass_dataset.errors import PassDatasetError
    from pass_dataset.releases.release import Release, ReleaseFile, official_release, read_release

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
    "ImageRecord": "archives.records",
    "PassArchive": "archives.records",
    "PassDatasetError": "errors",
    "Release": "releases.release",
    "ReleaseFile": "releases.release",
    "Verification": "archives.integrity",
    "download": "downloads",
    "official_release": "releases.release",
    "read_release": "releases.release",
    "verify": "archives.integrity",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


_register()
