from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pooling = pytest.importorskip("pass_dataset.passify.detectors.cascade_rcnn.pooling")


def regions(count: int, images: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes of all sizes, at and over the edges of 800×1088 pixels; some without area."""
    generator = torch.Generator().manual_seed(1)
    centre = torch.rand(count, 2, generator=generator) * torch.tensor([1100.0, 820.0])
    side = 2 ** (torch.rand(count, 2, generator=generator) * 10)
    boxes = torch.cat((centre - side / 2, centre + side / 2), 1)
    boxes[: count // 2] = boxes[: count // 2].clamp(min=0).minimum(torch.tensor([1067.0, 800] * 2))
    boxes[:3, 2] = boxes[:3, 0]
    boxes[3] = torch.tensor([0.0, 0, 1067, 800])
    return boxes, torch.arange(count) % images


def test_weighted_rows_are_roi_align() -> None:
    boxes, image_of = regions(400, 2)
    generator = torch.Generator().manual_seed(2)
    pyramid = [
        torch.randn(2, 16, 800 // stride, 1088 // stride, generator=generator).contiguous(
            memory_format=torch.channels_last
        )
        for stride in pooling.STRIDES_PX
    ]
    assert set(pooling.levels_of(boxes).tolist()) == {0, 1, 2, 3}
    expected, order = pooling.AlignedRois(pyramid)(boxes, image_of)
    assert order is None
    found, order = pooling.WeightedRows(pyramid)(boxes, image_of)
    assert sorted(order.tolist()) == list(range(400))
    assert expected.abs().max() > 1
    assert (expected[:3] == 0).all()
    torch.testing.assert_close(found, expected[order], atol=1e-4, rtol=0)


def test_no_regions() -> None:
    pyramid = [torch.zeros(1, 16, 8, 8) for _ in pooling.STRIDES_PX]
    none = torch.zeros(0, 4), torch.zeros(0, dtype=torch.long)
    assert pooling.AlignedRois(pyramid)(*none).features.shape == (0, 784)
    assert pooling.WeightedRows(pyramid)(*none).features.shape == (0, 784)


def test_levels() -> None:
    sides = torch.tensor([1.0, 111, 113, 223, 225, 447, 449, 2000])
    boxes = torch.stack((sides * 0, sides * 0, sides, sides), 1)
    assert pooling.levels_of(boxes).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
