"""Builds two small datasets with TFDS: ``python tfds_colours.py DATA_DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

import tensorflow_datasets as tfds

ROOT = Path(__file__).parent.parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.evaluate.pictures import COLOURS, picture  # noqa: E402


class Colours(tfds.core.GeneratorBasedBuilder):
    """A picture of each colour."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"image": tfds.features.Image(), **self.labels()}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def labels(self):
        return {"label": tfds.features.ClassLabel(names=list(COLOURS))}

    def _split_generators(self, dl_manager):
        return {"test": self._generate_examples()}

    def _generate_examples(self):
        for number, name in enumerate(COLOURS):
            path = Path(sys.argv[1]) / f"{name}.jpg"
            path.write_bytes(picture(name, number))
            told = dict.fromkeys(self.labels(), name)
            yield name, {"image": str(path), **told}


class NoColours(Colours):
    """Without labels."""

    VERSION = tfds.core.Version("1.0.0")

    def labels(self):
        return {}


if __name__ == "__main__":
    for builder in (Colours, NoColours):
        builder(data_dir=sys.argv[1]).download_and_prepare()
