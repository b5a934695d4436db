"""`datasets.load_dataset('pass_mini')`: the mini release, with the features of `pass`."""

from __future__ import annotations

from typing import Any

import datasets

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.mini import ARCHIVES, CHECKSUMS
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.huggingface.archive_builder import ArchiveBuilder
from pass_dataset.releases.release import Release, read_release

__all__ = ["PassMini"]

_patched_for_streaming = True  # see `archive_builder`


class PassMini(ArchiveBuilder):
    """The mini release for Hugging Face `datasets`."""

    VERSION = datasets.Version(read_release(CHECKSUMS).version)

    @property
    def _description(self) -> str:
        return "64 drawn pictures in the layout of PASS, for trying things out."

    @property
    def _release(self) -> Release:
        return read_release(CHECKSUMS)

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        return [self._local_split(self._opened(lambda: open_mini(self._removals())))]

    @property
    def _archives(self) -> ArchiveFolder:
        return ArchiveFolder.at(ARCHIVES, read_release(CHECKSUMS))
