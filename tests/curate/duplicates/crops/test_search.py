"""Near descriptors are found exactly: all that comparing each with each finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pass_dataset.curate.duplicates.crops import search
from pass_dataset.curate.duplicates.crops.rows import WIDTH, Rows
from pass_dataset.curate.duplicates.crops.search import near_pairs

pytestmark = pytest.mark.slow


def test_products_have_all_bits_of_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a training asked for: with fewer, pairs near the bound would be lost on GPUs."""
    seen: list[tuple[str, bool]] = []
    unit = search._unit

    def looking(rows: Rows, device: str) -> torch.Tensor:
        seen.append((torch.get_float32_matmul_precision(), torch.is_inference_mode_enabled()))
        return unit(rows, device)

    monkeypatch.setattr(search, "_unit", looking)
    rows = np.eye(3, WIDTH, dtype=np.float16)
    torch.set_float32_matmul_precision("high")
    try:
        near_pairs(rows, np.arange(3), 3, 0.75, device="cpu")
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert seen and set(seen) == {("highest", True)}


@pytest.mark.parametrize("blocks", [(2048, 8192), (64, 96), (50, 30)])
def test_all_pairs_are_found(blocks: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """In blocks of any size, with images that are not looked at, and others that are not ours."""
    monkeypatch.setattr(search, "_LEFT", blocks[0])
    monkeypatch.setattr(search, "_RIGHT", blocks[1])
    random = np.random.default_rng(3)
    centres = random.normal(size=(60, WIDTH))
    near = centres[random.integers(0, 60, 300)] + random.normal(size=(300, WIDTH)) * 0.55
    rows = near / np.linalg.norm(near, axis=1, keepdims=True)
    exact, kept = rows @ rows.T, rows.astype(np.float16)
    kept[11] = 0
    numbers = np.setdiff1d(np.arange(300), [5, 250])
    found = near_pairs(kept, numbers, 200, 0.75, device="cpu")
    left, right = np.triu_indices(300, 1)
    both = np.isin(left, numbers) & np.isin(right, numbers) & (left < 200)
    expected = both & (exact[left, right] >= 0.75) & (left != 11) & (right != 11)
    # Half of those planted are near the bound: half precision moves none of them across.
    assert 100 < expected.sum() < (left < 200).sum() / 10
    pairs = set(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert pairs == set(zip(left[expected].tolist(), right[expected].tolist(), strict=True))
    assert found.left_out == 0
    np.testing.assert_allclose(found.cosine, exact[found.left, found.right], atol=1e-4)
