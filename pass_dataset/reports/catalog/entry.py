"""What the catalog says of a dataset, read from a build: text and numbers, no pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pass_dataset.archives import mini
from pass_dataset.extras import require
from pass_dataset.releases.config_names import own_release_in
from pass_dataset.releases.release import OFFICIAL_VERSIONS, official_release, read_release
from pass_dataset.tfds.stored import TfdsBuild

__all__ = ["CatalogEntry", "FeatureRow", "SplitRow", "VersionRow", "describe_build"]


@dataclass(frozen=True)
class VersionRow:
    """A version of the dataset.

    Attributes:
      version: ``X.Y.Z``.
      notes: what changed, or None.
      is_default: a user who names no version gets it.
      is_this: the build has it.
    """

    version: str
    notes: str | None
    is_default: bool
    is_this: bool


@dataclass(frozen=True)
class SplitRow:
    """A split: its name, number of examples, files, and bytes of these."""

    name: str
    num_examples: int
    num_shards: int
    size_bytes: int


@dataclass(frozen=True)
class FeatureRow:
    """A feature as TFDS's catalog documents it; '' where there is nothing to say.

    Attributes:
      name: '' for the outermost dictionary.
      class_name: class of ``tfds.features``.
      shape, dtype: as TFDS prints them.
      description: what it means.
      value_range: range or unit.
    """

    name: str
    class_name: str
    shape: str
    dtype: str
    description: str
    value_range: str


@dataclass(frozen=True)
class CatalogEntry:
    """All that the page says.

    Attributes:
      name, config, version: as in `TfdsBuild`.
      description, config_description: text in paragraphs; code in backticks.
      homepage: address, or None.
      source: module and class of the builder.
      license: its name or address, or None.
      versions: oldest first.
      download_bytes: size of the files of the release, or None if not known.
      dataset_bytes: size of the shards.
      file_format: of the shards.
      auto_cached: ``Yes``, ``No``, or for which splits, as TFDS's documentation says it.
      splits: by name.
      feature_structure: the features as code.
      features: by name.
      supervised_keys: as TFDS prints them.
      citation: BibTeX, or ''.
    """

    name: str
    config: str | None
    version: str
    description: str
    config_description: str
    homepage: str | None
    source: str
    license: str | None
    versions: tuple[VersionRow, ...]
    download_bytes: int | None
    dataset_bytes: int
    file_format: str
    auto_cached: str
    splits: tuple[SplitRow, ...]
    feature_structure: str
    features: tuple[FeatureRow, ...]
    supervised_keys: str
    citation: str


def describe_build(build: TfdsBuild) -> CatalogEntry:
    """Reads a build's description.

    Raises:
      MissingExtraError: TFDS is not installed.
    """
    info = build.builder.info
    # Versions of this package before 0.10 wrote into every build what is true of PASS alone.
    is_of_pass = _is_of_pass(build)
    says_too_much = own_release_in(build.config) is not None and bool(info.citation)
    return CatalogEntry(
        name=build.name,
        config=build.config,
        version=build.version,
        description="" if says_too_much else info.description,
        config_description=info.config_description or "",
        homepage=(info.homepage or None) if is_of_pass else None,
        source=f"{info.as_proto.module_name}.Builder",
        license=info.as_proto.redistribution_info.license or None,
        versions=tuple(_versions(build)),
        download_bytes=int(info.download_size or 0) or _release_bytes(build),
        dataset_bytes=int(info.dataset_size or 0),
        file_format=build.file_format,
        auto_cached=_auto_cached(build.builder),
        splits=tuple(
            SplitRow(name, split.num_examples, split.num_shards, int(split.num_bytes))
            for name, split in sorted(info.splits.items())
        ),
        feature_structure=str(info.features),
        features=tuple(_features(info.features)),
        supervised_keys=str(info.supervised_keys),
        citation=info.citation if is_of_pass else "",
    )


def _is_of_pass(build: TfdsBuild) -> bool:
    """False for what our builders make of anything else; others' builds say what they like."""
    is_ours = str(build.builder.info.as_proto.module_name).startswith("pass_dataset.")
    return not is_ours or (build.name == "pass" and own_release_in(build.config) is None)


def _versions(build: TfdsBuild) -> Iterator[VersionRow]:
    """Those of the installed builder; of another's build, what the build itself tells.

    A collection of the user's own has a version of its own, and no history that is known.
    """
    if own_release_in(build.config) is not None:
        told = build.builder.info
        notes = None if told.citation else dict(told.release_notes or {}).get(build.version)
        yield VersionRow(build.version, notes, is_default=True, is_this=True)
        return
    tfds = require("tensorflow_datasets", feature="The catalog page", extra="tfds")
    notes = dict(build.builder.info.release_notes or {})
    versions, default = {build.version, *notes}, build.version
    try:
        installed = tfds.builder_cls(build.name)
    except tfds.core.DatasetNotFoundError:
        installed = None
    # A dataset of that name may be another package's.
    if installed is not None and installed.__module__ == build.builder.info.as_proto.module_name:
        default = str(installed.VERSION)
        versions |= {default, *map(str, installed.SUPPORTED_VERSIONS)}
        notes |= installed.RELEASE_NOTES
    for version in sorted(versions, key=tfds.core.Version):
        yield VersionRow(
            version, notes.get(version), version == default, is_this=version == build.version
        )


def _release_bytes(build: TfdsBuild) -> int | None:
    """Size of the release's files, which this package fetches without TFDS counting them."""
    if build.config is None and build.name == "pass" and build.version in OFFICIAL_VERSIONS:
        return official_release(build.version).size_bytes
    if build.name == "pass_mini":
        return read_release(mini.CHECKSUMS).size_bytes
    return None


def _auto_cached(builder: Any) -> str:
    tfds = require("tensorflow_datasets", feature="The catalog page", extra="tfds")

    def is_cached(split: str, shuffle: bool) -> bool:
        # Private, but what TFDS's own documentation asks; nothing public answers it.
        return bool(
            builder._should_cache_ds(split, shuffle_files=shuffle, read_config=tfds.ReadConfig())
        )

    answers: dict[str, list[str]] = {}
    for split in sorted(builder.info.splits):
        if is_cached(split, shuffle=True):
            answer = "Yes"
        elif is_cached(split, shuffle=False):
            answer = "Only when `shuffle_files=False`"
        else:
            answer = "No"
        answers.setdefault(answer, []).append(split)
    if len(answers) == 1:
        return next(iter(answers))
    return ", ".join(f"{answer} ({', '.join(splits)})" for answer, splits in answers.items())


def _features(features: Any) -> Iterator[FeatureRow]:
    documented = sorted(features.catalog_documentation(), key=lambda feature: str(feature.name))
    for feature in documented:
        tensor = feature.tensor_info
        yield FeatureRow(
            name=feature.name or "",
            class_name=feature.cls_name or "",
            shape=str(tensor.shape) if tensor and tensor.shape else "",
            dtype=_dtype_name(tensor.np_dtype) if tensor else "",
            description=feature.description or "",
            value_range=feature.value_range or "",
        )


def _dtype_name(dtype: Any) -> str:
    # TFDS keeps text as NumPy's object and calls it string.
    name = str(getattr(dtype, "__name__", dtype))
    return "string" if name in ("object_", "object", "str_", "bytes_") else name
