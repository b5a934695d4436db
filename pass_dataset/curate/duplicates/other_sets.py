"""Other sets that images are compared with: by index files, and COCO by its annotations."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from pass_dataset.curate.duplicates.coco import load_coco
from pass_dataset.curate.duplicates.finding import DuplicatesSettings
from pass_dataset.curate.duplicates.index_file import HashIndex, load_index

__all__ = ["index_sha256", "other_sets"]


def other_sets(settings: DuplicatesSettings) -> list[HashIndex]:
    """The sets that settings name; several annotations of COCO together are one.

    Raises:
      CurationError: a file cannot be read, or is none such.
    """
    indexes = [load_index(Path(path)) for path in settings.against]
    if settings.coco:
        tables = [load_coco(Path(path)).images for path in settings.coco]
        indexes.append(HashIndex("coco", pa.concat_tables(tables)))
    return indexes


def index_sha256(index: HashIndex) -> str:
    """Of what an index says, wherever its file is, and however it is compressed."""
    digest = hashlib.sha256()
    for batch in index.images.combine_chunks().to_batches():
        digest.update(batch.serialize())
    if index.descriptors is not None:
        digest.update(index.descriptors.sha256.encode())
        digest.update(index.descriptors.rows.data)
    return digest.hexdigest()
