"""PyTorch: training straight from the tars, without extracting or copying them.

    from pass_dataset.torch import PASS, PassStream

    dataset = PASS("/data/pass", transform=transform, target=None)             # map-style
    stream = PassStream("/data/pass", transform=transform, target=None, batch_size=256)  # iterable

dataset   PASS: any image by its position, as in `torchvision.datasets`
stream    PassStream: an epoch in an order that is nearly random and reads nearly sequentially
order     that order, fixed by seed and epoch, and a measure of how random it is
epochs    which epoch a pass is of
state     where a stream is, as plain numbers
spans     stretches of the order: what is left of an epoch, and its shares
ranks     which process of a distributed training this is
base      what both have in common
examples  from a position to the image and target that users get
images    decoding
jpegs     JPEGs handed over as they are, a batch in one tensor
rows      rows of `datasets` as batches: JPEGs in one tensor
slots     memory that workers hand batches over in, again and again
readahead blocks announced before they are read
positions images by position: bytes, metadata, and what is read next told to the system
readers   its entry in the catalogue of readers
opening   which images: archive folder, release, parts, and the list of those to keep
views     random crops, recoloured and blurred, for self-supervised training
checkpoints  a checkpoint file read without running what is in it
imagenet  what networks normalise images by
inference networks at work, in float32 that is float32
loaders   what PyTorch's loader does not tell a dataset
tallies   numbers that all processes of a loader see
whole_numbers  whole numbers as the user gave them, checked
"""

from __future__ import annotations

import importlib
import logging
import sys
from typing import TYPE_CHECKING, Any

from pass_dataset.extras import require

if TYPE_CHECKING:
    from pass_dataset.torch.dataset import PASS
    from pass_dataset.torch.jpegs import JpegBatch, JpegTensor
    from pass_dataset.torch.rows import collate_rows
    from pass_dataset.torch.stream import PassStream

__all__ = ["PASS", "JpegBatch", "JpegTensor", "PassStream", "collate_rows"]

logger = logging.getLogger(__name__)

#: Public name to the module that has it. Loaded on first use: the catalogue of readers looks into
#: this package, and PyTorch takes seconds.
_HOMES = {
    "PASS": "dataset",
    "JpegBatch": "jpegs",
    "JpegTensor": "jpegs",
    "PassStream": "stream",
    "collate_rows": "rows",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if "tensorflow" in sys.modules and "torch" not in sys.modules:
        logger.warning(
            "TensorFlow was imported before PyTorch: with some versions of both the process ends "
            "when torchvision is imported. Import torch and torchvision first"
        )
    for package in ("torch", "PIL"):  # what is missing is said first
        require(package, feature="pass_dataset.torch", extra="torch")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
