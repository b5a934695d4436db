"""The columns are those of `datasets`, though written down without it."""

from __future__ import annotations

import json

import pytest

from pass_dataset.parquet.schema import FEATURES, arrow_schema

datasets = pytest.importorskip("datasets")


def test_schema_is_that_of_datasets() -> None:
    from pass_dataset.huggingface.features import FEATURES as THEIRS

    ours, theirs = arrow_schema(), THEIRS.arrow_schema
    assert ours.equals(theirs)
    assert datasets.Features.from_arrow_schema(ours) == THEIRS
    assert json.loads(ours.metadata[b"huggingface"]) == json.loads(theirs.metadata[b"huggingface"])


def test_yaml_is_that_of_datasets() -> None:
    from pass_dataset.huggingface.features import FEATURES as THEIRS

    assert [{"name": name, "dtype": kind} for name, kind in FEATURES.items()] == (
        THEIRS._to_yaml_list()
    )
