"""What the builders of `pass` and `pass_mini` share: features, examples, and the way to build.

On one machine `download_and_prepare` writes the shards itself, in worker processes (see
`pass_dataset.builds.writing`). With Beam, or for a format or a place that it does not write, TFDS's
own way is taken.
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from pass_dataset.archives.records import ImageRecord, PassArchive
from pass_dataset.archives.removals import RemovalList, Removals, note_removals, removals_for
from pass_dataset.builds.writing.basis import Basis, refuse_purged
from pass_dataset.builds.writing.build import SPLIT, Build
from pass_dataset.builds.writing.layout import Layout, lay_out, shuffled_records
from pass_dataset.builds.writing.plan import BuildPlan, sweep, work_folder
from pass_dataset.errors import BuildError
from pass_dataset.extras import require
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.folders.lock import hold
from pass_dataset.progress import on_terminal
from pass_dataset.releases.citation import HOMEPAGE
from pass_dataset.releases.release import Release
from pass_dataset.releases.selection import Selection
from pass_dataset.tfds import wire
from pass_dataset.tfds.configs import config_of
from pass_dataset.tfds.example_writer import ShardExampleWriter
from pass_dataset.tfds.frames import FORMATS
from pass_dataset.tfds.kept import without_removed_examples, without_removed_sources
from pass_dataset.tfds.shard_format import TfdsFormat
from pass_dataset.workers.cores import available_cores

__all__ = ["ArchiveBuilder", "example", "features"]


def features() -> tfds.features.FeaturesDict:
    """The features as the TFDS catalog lists them for `pass`."""
    return tfds.features.FeaturesDict(
        {
            wire.IMAGE: tfds.features.Image(
                shape=(None, None, 3), dtype=np.uint8, doc="The photograph, RGB."
            ),
            wire.CREATOR: tfds.features.Text(
                doc="User name of the photographer, URL-encoded as in the metadata CSV."
            ),
            wire.DATE_TAKEN: tfds.features.Text(
                doc="When it was taken, such as '2007-05-06 06:11:48.0'; '' if not known."
            ),
            wire.GPS_LAT: tfds.features.Scalar(
                np.float32,
                doc=tfds.features.Documentation("Latitude; NaN if not known.", "degrees"),
            ),
            wire.GPS_LON: tfds.features.Scalar(
                np.float32,
                doc=tfds.features.Documentation("Longitude; NaN if not known.", "degrees"),
            ),
            wire.HASH: tfds.features.Text(
                doc="Name of the image; in PASS hexadecimal text, as in YFCC-100M."
            ),
        }
    )


def example(record: ImageRecord) -> dict[str, Any]:
    """A record as an example with `features`; the JPEG's bytes as they are."""
    return {
        wire.IMAGE: record.jpeg,
        wire.CREATOR: record.creator or "",
        wire.DATE_TAKEN: record.date_taken_text or "",
        wire.GPS_LAT: np.nan if record.latitude is None else record.latitude,
        wire.GPS_LON: np.nan if record.longitude is None else record.longitude,
        wire.HASH: record.hash,
    }


class ArchiveBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """A builder whose records come from an archive folder.

    Images on removal lists (see `pass_dataset.archives.removals`) are left out of what it builds,
    and of what it reads that was built before.
    """

    #: Number of worker processes; None: as many as there are cores.
    workers: int | None = None
    #: The user's list of images to be left out, beside those that are found.
    removals: Removals | None = None
    #: The archive folder last named to `download_and_prepare`.
    _manual_dir: Path | None = None
    #: What the build at work rests on; None: nothing is being built.
    _basis: Basis | None = None
    #: What is held until the data set has its name.
    _until_named: contextlib.ExitStack | None = None
    #: Images that are left out of what is being built.
    _left_out: frozenset[str] = frozenset()

    def _info(self) -> tfds.core.DatasetInfo:
        release = self.selection.release
        if release.is_official:
            return self.dataset_info_from_configs(
                features=features(), supervised_keys=None, homepage=HOMEPAGE
            )
        # The files beside the builder speak of PASS, and this is another collection.
        return tfds.core.DatasetInfo(
            builder=self, features=features(), supervised_keys=None, description=release.known
        )

    @property
    def release_notes(self) -> dict[str, str]:
        """What changed, by version; of a release of the user's own what its checksum file says."""
        release = self.selection.release
        if release.is_official:
            notes: dict[str, str] = super().release_notes
            return notes
        return {release.version: release.changes} if release.changes else {}

    @property
    def canonical_version(self) -> tfds.core.Version:
        """The version that can be built.

        TFDS builds the newest version only. All releases of PASS can be built, so it is the one
        that was asked for, once that is known.
        """
        chosen = getattr(self, "_version", None)
        return chosen or tfds.core.Version(
            self._builder_config.version if self._builder_config else self.VERSION
        )

    @property
    def selection(self) -> Selection:
        """The records this builder stands for."""
        given = getattr(self.builder_config, "selection", None)
        return given or Selection(self._whole_release())

    @abc.abstractmethod
    def _whole_release(self) -> Release:
        """What it stands for where no config says otherwise."""

    @abc.abstractmethod
    def _open_archive(self, dl_manager: Any) -> PassArchive:
        """The records, fetched first if need be."""

    @property
    @abc.abstractmethod
    def _archives(self) -> ArchiveFolder:
        """The archive folder as far as is known; it need not be there."""

    def _removals(self) -> RemovalList:
        """All that is to be left out."""
        return removals_for(self._archives.path, self.data_dir, given=self.removals)

    def _opened(self, dl_manager: Any) -> PassArchive:
        before = refuse_purged(self._archives)
        archive = self._open_archive(dl_manager)
        self._basis = Basis.of(
            archive,
            before,
            Path(self.data_dir),
            given=self.removals,
        )
        # What the data lacked before, it lacks still: the archives may have been purged.
        stored = removals_for(self.data_dir).hashes
        self._left_out = stored | frozenset(archive.removed)
        return archive

    def _as_dataset(self, split: Any, decoders: Any = None, **others: Any) -> Any:
        removals = self._removals()
        if not removals:
            return super()._as_dataset(split, decoders=decoders, **others)
        return without_removed_examples(
            functools.partial(super()._as_dataset, split),
            removals,
            self.info.features,
            decoders,
            **others,
        )

    def as_data_source(self, *arguments: Any, **named: Any) -> Any:
        """As TFDS's method, without the images on removal lists."""
        found = super().as_data_source(*arguments, **named)
        removals = self._removals()
        return without_removed_sources(found, removals) if removals else found

    def _limited(self, limit: int) -> ArchiveBuilder:
        """A builder of the first records only, stored elsewhere."""
        selection = dataclasses.replace(self.selection, limit=limit)
        return type(self)(
            config=config_of(selection),
            workers=self.workers,
            data_dir=self.data_dir_root,
            file_format=self.info.file_format,
            removals=self.removals,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {SPLIT: self._generate_examples(self._opened(dl_manager))}

    def _generate_examples(self, archive: PassArchive) -> Iterator[tuple[str, dict[str, Any]]]:
        for record in archive[: self.selection.limit]:
            yield record.hash, example(record)

    def download_and_prepare(
        self,
        *,
        download_dir: str | os.PathLike[str] | None = None,
        download_config: tfds.download.DownloadConfig | None = None,
        file_format: str | tfds.core.FileFormat | None = None,
        permissions: Any = None,
    ) -> None:
        """Builds the data set unless it is there, as TFDS's method of this name.

        A build that was cut is continued. With ``max_examples_per_split`` the result is stored
        apart, and this builder reads it from there.

        Raises:
          PassDatasetError: archives that cannot be had or read, shards that cannot be written.
        """
        config = download_config or tfds.download.DownloadConfig()
        if config.manual_dir is not None:
            self._manual_dir = Path(config.manual_dir)
        # Its default differs between versions of TFDS, and older ones do not have it.
        others = {} if permissions is None else {"permissions": permissions}
        if file_format and not Path(self.data_dir).exists():
            self.info.set_file_format(file_format, override=True)
        if config.max_examples_per_split:
            limited = self._limited(config.max_examples_per_split)
            limited.download_and_prepare(
                download_dir=download_dir,
                download_config=dataclasses.replace(config, max_examples_per_split=None),
                **others,
            )
            self._read_from(limited.data_dir)
            return
        if config.max_examples_per_split == 0:
            # To TFDS this means: fetch only. (It leaves a data set without data, which we do not.)
            self._open_archive(
                self._make_download_manager(download_dir=download_dir, download_config=config)
            )
            return
        with self._turn(config) as is_missing:
            if is_missing and self._is_built_here(config):
                self._build(Path(self.data_dir), download_dir, config)
                # What is left to do for TFDS is to find the data set there.
                config = dataclasses.replace(
                    config, download_mode=tfds.GenerateMode.REUSE_DATASET_IF_EXISTS
                )
            with contextlib.ExitStack() as self._until_named:
                super().download_and_prepare(
                    download_dir=download_dir,
                    download_config=config,
                    file_format=file_format,
                    **others,
                )

    @contextlib.contextmanager
    def _turn(self, config: tfds.download.DownloadConfig) -> Iterator[bool]:
        """Tells whether the data set is to be built; if it is, no other process does until the end.

        One that is there is whole, and needs no lock: it may lie where nothing can be written.
        """
        mode = config.download_mode
        target = Path(self.data_dir)
        if not _is_local(self.data_dir) or mode == tfds.GenerateMode.UPDATE_DATASET_INFO:
            yield False
            return
        if target.exists() and not mode.overwrite_dataset:
            if not self.info.splits:  # built since this builder was made
                self._read_from(self.data_dir)
            sweep(target)
            yield False
            return
        with _held(target.parent):
            is_missing = mode.overwrite_dataset or not target.exists()
            if not is_missing:
                # Another process has built it while this one waited.
                self._read_from(self.data_dir)
            yield is_missing

    def _is_built_here(self, config: tfds.download.DownloadConfig) -> bool:
        """True if the shards are written in worker processes, False if TFDS does it its own way."""
        return not _wants_beam(config) and self.info.file_format.value in FORMATS

    def _build(
        self,
        target: Path,
        download_dir: str | os.PathLike[str] | None,
        config: tfds.download.DownloadConfig,
    ) -> None:
        """Builds the folder of this data set in worker processes."""
        self.assert_is_not_blocked()
        dl_manager = self._make_download_manager(download_dir=download_dir, download_config=config)
        archive = self._opened(dl_manager)
        assert self._basis is not None
        template = self._get_filename_template(split_name=SPLIT)
        sharding = config.get_shard_config()
        build = Build(
            target,
            work_folder(target),
            archive.release.label,
            TfdsFormat(self.info.file_format.value),
            self.workers or available_cores(),
            self.selection.limit,
            repr(sharding),
            sharding.get_number_shards,
            lambda number, count: (
                Path(template.sharded_filepath(shard_index=number, num_shards=count)).name
            ),
        )

        def finish(plan: BuildPlan) -> None:
            self._set_split(plan.layout)
            self.info.download_size = self._download_bytes()
            self.info.write_to_directory(plan.data)
            self._note_left_out(plan.data)
            plan.publish(target)

        with on_terminal() as progress:
            build.run(self._basis, finish, progress)

    def _download_and_prepare(
        self, dl_manager: Any, download_config: tfds.download.DownloadConfig
    ) -> None:
        """Called by TFDS where the folder is not built in worker processes."""
        if not _wants_beam(download_config) or self.info.file_format.value not in FORMATS:
            super()._download_and_prepare(dl_manager, download_config)
        else:
            self._prepare_on_beam(dl_manager, download_config)
        if self._basis is not None and self._until_named is not None:
            # TFDS gives the folder its name next, or removes it.
            self._until_named.enter_context(self._basis.kept())
            self._basis.require_unchanged(self.data_dir)

    def _prepare_on_beam(
        self, dl_manager: Any, download_config: tfds.download.DownloadConfig
    ) -> None:
        require("apache_beam", feature="Building with a Beam runner", extra="beam")
        # Beam comes with it.
        from pass_dataset.tfds import beam

        archive = self._opened(dl_manager)
        limit = self.selection.limit
        shard_format = TfdsFormat(self.info.file_format.value)
        records = shuffled_records(archive, SPLIT, shard_format, limit)
        sharding = download_config.get_shard_config()
        total = sum(records["example_bytes"].to_numpy().tolist())
        layout = lay_out(records, sharding.get_number_shards(total, records.num_rows))
        paths = self._get_filename_template(split_name=SPLIT).sharded_filepaths(len(layout.stops))
        writer = beam.ShardWriter(archive, SPLIT, limit, tuple(map(os.fspath, paths)), shard_format)
        pipelines = tfds.core.split_builder.SplitBuilder(
            split_dict=self.info.splits,
            features=self.info.features,
            dataset_size=self.info.dataset_size,
            beam_options=download_config.beam_options,
            beam_runner=download_config.beam_runner,
            max_examples_per_split=None,
            example_writer=self._example_writer(),
            shard_config=sharding,
        )
        with pipelines.maybe_beam_pipeline():
            beam.write_on_beam(pipelines.beam_pipeline, writer, len(paths))
        self._set_split(layout)

    def _example_writer(self) -> ShardExampleWriter:
        return ShardExampleWriter(self.info.file_format)

    def _post_download_and_prepare_hook(self) -> None:
        # TFDS counts what its own downloader fetched: nothing.
        if self.info.download_size != self._download_bytes():
            self.info.download_size = self._download_bytes()
            self.info.write_to_directory(self.data_dir)
        if _is_local(self.data_dir):
            self._note_left_out(Path(self.data_dir))

    def _note_left_out(self, folder: Path) -> None:
        """Beside the data, which of the archives' images it lacks."""
        if self._left_out:
            note_removals(folder, self._left_out, self._removals().sources)

    def _set_split(self, layout: Layout) -> None:
        split = tfds.core.SplitInfo(
            name=SPLIT,
            shard_lengths=layout.shard_lengths,
            num_bytes=sum(layout.shard_bytes),
            filename_template=self._get_filename_template(split_name=SPLIT),
        )
        self.info.set_splits(tfds.core.splits.SplitDict([split]))

    def _download_bytes(self) -> int:
        selection = self.selection
        return sum(file.size_bytes for file in selection.release.select(selection.parts))

    def _read_from(self, folder: str) -> None:
        """Makes this builder read a data set that was built after it was made.

        Raises:
          BuildError: it has another format than this builder was asked for.
        """
        stored = tfds.core.dataset_info.read_from_json(
            tfds.core.dataset_info.dataset_info_path(folder)
        )
        if stored.file_format != self.info.file_format.value:
            raise BuildError(
                f"{folder}: was built meanwhile as {stored.file_format}; for "
                f"{self.info.file_format.value} give another data_dir"
            )
        self._data_dir = folder
        self.info.read_from_directory(folder)


def _is_local(folder: str) -> bool:
    return "://" not in folder


def _wants_beam(config: tfds.download.DownloadConfig) -> bool:
    return config.beam_runner is not None or config.beam_options is not None


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Holds a folder that is made if missing: two processes that build the same take turns."""
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(hold(folder))
        except OSError as error:
            raise BuildError(f"{folder}: cannot be used for building: {error}") from error
        yield
