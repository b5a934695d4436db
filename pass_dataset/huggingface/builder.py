"""`datasets.load_dataset('pass')`: a thin reader of an archive folder, or of the published tars.

Configs are the releases: ``load_dataset('pass', '2.0.0')``. Archives are read from ``data_dir=``,
else from the folder named by ``PASS_ARCHIVES``, else from the library's download folder; what is
missing there is fetched.

Ways to read without a second copy on disk:

- ``streaming=True`` with archives that are here: rows come straight from the tars; the cache gets
  nothing. (Without ``streaming`` it gets a copy of all images, as Arrow: as many bytes again.)
- ``streaming=True`` without archives: byte ranges of the published tars over HTTP. The metadata,
  150 MB for a whole release, is fetched once and kept in the library's download folder.
- `pass_dataset.PassArchive`, without `datasets`.

A stream cannot be verified by the SHA-256 of tars that are never seen whole. What is checked: the
metadata by its SHA-256, the size of each tar, the checksum of every header, that each image has a
row in the metadata (for published releases), and that it begins like a JPEG.

Each process that streams over HTTP opens one connection. Zenodo blocks users of more than two: with
a `DataLoader` give ``num_workers`` of at most 2, or ``mirrors=`` of your own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import datasets

from pass_dataset.archives.ensure import provide
from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import Removals
from pass_dataset.archives.streaming import open_remote
from pass_dataset.errors import FolderError
from pass_dataset.folders.archive_folder import ARCHIVES_VARIABLE, ArchiveFolder, named_folder
from pass_dataset.huggingface.archive_builder import NUM_SHARDS, ArchiveBuilder, train_split
from pass_dataset.huggingface.configs import CONFIGS, PassConfig
from pass_dataset.progress import on_terminal
from pass_dataset.releases.release import DEFAULT_VERSION, Release
from pass_dataset.releases.selection import Selection

__all__ = ["Pass"]


class Pass(ArchiveBuilder):
    """PASS for Hugging Face `datasets`."""

    BUILDER_CONFIG_CLASS = PassConfig
    BUILDER_CONFIGS = CONFIGS
    DEFAULT_CONFIG_NAME = DEFAULT_VERSION

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """As the library's builder; what a folder of the user's own holds needs no name."""
        if named.get("config_name") is None and named.get("release") is None:
            own = ArchiveFolder.own_release(named.get("data_dir"))
            if own is not None:
                named["release"] = own
        super().__init__(*arguments, **named)

    @property
    def _release(self) -> Release:
        return self._selection.release

    @property
    def _num_examples(self) -> int | None:
        return super()._num_examples if self._selection.parts is None else None

    @property
    def _description(self) -> str:
        if not self._release.is_official:
            return f"{self.config.description} {self._release.known}"
        return (
            f"{self.config.description} PASS: CC-BY photographs without people, for "
            "self-supervised pretraining."
        )

    @property
    def _selection(self) -> Selection:
        selection: Selection = self.config.selection
        return selection

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        if dl_manager.is_streaming:
            return [self._stream()]
        archive = self._opened(
            lambda: provide(
                self._archives, mirrors=self.config.mirror_urls, removals=self._removals()
            )
        )
        self._require_room(archive)
        return [self._local_split(archive)]

    @property
    def _streams_tables(self) -> bool:
        return bool(self.config.tables)

    @property
    def _given_removals(self) -> Removals | None:
        given: Removals | None = self.config.removals
        return given

    @property
    def _archives(self) -> ArchiveFolder:
        selection = self._selection
        default = self._download_folder
        return ArchiveFolder.of(
            selection.release, self.config.data_dir, selection.parts, default=default
        )

    @property
    def _download_folder(self) -> Path:
        selection = self._selection
        root = Path(self._cache_downloaded_dir) / "pass"
        own = Selection(selection.release).name
        return (root / own if own else root) / selection.release.version

    def _stream(self) -> datasets.SplitGenerator:
        archives = self._archives
        absent = [file.filename for file in archives.absent]
        if not absent:
            with on_terminal() as progress:
                archive = PassArchive(archives, removals=self._removals(), progress=progress)
                return self._local_split(archive)
        if named_folder(self.config.data_dir) is not None:
            raise FolderError(self._half_there(archives.path, absent))
        remote = open_remote(
            archives.release.origin,
            parts=archives.parts,
            mirrors=self.config.mirror_urls,
            index=self.config.index,
            folder=self._download_folder / "streaming",
            removals=self._removals(),
        )
        return train_split(remote, remote.ranges(NUM_SHARDS))

    def _half_there(self, folder: Path, absent: list[str]) -> str:
        release, given = self._selection.release, self.config.release
        named = ", ".join(absent[:3]) + (f" and {len(absent) - 3} more" if absent[3:] else "")
        by_path = given if isinstance(given, str | os.PathLike) else f"{release.name}.tsv"
        wanted = release.version if release.is_official else os.fspath(by_path)
        return (
            f"{folder}: streaming reads archives that are whole, and {named} of {release.label} "
            f"{'is' if len(absent) == 1 else 'are'} missing or of another size. Fetch what is "
            f"missing with: pass-dataset download {folder} --release {wanted}; or name the tars "
            f"that are there with parts=; or leave out data_dir= (and "
            f"{ARCHIVES_VARIABLE}) to stream from the published place."
        )
