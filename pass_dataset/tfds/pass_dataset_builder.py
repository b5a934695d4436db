"""`tfds.load('pass')`: a thin reader of an archive folder.

Archives are read from ``DownloadConfig(manual_dir=…)``, else from the folder named by
``PASS_ARCHIVES``, else from ``<download_dir>/pass/<version>``; what is missing there is fetched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from pass_dataset.archives.ensure import provide
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import Removals
from pass_dataset.errors import ReleaseError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.releases.release import OFFICIAL_VERSIONS, Release, official_release
from pass_dataset.releases.selection import select
from pass_dataset.tfds.archive_builder import ArchiveBuilder
from pass_dataset.tfds.configs import PassConfig, config_of

__all__ = ["Builder"]


class Builder(ArchiveBuilder, skip_registration=True):  # type: ignore[call-arg]
    """PASS for TensorFlow Datasets, in place of TFDS's own `pass`."""

    VERSION = tfds.core.Version(OFFICIAL_VERSIONS[-1])
    SUPPORTED_VERSIONS = [  # noqa: RUF012  (the library's interface)
        tfds.core.Version(version) for version in reversed(OFFICIAL_VERSIONS[:-1])
    ]
    RELEASE_NOTES = {  # noqa: RUF012
        version: official_release(version).changes for version in OFFICIAL_VERSIONS
    }

    def __init__(
        self,
        *,
        release: str | os.PathLike[str] | Release | None = None,
        parts: str | Iterable[int] | None = None,
        workers: int | None = None,
        removals: Removals | None = None,
        config: PassConfig | str | None = None,
        version: str | tfds.core.Version | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        file_format: str | tfds.core.FileFormat | None = None,
    ) -> None:
        """A builder of a release, or of parts of it.

        Args:
          release: version, checksum file of the user's own, or Release; None for `version`, or for
            the newest, unless ``PASS_ARCHIVES`` names a folder that tells of a release of the
            user's own.
          parts: only these tars: numbers, or text such as ``0,3-5``; None for all.
          workers: processes that write shards; None for as many as there are cores.
          removals: one more list of images to be left out, beside those of the archive folder, of
            the build and of ``PASS_REMOVALS`` (see `pass_dataset.archives.removals`).
          config: what `release` and `parts` stand for, as TFDS hands it on.
          version, data_dir, file_format: as in TFDS.

        Raises:
          ReleaseError: no such release or part, or the arguments contradict each other.
          ValueError: fewer than one worker.
        """
        if workers is not None and workers < 1:
            raise ValueError(f"workers: expected 1 or more, found {workers}")
        if release is None and version is None and config is None:
            release = ArchiveFolder.own_release()
        selection = select(release, parts, version)
        if selection is not None:
            if config is not None:
                raise ReleaseError("give release and parts, or config, but not both")
            config, version = config_of(selection), selection.release.version
        super().__init__(config=config, version=version, data_dir=data_dir, file_format=file_format)
        self.workers, self.removals = workers, removals

    def _whole_release(self) -> Release:
        return official_release(str(self.version))

    def _open_archive(self, dl_manager: Any) -> PassArchive:
        archives = ArchiveFolder.of(
            self.selection.release,
            _manual_folder(dl_manager, self.selection.release),
            self.selection.parts,
            default=self._default_folder(Path(dl_manager.download_dir)),
        )
        return provide(archives, removals=self._removals())

    def _default_folder(self, download_dir: Path) -> Path:
        selection = self.selection
        release = selection.release
        name = "pass" if release.is_official else str(selection.name)
        return download_dir / name / release.version

    @property
    def _archives(self) -> ArchiveFolder:
        default = self._default_folder(Path(self.data_dir_root) / "downloads")
        return ArchiveFolder.of(self.selection.release, self._manual_dir, default=default)


def _manual_folder(dl_manager: Any, release: Release) -> Path | None:
    """The user's archive folder, if there is one.

    Where the user names none, TFDS makes up ``<download_dir>/manual``, which all datasets share:
    that counts only if files of the release were put there.
    """
    given = dl_manager._manual_dir  # the public property refuses a folder that is still empty
    if given is None:
        return None
    folder = Path(given)
    if folder != Path(dl_manager.download_dir) / "manual":
        return folder
    put_here = ArchiveFolder.of(release, folder).path
    found = any((put_here / file.filename).exists() for file in release.files)
    return folder if found else None
