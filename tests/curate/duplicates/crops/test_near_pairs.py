"""Pairs of near descriptors, gathered; and what becomes of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from pass_dataset.curate.duplicates.crops import near_pairs
from pass_dataset.curate.duplicates.crops.near_pairs import NearPairs, PairsGathered
from pass_dataset.curate.duplicates.crops.rows import DESCRIPTORS, WIDTH, column_of, rows_of
from pass_dataset.curate.duplicates.hashing import IMAGES
from pass_dataset.curate.duplicates.tiers import TIERS, CropSearch, find_pairs
from pass_dataset.curate.duplicates.unions import Numbers


def test_rows_come_back_from_a_column() -> None:
    """Pieces of it too; images without a descriptor have zeros."""
    rows = np.random.default_rng(1).normal(size=(9, WIDTH)).astype(np.float16)
    rows[[2, 7]] = 0
    column = column_of(rows)
    assert column.type == DESCRIPTORS.field(0).type
    assert column.null_count == 2
    np.testing.assert_array_equal(rows_of(pa.chunked_array([column[:3], column[3:]])), rows)
    np.testing.assert_array_equal(rows_of(pa.chunked_array([column[2:8]])), rows[2:8])


@pytest.mark.parametrize("many", [40, 10**9])
def test_of_each_image_the_nearest_pairs_stay(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the others are left out on the way."""
    monkeypatch.setattr(near_pairs, "MOST_NEAR", 2)
    monkeypatch.setattr(near_pairs, "_MANY", many)
    random = np.random.default_rng(2)
    rows = (random.normal(size=(30, WIDTH)) + 1.5).astype(np.float16)
    left, right = np.triu_indices(30, 1)
    gathered = PairsGathered()
    for some in np.array_split(random.permutation(len(left)), 7):
        gathered.add(rows, left[some], right[some], 0.6)
    found = gathered.found()
    exact = rows.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    cosine = exact @ exact.T
    np.fill_diagonal(cosine, -1)
    expected = {
        (min(one, other), max(one, other))
        for one in range(30)
        for other in np.argsort(-cosine[one])[:2].tolist()
    }
    assert set(zip(found.left.tolist(), found.right.tolist(), strict=True)) == expected
    assert found.left_out == int((cosine[left, right] >= 0.6).sum()) - len(expected)
    assert (np.diff(found.cosine) <= 0).all()
    np.testing.assert_allclose(found.cosine, cosine[found.left, found.right])


def test_crops_join_groups() -> None:
    """Those are not asked that are connected, nor those of which no image is ours."""
    count = 6
    columns = {field.name: pa.nulls(count, field.type) for field in IMAGES}
    columns["file"] = pa.array(
        [bytes([n]) * 16 for n in (0, 0, 2, 3, 4, 5)], IMAGES.field("file").type
    )
    columns["code"] = pa.array([bytes([n]) * 32 for n in range(count)], IMAGES.field("code").type)
    images = pa.table(columns, schema=IMAGES)
    asked: list[tuple[int, int]] = []

    def pairs(numbers: Numbers) -> NearPairs:
        assert numbers.tolist() == list(range(count))
        near = [(0, 1, 1.0), (2, 3, 0.95), (1, 2, 0.9), (0, 4, 0.8)]
        left, right, cosine = (np.array(column) for column in zip(*near, strict=True))
        return NearPairs(left, right, cosine, 17)

    def confirm(left: Numbers, right: Numbers) -> np.ndarray:
        asked.extend(zip(left.tolist(), right.tolist(), strict=True))
        return left != 0

    found = find_pairs(
        images, 5, radius=-1, confirm=lambda numbers: confirm, crops=CropSearch(pairs, confirm)
    )
    assert asked == [(2, 3), (1, 2), (0, 4)]
    crops = found.tier == TIERS.index("crop")
    assert list(zip(found.left[crops], found.right[crops], strict=True)) == [(1, 2), (2, 3)]
    np.testing.assert_allclose(found.cosine[crops], [0.9, 0.95], rtol=1e-6)
    assert found.distance[crops].tolist() == [-1, -1]
    assert np.isnan(found.cosine[~crops]).all()
    assert found.groups.tolist() == [0, 0, 0, 0, 4, 5]
    assert (found.refused, found.left_out) == (1, 17)
