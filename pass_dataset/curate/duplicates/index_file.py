"""Index files: fingerprints of a collection that can be handed on, without any image.

A Parquet file with the columns of `hashing.IMAGES`, and `descriptor` where images were described
(`crops`); its metadata say what the collection is called, which hash the codes are, and what
described. It may have identities alone (`coco`). Names of images may be left
out: what is matched is then told by its row.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.curate.duplicates.crops.rows import (
    DESCRIPTOR_VERSION,
    DESCRIPTORS,
    WIDTH,
    Descriptors,
    Rows,
    column_of,
    rows_of,
)
from pass_dataset.curate.duplicates.crops.weights import same_weights
from pass_dataset.curate.duplicates.hashing import IMAGES
from pass_dataset.curate.duplicates.perceptual import HASH_VERSION
from pass_dataset.errors import CurationError
from pass_dataset.files.whole import writing_whole

__all__ = ["HashIndex", "load_index", "rows_beside", "save_index"]

logger = logging.getLogger(__name__)

_KEY = b"pass_dataset_hashes"
_SCHEMA_NUMBER = 1


@dataclass(frozen=True)
class HashIndex:
    """Fingerprints of a collection.

    Attributes:
      name: what it is called.
      images: with the columns of `IMAGES`.
      descriptors: of the images; None: they were not described.
    """

    name: str
    images: pa.Table
    descriptors: Descriptors | None = None


def save_index(index: HashIndex, path: Path, *, names: bool = True) -> None:
    """Writes an index file, whole.

    Args:
      index: what is written.
      path: the file.
      names: with the names of images; without, it has their rows' numbers.

    Raises:
      OSError: it cannot be written.
    """
    images = index.images
    if not names:
        numbers = pa.array([str(row) for row in range(images.num_rows)])
        images = images.set_column(0, IMAGES[0], pa.chunked_array([numbers]))
    content: dict[str, object] = {
        "schema": _SCHEMA_NUMBER,
        "name": index.name,
        "hash_version": HASH_VERSION,
    }
    if index.descriptors is not None:
        images = images.append_column(DESCRIPTORS.field(0), column_of(index.descriptors.rows))
        content["described_by"] = [DESCRIPTOR_VERSION, index.descriptors.sha256]
    metadata = {_KEY: json.dumps(content).encode()}
    with writing_whole(path) as file:
        pq.write_table(images.replace_schema_metadata(metadata), file, compression="zstd")


def _descriptors(path: Path, table: pa.Table, content: dict[str, Any]) -> Descriptors | None:
    """Those that an index has.

    Raises:
      CurationError: they were made in another way.
    """
    if "described_by" not in content:
        return None
    version, sha256 = map(str, content["described_by"])
    if version != DESCRIPTOR_VERSION:
        raise CurationError(
            f"{path}: images were described in another way, {version!r}; expected "
            f"{DESCRIPTOR_VERSION!r}. pass-curate hash SOURCE --crops WEIGHTS --out FILE makes one"
        )
    column = table["descriptor"].cast(DESCRIPTORS.field(0).type)
    return Descriptors(sha256, rows_of(column))


def load_index(path: Path) -> HashIndex:
    """Reads an index file.

    Raises:
      CurationError: it cannot be read, is no index, or has codes of another version of the hash.
    """
    expected = "pass-curate hash SOURCE --out FILE makes one"
    try:
        table = pq.read_table(path, partitioning=None)
        content = json.loads((table.schema.metadata or {})[_KEY])
        if content["schema"] != _SCHEMA_NUMBER:
            raise CurationError(
                f"{path}: an index of hashes of schema {content['schema']}; this version reads "
                f"{_SCHEMA_NUMBER}"
            )
        if content["hash_version"] != HASH_VERSION:
            raise CurationError(
                f"{path}: has hashes of another version, {content['hash_version']!r}; expected "
                f"{HASH_VERSION!r}. {expected}"
            )
        images = table.select(IMAGES.names).cast(IMAGES)
        return HashIndex(str(content["name"]), images, _descriptors(path, table, content))
    except FileNotFoundError:
        raise CurationError(f"{path}: is not there; {expected}") from None
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise CurationError(
            f"{path}: expected an index of hashes, found something else ({error}); {expected}"
        ) from error


def rows_beside(described: Descriptors, against: Sequence[HashIndex]) -> Rows:
    """Descriptors of one's own images and of other sets, in order.

    Zeros where a set has none, which is said.

    Raises:
      WeightsError: a set was described with other weights.
    """
    own = len(described.rows)
    rows = np.zeros((own + sum(one.images.num_rows for one in against), WIDTH), np.float16)
    rows[:own] = described.rows
    start = own
    for index in against:
        end = start + index.images.num_rows
        if index.descriptors is None:
            logger.warning(
                "%s: has no descriptors, so crops are not looked for in it: pass-curate hash "
                "SOURCE --crops WEIGHTS --out FILE makes an index that has",
                index.name,
            )
        else:
            remedy = "Name those, or make the index anew: pass-curate hash SOURCE --crops WEIGHTS"
            same_weights(index.name, index.descriptors.sha256, described.sha256, remedy)
            rows[start:end] = index.descriptors.rows
        start = end
    return rows
