"""`tfds.load('pass_mini')`: the mini release, with the features of `pass`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from pass_dataset.mini import CHECKSUMS
from pass_dataset.provision import open_mini
from pass_dataset.records import PassArchive
from pass_dataset.releases import read_release
from pass_dataset.tfds import pass_dataset_builder

__all__ = ["Builder"]


class Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """The mini release for TensorFlow Datasets."""

    VERSION = tfds.core.Version(read_release(CHECKSUMS).version)
    RELEASE_NOTES = {str(VERSION): "Initial release."}  # noqa: RUF012  (the library's interface)

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=pass_dataset_builder.features(),
            supervised_keys=None,
            homepage=pass_dataset_builder.HOMEPAGE,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        return {"train": self._generate_examples(open_mini())}

    def _generate_examples(self, archive: PassArchive) -> Iterator[tuple[str, dict[str, Any]]]:
        return pass_dataset_builder.generate_examples(archive)
