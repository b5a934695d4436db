"""COCO by its annotations alone: each image has the address at Flickr that it was taken from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa

from pass_dataset.curate.duplicates.hashing import IMAGES
from pass_dataset.curate.duplicates.identity import of_address
from pass_dataset.curate.duplicates.index_file import HashIndex
from pass_dataset.errors import CurationError

__all__ = ["load_coco"]

_IMAGES = re.compile(r'"images"\s*:\s*(?=\[)')


def load_coco(path: Path, name: str = "coco") -> HashIndex:
    """Identities of the images that annotations are of, such as ``instances_train2017.json``.

    Only the list of images is parsed: annotations take gigabytes as objects.

    Raises:
      CurationError: it cannot be read, or has no images with `file_name` and `flickr_url`.
    """
    try:
        text = path.read_text(encoding="utf-8")
        found = _IMAGES.search(text)
        if found is None:
            raise ValueError("no list of images")
        images, _ = json.JSONDecoder().raw_decode(text, found.end())
        paths = [str(image["file_name"]) for image in images]
        known = [of_address(str(image["flickr_url"])) for image in images]
    except OSError as error:
        raise CurationError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CurationError(
            f"{path}: expected COCO's annotations, with file_name and flickr_url of each of its "
            f"images; found something else ({error})"
        ) from error
    columns: dict[str, pa.Array] = {
        "path": pa.array(paths, pa.string()),
        "photo_id": pa.array([one.photo_id for one in known], pa.string()),
        "address": pa.array([one.address for one in known], pa.string()),
    }
    for field in IMAGES:
        columns.setdefault(field.name, pa.nulls(len(paths), field.type))
    return HashIndex(name, pa.table(columns, schema=IMAGES))
