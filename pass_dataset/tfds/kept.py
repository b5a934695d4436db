"""Builds of TFDS read without the images on removal lists, whenever they were built.

`tf.data` drops examples by their hash. A data source is read by position: there, removed records
are looked up once and skipped. As a build has its records in the order of their hashed names (see
`pass_dataset.builds.writing.layout`), that takes a bisection each, some twenty records.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow_datasets as tfds
from tensorflow_datasets.core.data_sources import base

from pass_dataset.archives.removals import RemovalList, removals_for
from pass_dataset.tfds.stored_records import stored_hash
from pass_dataset.tfds.wire import HASH

__all__ = [
    "KeptRecords",
    "read_examples",
    "read_source",
    "removed_positions",
    "without_removed_examples",
    "without_removed_records",
    "without_removed_sources",
]

logger = logging.getLogger(__name__)

#: Records looked at to see that a build is in the order it should be in.
_SAMPLES = 33


# --- tf.data --------------------------------------------------------------------------------------


class _WithHash(tfds.decode.PartialDecoding):
    """What the user decodes, and the hash."""

    def __init__(self, given: tfds.decode.PartialDecoding) -> None:
        super().__init__(given._feature_specs, given.decoders)
        self._given = given

    def extract_features(self, features: Any) -> Any:
        chosen = self._given.extract_features(features)
        return tfds.features.FeaturesDict({**chosen, HASH: features[HASH]})


def without_removed_examples(
    make: Callable[..., Any], removals: RemovalList, features: Any, decoders: Any, **others: Any
) -> Any:
    """A `tf.data.Dataset` without the images on a list.

    Args:
      make: makes the whole one, of the arguments `decoders` and `others`.
      removals: the list.
      features: of the dataset.
      decoders: as TFDS's argument.
      others: more of TFDS's arguments.
    """
    hides_hash = False
    if isinstance(decoders, tfds.decode.PartialDecoding):
        hides_hash = HASH not in decoders.extract_features(features)
        decoders = _WithHash(decoders) if hides_hash else decoders
    # How many there are is not known before all was read.
    logger.warning(
        "leaving out the images of removal list %s (%d hashes)",
        removals.names,
        len(removals.hashes),
    )
    dataset = make(decoders=decoders, **others).filter(_is_kept(removals))
    if hides_hash:
        dataset = dataset.map(
            lambda example: {name: value for name, value in example.items() if name != HASH}
        )
    return dataset


def _is_kept(removals: RemovalList) -> Callable[[dict[str, Any]], Any]:
    """A predicate that takes as long for thousands of hashes as for one."""
    import tensorflow as tf

    # TensorFlow searches no sorted text: numbers made of it are searched, and the text compared.
    names = np.array(sorted(removals.hashes))
    numbers = tf.strings.to_hash_bucket_fast(names, 2**63 - 1).numpy()
    order = np.argsort(numbers)
    listed, numbers = tf.constant(names[order]), tf.constant(numbers[order])

    def is_kept(example: dict[str, Any]) -> Any:
        number = tf.strings.to_hash_bucket_fast(example[HASH], 2**63 - 1)
        place = tf.searchsorted(numbers, [number])[0]
        near = listed[tf.minimum(place, len(names) - 1)]
        return tf.not_equal(example[HASH], near)

    return is_kept


# --- data sources ---------------------------------------------------------------------------------


class KeptRecords(Sequence[Any]):
    """Records of a source but for those at some positions."""

    def __init__(self, records: Any, removed: npt.NDArray[np.int64]) -> None:
        """A view.

        Args:
          records: all of them.
          removed: positions that are left out, in order.
        """
        self._records = records
        self._length = len(records) - len(removed)
        #: For each removed record, the number of records kept before it.
        self._kept_before = removed - np.arange(len(removed))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, key: Any) -> Any:
        return self._records[self._position(key)]

    def __getitems__(self, keys: Sequence[int]) -> Any:
        return self._records.__getitems__([self._position(key) for key in keys])

    def _position(self, key: Any) -> int:
        position: int = range(self._length)[key.__index__()]
        return position + int(np.searchsorted(self._kept_before, position, side="right"))


def without_removed_records(source: Any, removals: RemovalList) -> Any:
    """A data source of TFDS, the same object, without the images on a list."""
    instructions = base.file_instructions(source.dataset_info, source.split)
    places = [(str(one.filename), one.skip) for one in instructions]
    split = next(iter(source.dataset_info.splits))
    removed = removed_positions(
        source.data_source, removals, split, in_order=places == sorted(set(places))
    )
    name = f"{source.dataset_info.full_name} ({source.split})"
    removals.report(name, len(removed), len(source.data_source))
    if len(removed):
        source.data_source = KeptRecords(source.data_source, removed)
    return source


def removed_positions(
    records: Any, removals: RemovalList, split: str, *, in_order: bool = True
) -> npt.NDArray[np.int64]:
    """Positions of the images on a list, in order.

    Args:
      records: serialized examples, by position.
      removals: the list.
      split: name of the split, the salt of the order.
      in_order: they are a stretch, or stretches in order, of the build.
    """
    length = len(records)
    samples = sorted({length * number // _SAMPLES for number in range(min(_SAMPLES, length))})
    keys = [_key(_hash(records[place]), split) for place in samples]
    if not (in_order and all(a < b for a, b in itertools.pairwise(keys))):
        logger.warning(
            "the records are not in the order of a build; reading all %d to find those that are "
            "on removal list %s",
            length,
            removals.names,
        )
        found = [p for p in range(length) if _hash(records[p]) in removals.hashes]
        return np.array(found, np.int64)
    places = (_bisect(records, image_hash, split) for image_hash in removals.hashes)
    return np.array(sorted(place for place in places if place is not None), np.int64)


def _bisect(records: Any, image_hash: str, split: str) -> int | None:
    """Position of an image; None if it is not there."""
    wanted = _key(image_hash, split)
    low, high = 0, len(records)
    while low < high:
        middle = (low + high) // 2
        found = _hash(records[middle])
        if found == image_hash:
            return middle
        if _key(found, split) < wanted:
            low = middle + 1
        else:
            high = middle
    return None


def _key(image_hash: str, split: str) -> bytes:
    """What the order is made by, see `building.layout.hashed_order`."""
    return hashlib.md5(split.encode() + image_hash.encode()).digest()


def _hash(record: Any) -> str:
    """The hash of a serialized example."""
    return stored_hash(bytes(record)) or ""


def without_removed_sources(found: Any, removals: RemovalList) -> Any:
    """`without_removed_records` of a source, or of a dictionary or list of some."""
    if isinstance(found, dict):
        return {name: without_removed_sources(one, removals) for name, one in found.items()}
    if isinstance(found, list | tuple):
        return type(found)(without_removed_sources(one, removals) for one in found)
    return without_removed_records(found, removals)


# --- readers of folders ---------------------------------------------------------------------------


def read_examples(make: Any, builder: Any, *arguments: Any, **named: Any) -> Any:
    """What TFDS's reader of any folder gives, without the images on its list.

    That reader takes what is asked for by its folder (`tfds.builder_from_directory`), and what is
    found in ``data_dir`` by a name that is no builder's (`tfds.load('pass/parts_0')`).

    Args:
      make: its method `_as_dataset`.
      builder: the reader.
      arguments, named: of the method.
    """
    removals = removals_for(builder.data_dir)
    if not removals:
        return make(*arguments, **named)
    return without_removed_examples(
        functools.partial(make, *arguments),
        removals,
        builder.info.features,
        named.pop("decoders", None),
        **named,
    )


def read_source(found: Any, builder: Any) -> Any:
    """The same for data sources."""
    removals = removals_for(builder.data_dir)
    return without_removed_sources(found, removals) if removals else found
