from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pass_dataset.errors import WeightsError
from pass_dataset.passify.detectors.cascade_rcnn.parameters import (
    expected_shapes,
    needed_parameters,
)


@pytest.fixture
def arrays() -> dict[str, np.ndarray[Any, Any]]:
    """Right shapes, and no memory."""
    return {
        name: np.broadcast_to(np.float32(0), shape) for name, shape in expected_shapes().items()
    }


def test_shapes_are_those_of_the_published_network(shared: Path) -> None:
    spec = json.loads((shared / "golden" / "cascade_rcnn_spec.json").read_text())
    published = {name: tuple(shape) for name, shape in spec["parameters"].items()}
    without_masks = {n: s for n, s in published.items() if not n.startswith("roi_heads.mask_head")}
    assert expected_shapes() == without_masks


def test_what_is_not_used_may_be_there(arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    more = {
        "roi_heads.mask_head.predictor.weight": np.zeros(1),
        "proposal_generator.anchor_generator.cell_anchors.0": np.zeros((3, 4)),
        "pixel_mean": np.zeros(3),
    }
    assert needed_parameters({**arrays, **more}, "file").keys() == arrays.keys()


def test_wrong_parameters_are_named(arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    stem = "backbone.bottom_up.stem.conv1.weight"
    arrays[stem] = np.zeros((64, 3, 3, 3), np.float32)
    with pytest.raises(WeightsError) as caught:
        needed_parameters(arrays, "file.pkl")
    assert str(caught.value) == (
        "file.pkl: expected the parameters of cascade_mask_rcnn_R_50_FPN_3x, found others: "
        f"{stem}: expected shape (64, 3, 7, 7), found (64, 3, 3, 3)"
    )
    del arrays[stem]
    arrays["extra.weight"] = np.zeros(1)
    arrays["roi_heads.box_head.0.fc1.bias"] = np.zeros(1024, np.int64)
    with pytest.raises(WeightsError) as caught:
        needed_parameters(arrays, "file.pkl")
    for part in (f"{stem}: missing", "extra.weight: unknown", "numbers, found int64"):
        assert part in str(caught.value)
    with pytest.raises(WeightsError, match=r"and [0-9]+ more$"):
        needed_parameters({}, "file.pkl")
