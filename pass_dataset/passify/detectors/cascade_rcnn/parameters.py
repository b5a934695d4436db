"""The names and shapes that the network needs of a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pass_dataset.errors import WeightsError

__all__ = [
    "BLOCKS",
    "LEVELS",
    "NUM_CLASSES",
    "PIXEL_MEAN",
    "STAGES",
    "expected_shapes",
    "needed_parameters",
]

#: Residual blocks of `res2` … `res5` in ResNet-50 (He et al. 2016, table 1).
BLOCKS = (3, 4, 6, 3)

#: Levels of the feature pyramid that have weights: strides 4 to 32.
LEVELS = (2, 3, 4, 5)

#: Classes of COCO; the scores have one more, for the background, in the last place.
NUM_CLASSES = 80

#: Stages of the cascade.
STAGES = 3

#: BGR, subtracted from the pixels; MODEL.PIXEL_MEAN of detectron2's defaults. PIXEL_STD is 1.
PIXEL_MEAN = (103.53, 116.28, 123.675)

_NORM = ("weight", "bias", "running_mean", "running_var")

#: What the published file has besides, and this network does not use: the mask head, and
#: constants that older versions of detectron2 stored.
_UNUSED = (
    "roi_heads.mask_head.",
    "proposal_generator.anchor_generator.cell_anchors.",
    "pixel_mean",
    "pixel_std",
)

#: Parameters that one error message lists.
_LISTED = 5


def expected_shapes() -> dict[str, tuple[int, ...]]:
    """Shapes of all parameters by detectron2's names."""
    return dict([*_resnet(), *_pyramid(), *_proposals(), *_heads()])


def _normed(name: str, shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", shape
    for part in _NORM:
        yield f"{name}.norm.{part}", shape[:1]


def _biased(name: str, shape: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _resnet() -> Iterator[tuple[str, tuple[int, ...]]]:
    yield from _normed("backbone.bottom_up.stem.conv1", (64, 3, 7, 7))
    inputs = 64
    for stage, blocks in enumerate(BLOCKS):
        middle = 64 << stage
        for block in range(blocks):
            name = f"backbone.bottom_up.res{stage + 2}.{block}"
            yield from _normed(f"{name}.conv1", (middle, inputs, 1, 1))
            yield from _normed(f"{name}.conv2", (middle, middle, 3, 3))
            yield from _normed(f"{name}.conv3", (4 * middle, middle, 1, 1))
            if block == 0:
                yield from _normed(f"{name}.shortcut", (4 * middle, inputs, 1, 1))
            inputs = 4 * middle


def _pyramid() -> Iterator[tuple[str, tuple[int, ...]]]:
    for level in LEVELS:
        yield from _biased(f"backbone.fpn_lateral{level}", (256, 64 << level, 1, 1))
        yield from _biased(f"backbone.fpn_output{level}", (256, 256, 3, 3))


def _proposals() -> Iterator[tuple[str, tuple[int, ...]]]:
    head = "proposal_generator.rpn_head"
    yield from _biased(f"{head}.conv", (256, 256, 3, 3))
    yield from _biased(f"{head}.objectness_logits", (3, 256, 1, 1))
    yield from _biased(f"{head}.anchor_deltas", (12, 256, 1, 1))


def _heads() -> Iterator[tuple[str, tuple[int, ...]]]:
    for stage in range(STAGES):
        yield from _biased(f"roi_heads.box_head.{stage}.fc1", (1024, 256 * 7 * 7))
        yield from _biased(f"roi_heads.box_head.{stage}.fc2", (1024, 1024))
        predictor = f"roi_heads.box_predictor.{stage}"
        yield from _biased(f"{predictor}.cls_score", (NUM_CLASSES + 1, 1024))
        yield from _biased(f"{predictor}.bbox_pred", (4, 1024))


def needed_parameters(
    arrays: Mapping[str, np.ndarray[Any, Any]], source: object
) -> dict[str, np.ndarray[Any, Any]]:
    """The network's own parameters of a checkpoint, checked.

    Args:
      arrays: all arrays of the checkpoint.
      source: the file, for messages.

    Raises:
      WeightsError: parameters are missing, have another shape, are no floating point numbers, or
        are not of this network.
    """
    shapes = expected_shapes()
    wrong = [_misfit(name, shape, arrays.get(name)) for name, shape in shapes.items()]
    wrong += [
        f"{name}: unknown" for name in arrays if name not in shapes and not name.startswith(_UNUSED)
    ]
    found = [message for message in wrong if message is not None]
    if found:
        more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise WeightsError(
            f"{source}: expected the parameters of cascade_mask_rcnn_R_50_FPN_3x, found others: "
            + "; ".join(found[:_LISTED])
            + more
        )
    return {name: arrays[name] for name in shapes}


def _misfit(name: str, shape: tuple[int, ...], array: np.ndarray[Any, Any] | None) -> str | None:
    if array is None:
        return f"{name}: missing"
    if array.shape != shape:
        return f"{name}: expected shape {shape}, found {array.shape}"
    if array.dtype.kind != "f":
        return f"{name}: expected floating point numbers, found {array.dtype}"
    return None
