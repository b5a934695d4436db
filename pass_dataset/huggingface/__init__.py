"""PASS for Hugging Face `datasets`: `datasets.load_dataset('pass')`.

features         columns, their old names, and a record as a row
configs          releases, parts and collections of the user's own, each cached apart
removing         data that was built before, without the images on removal lists
tables           records as Arrow tables, read straight from the tars
archive_builder  what the builders of `pass` and `pass_mini` share
builder          the builder of `pass`
"""

from __future__ import annotations

from pass_dataset.huggingface.builder import Pass
from pass_dataset.huggingface.configs import PassConfig
from pass_dataset.huggingface.features import (
    CITATION,
    FEATURES,
    HOMEPAGE,
    LICENSE,
    OLD_COLUMNS,
    example,
)

__all__ = [
    "CITATION",
    "FEATURES",
    "HOMEPAGE",
    "LICENSE",
    "OLD_COLUMNS",
    "Pass",
    "PassConfig",
    "example",
]
