"""`tfds.load('pass_mini')`: the mini release, with the features of `pass`."""

from __future__ import annotations

import os
from typing import Any

import tensorflow_datasets as tfds

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.mini import ARCHIVES, CHECKSUMS
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import Removals
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.releases.release import Release, read_release
from pass_dataset.tfds.archive_builder import ArchiveBuilder, features
from pass_dataset.tfds.configs import PassConfig

__all__ = ["Builder"]


class Builder(ArchiveBuilder, skip_registration=True):  # type: ignore[call-arg]
    """The mini release for TensorFlow Datasets."""

    VERSION = tfds.core.Version(read_release(CHECKSUMS).version)
    RELEASE_NOTES = {str(VERSION): "Initial release."}  # noqa: RUF012  (the library's interface)

    def __init__(
        self,
        *,
        workers: int | None = None,
        removals: Removals | None = None,
        config: PassConfig | str | None = None,
        version: str | tfds.core.Version | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        file_format: str | tfds.core.FileFormat | None = None,
    ) -> None:
        """See the builder of `pass`."""
        super().__init__(config=config, version=version, data_dir=data_dir, file_format=file_format)
        self.workers, self.removals = workers, removals

    def _info(self) -> tfds.core.DatasetInfo:
        # The files beside this builder speak of the mini release, and not of PASS.
        return self.dataset_info_from_configs(features=features(), supervised_keys=None)

    @property
    def release_notes(self) -> dict[str, str]:
        """What changed, by version."""
        return self.RELEASE_NOTES

    def _whole_release(self) -> Release:
        return read_release(CHECKSUMS)

    def _open_archive(self, dl_manager: Any) -> PassArchive:
        return open_mini(self._removals())

    @property
    def _archives(self) -> ArchiveFolder:
        return ArchiveFolder.at(ARCHIVES, read_release(CHECKSUMS))
