"""`tfds.load('pass')`: a thin reader of an archive folder.

Archives are read from ``DownloadConfig(manual_dir=…)``, else from the folder named by
``PASS_ARCHIVES``, else from ``<download_dir>/pass/<version>``; what is missing there is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from pass_dataset import folders
from pass_dataset.provision import provide
from pass_dataset.records import ImageRecord, PassArchive
from pass_dataset.releases import OFFICIAL_VERSIONS, Release, official_release

__all__ = ["HOMEPAGE", "Builder", "example", "features", "generate_examples"]

HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/pass/"


def features() -> tfds.features.FeaturesDict:
    """The features as the TFDS catalog lists them for `pass`."""
    return tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(
                shape=(None, None, 3), dtype=np.uint8, doc="The photograph, RGB."
            ),
            "image/creator_uname": tfds.features.Text(
                doc="User name of the photographer, URL-encoded as in the metadata CSV."
            ),
            "image/date_taken": tfds.features.Text(
                doc="When it was taken, such as '2007-05-06 06:11:48.0'; '' if not known."
            ),
            "image/gps_lat": tfds.features.Scalar(
                np.float32,
                doc=tfds.features.Documentation("Latitude; NaN if not known.", "degrees"),
            ),
            "image/gps_lon": tfds.features.Scalar(
                np.float32,
                doc=tfds.features.Documentation("Longitude; NaN if not known.", "degrees"),
            ),
            "image/hash": tfds.features.Text(
                doc="Hexadecimal text that names the image, as in YFCC-100M."
            ),
        }
    )


def example(record: ImageRecord) -> dict[str, Any]:
    """A record as an example with `features`; the JPEG's bytes as they are."""
    return {
        "image": record.jpeg,
        "image/creator_uname": record.creator or "",
        "image/date_taken": record.date_taken_text or "",
        "image/gps_lat": np.nan if record.latitude is None else record.latitude,
        "image/gps_lon": np.nan if record.longitude is None else record.longitude,
        "image/hash": record.hash,
    }


def generate_examples(archive: PassArchive) -> Iterator[tuple[str, dict[str, Any]]]:
    """Examples keyed by hash."""
    for record in archive:
        yield record.hash, example(record)


class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """PASS for TensorFlow Datasets, in place of TFDS's own `pass`."""

    VERSION = tfds.core.Version(OFFICIAL_VERSIONS[-1])
    SUPPORTED_VERSIONS = [  # noqa: RUF012  (the library's interface)
        tfds.core.Version(version) for version in reversed(OFFICIAL_VERSIONS[:-1])
    ]
    RELEASE_NOTES = {  # noqa: RUF012
        version: official_release(version).changes for version in OFFICIAL_VERSIONS
    }

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=features(), supervised_keys=None, homepage=HOMEPAGE
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        release = official_release(str(self.version))
        default = Path(dl_manager.download_dir) / "pass" / release.version
        archive = provide(release, given=_manual_folder(dl_manager, release), default=default)
        return {"train": self._generate_examples(archive)}

    def _generate_examples(self, archive: PassArchive) -> Iterator[tuple[str, dict[str, Any]]]:
        return generate_examples(archive)


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
    put_here = folders.archive_folder(release, folder, folder)
    found = any((put_here / file.filename).exists() for file in release.files)
    return folder if found else None
