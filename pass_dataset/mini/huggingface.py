"""`datasets.load_dataset('pass_mini')`: the mini release, with the features of `pass`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import datasets

# The module and not the class: the library takes the first builder class it finds in a module.
from pass_dataset import huggingface
from pass_dataset.mini import CHECKSUMS
from pass_dataset.provision import open_mini
from pass_dataset.records import PassArchive
from pass_dataset.releases import read_release

__all__ = ["PassMini"]


class PassMini(datasets.GeneratorBasedBuilder):
    """The mini release for Hugging Face `datasets`."""

    VERSION = datasets.Version(read_release(CHECKSUMS).version)

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description="64 drawn pictures in the layout of PASS, for trying things out.",
            features=huggingface.FEATURES,
            homepage=huggingface.HOMEPAGE,
            citation=huggingface.CITATION,
            license="https://creativecommons.org/licenses/by/4.0/",
        )

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        return [huggingface.train_split(open_mini())]

    def _generate_examples(
        self, archive: PassArchive, ranges: list[tuple[int, int]]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        return huggingface.generate_examples(archive, ranges)
