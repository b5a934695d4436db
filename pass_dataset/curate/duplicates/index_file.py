"""Index files: fingerprints of a collection that can be handed on, without any image.

A Parquet file with the columns of `hashing.IMAGES`; its metadata say what the collection is called
and which hash the codes are. It may have identities alone (`coco`). Names of images may be left
out: what is matched is then told by its row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pass_dataset.curate.duplicates.hashing import IMAGES
from pass_dataset.curate.duplicates.perceptual import HASH_VERSION
from pass_dataset.errors import CurationError
from pass_dataset.files.whole import writing_whole

__all__ = ["HashIndex", "load_index", "save_index"]

_KEY = b"pass_dataset_hashes"
_SCHEMA_NUMBER = 1


@dataclass(frozen=True)
class HashIndex:
    """Fingerprints of a collection.

    Attributes:
      name: what it is called.
      images: with the columns of `IMAGES`.
    """

    name: str
    images: pa.Table


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
    content = {"schema": _SCHEMA_NUMBER, "name": index.name, "hash_version": HASH_VERSION}
    metadata = {_KEY: json.dumps(content).encode()}
    with writing_whole(path) as file:
        pq.write_table(images.replace_schema_metadata(metadata), file, compression="zstd")


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
        return HashIndex(str(content["name"]), table.cast(IMAGES))
    except FileNotFoundError:
        raise CurationError(f"{path}: is not there; {expected}") from None
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise CurationError(
            f"{path}: expected an index of hashes, found something else ({error}); {expected}"
        ) from error
