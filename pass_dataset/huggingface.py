"""`datasets.load_dataset('pass')`: a thin reader of an archive folder.

Configurations are the releases: ``load_dataset('pass', '2.0.0')``. Archives are read from
``data_dir=``, else from the folder named by ``PASS_ARCHIVES``, else from the library's download
folder; what is missing there is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets

from pass_dataset.errors import FolderError
from pass_dataset.folders import archive_folder
from pass_dataset.provision import provide
from pass_dataset.records import ImageRecord, PassArchive, shard_bounds
from pass_dataset.releases import DEFAULT_VERSION, OFFICIAL_VERSIONS, official_release

__all__ = [
    "CITATION",
    "FEATURES",
    "HOMEPAGE",
    "Pass",
    "PassConfig",
    "example",
    "generate_examples",
    "row_ranges",
    "train_split",
]

HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/pass/"

CITATION = """\
@inproceedings{asano21pass,
  author    = {Yuki M. Asano and Christian Rupprecht and Andrew Zisserman and Andrea Vedaldi},
  title     = {PASS: An ImageNet replacement for self-supervised pretraining without humans},
  booktitle = {NeurIPS Track on Datasets and Benchmarks},
  year      = {2021}
}
"""

FEATURES = datasets.Features(
    {
        "image": datasets.Image(),
        "creator_uname": datasets.Value("string"),
        "hash": datasets.Value("string"),
        "gps_lat": datasets.Value("float32"),
        "gps_lon": datasets.Value("float32"),
        "date_taken": datasets.Value("timestamp[us]"),
    }
)

#: Pieces that the records are cut into for `num_proc` workers; far more than a machine has cores.
_SHARDS = 256


@dataclass
class PassConfig(datasets.BuilderConfig):
    """A release of PASS."""


def example(record: ImageRecord) -> dict[str, Any]:
    """A record as a row with `FEATURES`; the JPEG's bytes as they are."""
    return {
        "image": {"bytes": record.jpeg, "path": f"{record.hash}.jpg"},
        "creator_uname": record.creator,
        "hash": record.hash,
        "gps_lat": record.latitude,
        "gps_lon": record.longitude,
        "date_taken": record.date_taken,
    }


def row_ranges(length: int, shards: int = _SHARDS) -> list[tuple[int, int]]:
    """First and last-plus-one position of nearly equal, non-empty pieces."""
    count = min(shards, length)
    return [shard_bounds(length, (number, count)) for number in range(count)]


class Pass(datasets.GeneratorBasedBuilder):
    """PASS for Hugging Face `datasets`."""

    BUILDER_CONFIG_CLASS = PassConfig
    BUILDER_CONFIGS = [  # noqa: RUF012  (the library's interface)
        PassConfig(
            name=version,
            version=datasets.Version(version),
            description=f"PASS {version}, {official_release(version).num_examples:,} images",
        )
        for version in OFFICIAL_VERSIONS
    ]
    DEFAULT_CONFIG_NAME = DEFAULT_VERSION

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description="PASS: 1.44 million CC-BY photographs without people.",
            features=FEATURES,
            homepage=HOMEPAGE,
            citation=CITATION,
            license="https://creativecommons.org/licenses/by/4.0/",
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        release = official_release(str(self.config.version))
        default = Path(datasets.config.DOWNLOADED_DATASETS_PATH) / "pass" / release.version
        folder = archive_folder(release.version, self.config.data_dir, default)
        if dl_manager.is_streaming and not folder.is_dir():
            raise FolderError(
                f"{folder}: streaming reads archives that are here, and there are none. Fetch "
                f"them first with: pass-dataset download {folder} --release {release.version}"
            )
        archive = provide(release, given=folder, default=default)
        return [train_split(archive)]

    def _generate_examples(
        self, archive: PassArchive, ranges: list[tuple[int, int]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        return generate_examples(archive, ranges)


def train_split(archive: PassArchive) -> datasets.SplitGenerator:
    # Workers share out what is a list, so the ranges are one, and the archive is not.
    ranges = row_ranges(len(archive))
    return datasets.SplitGenerator(
        name=str(datasets.Split.TRAIN), gen_kwargs={"archive": archive, "ranges": ranges}
    )


def generate_examples(
    archive: PassArchive, ranges: list[tuple[int, int]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Rows of some ranges of positions, keyed by hash."""
    for first, last in ranges:
        for record in archive[first:last]:
            yield record.hash, example(record)
