"""A dataset that TFDS has built: where it lies, what it is called, which shards it has."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pass_dataset.builds.stored_build import Damage, StoredShard
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.extras import require
from pass_dataset.files.inside import require_inside
from pass_dataset.releases.config_names import limit_in, parts_in
from pass_dataset.tfds.stored_records import StoredRecord, parse_record
from pass_dataset.tfds.stored_shards import read_shard

__all__ = ["TfdsBuild", "find_build", "open_build"]

_INFO_NAME = "dataset_info.json"
_OURS = "pass_dataset."

#: Folders between a data folder and a build in it: ``<name>/<version>``, with a configuration
#: ``<name>/<config>/<version>``.
_DEPTHS = ("*", "*/*", "*/*/*")

#: TFDS writes a build under such a name before it gets its own.
_UNFINISHED = "incomplete"


@dataclass(frozen=True)
class TfdsBuild:
    """A finished build of TFDS, as `stored.builds.StoredBuild` has it.

    Attributes:
      folder: the version's folder, such as ``…/pass/3.0.0``.
      name: dataset name.
      config: name of the configuration, or None.
      version: ``X.Y.Z``.
      file_format: as TFDS names it: ``tfrecord``, ``array_record``, ``parquet``, ``riegeli``.
      shards: all files of records, of all splits, in order.
      builder: TFDS's own reader of the folder, a ``tfds.core.DatasetBuilder``.
    """

    folder: Path
    name: str
    config: str | None
    version: str
    file_format: str
    shards: tuple[StoredShard, ...]
    builder: Any

    @property
    def label(self) -> str:
        """``name/version`` or ``name/config/version``, as TFDS writes it."""
        return "/".join(filter(None, (self.name, self.config, self.version)))

    @property
    def parts(self) -> tuple[int, ...] | None:
        """Numbers of the tars it was made from, as its configuration says; None for all."""
        return parts_in(self.config)

    @property
    def limit(self) -> int | None:
        """How many images of these it has, the first ones, by its configuration; None for all."""
        return limit_in(self.config)

    @property
    def num_examples(self) -> int:
        """Number of records there should be."""
        return sum(shard.num_examples for shard in self.shards)

    @property
    def release(self) -> None:
        """It says no more than the version."""
        return None

    def records(self, shard: StoredShard) -> Iterator[StoredRecord | Damage]:
        """A shard's records without their images, and `Damage` where there is none."""
        for number, data in enumerate(read_shard(shard.path, self.file_format)):
            if isinstance(data, Damage) and data.ends_file:
                yield data
                return
            damage = data.detail if isinstance(data, Damage) else None
            serialized = data.data if isinstance(data, Damage) else data
            parsed = (
                "unreadable" if serialized is None else parse_record(serialized, number, damage)
            )
            if isinstance(parsed, StoredRecord):
                yield parsed
            else:
                yield Damage(damage or f"not an example of this dataset: {parsed}")

    def put_on_record(self) -> None:
        """Nothing asks for it."""


@dataclass(frozen=True, order=True)
class _Candidate:
    dataset: tuple[str, str]  # name and configuration
    version: tuple[int, ...]
    folder: Path


def find_build(path: str | os.PathLike[str], name: str | None = None) -> Path:
    """The folder of a build.

    Args:
      path: that folder itself, or a folder above it such as TFDS's ``data_dir``; then the newest
        version there is meant, of the whole dataset before any configuration of it.
      name: dataset to look for; None for any that this package builds.

    Raises:
      UnreadableBuildError: there is none, or there are several and they are not versions of one
        dataset.
    """
    root = Path(path).expanduser()
    if (root / _INFO_NAME).is_file():
        return root
    if not root.is_dir():
        raise UnreadableBuildError(
            f"{root}: expected a folder with a TFDS build, found "
            f"{'a file' if root.exists() else 'nothing'}"
        )
    candidates = sorted(_candidates(root, name))
    whole = [candidate for candidate in candidates if not candidate.dataset[1]]
    candidates = whole or candidates
    wanted = name or "pass or pass_mini"
    if not candidates:
        raise UnreadableBuildError(
            f"{root}: no build of {wanted} in it (no <name>/<version>/{_INFO_NAME}). Build one "
            f"with tfds.load({name or 'pass'!r}, data_dir={str(root)!r})"
        )
    if len({candidate.dataset for candidate in candidates}) > 1:
        listed = "\n".join(str(candidate.folder) for candidate in candidates)
        raise UnreadableBuildError(
            f"{root}: has builds of several datasets; name the folder of one: {listed}"
        )
    return candidates[-1].folder


def _candidates(root: Path, name: str | None) -> Iterator[_Candidate]:
    for depth in _DEPTHS:
        for path in root.glob(f"{depth}/{_INFO_NAME}"):
            below = path.relative_to(root).parts
            if any(part.startswith((_UNFINISHED, ".")) for part in below):
                continue
            try:
                info = json.loads(path.read_text(encoding="utf-8"))
                found = (str(info["name"]), str(info.get("configName", "")))
                ours = str(info.get("moduleName", "")).startswith(_OURS)
                version = tuple(int(number) for number in str(info["version"]).split("."))
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                continue  # some other tool's file of that name
            if found[0] == name or (name is None and ours):
                yield _Candidate(found, version, path.parent)


def open_build(path: str | os.PathLike[str], name: str | None = None) -> TfdsBuild:
    """Opens a build of any file format.

    Args:
      path, name: see `find_build`.

    Raises:
      UnreadableBuildError: there is none, or what describes it cannot be read.
      MissingExtraError: TFDS is not installed.
    """
    folder = find_build(path, name)
    tfds = require("tensorflow_datasets", feature="Reading a TFDS build", extra="tfds")
    try:
        builder = tfds.builder_from_directory(str(folder))
        info = builder.info
        shards = tuple(_shards(info.splits.values(), folder))
        file_format = str(info.file_format.value)
    # TFDS and the parsers under it document no errors of their own for a damaged description.
    except Exception as error:
        raise UnreadableBuildError(
            f"{folder}: the build's description ({_INFO_NAME}, features.json) cannot be read: "
            f"{error}. Build it again."
        ) from error
    return TfdsBuild(
        folder=folder,
        name=str(info.name),
        config=info.config_name or None,
        version=str(info.version),
        file_format=file_format,
        shards=shards,
        builder=builder,
    )


def _shards(splits: Sequence[Any], folder: Path) -> Iterator[StoredShard]:
    for split in splits:
        for path, length in zip(split.filepaths, split.shard_lengths, strict=True):
            require_inside(os.path.relpath(path, folder))
            yield StoredShard(Path(path), str(split.name), int(length))
