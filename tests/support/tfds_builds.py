"""Builds of TFDS that are whole as files, but hold other records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow_datasets as tfds

from pass_dataset.tfds.stored_shards import read_shard

Edit = Callable[[list[bytes]], Sequence[bytes]]


def shard_of(build: Path) -> Path:
    return next(build.glob("pass_mini-train*"))


def rewrite(build: Path, edit: Edit) -> None:
    """Writes the shard anew, whole in itself, with other records in it."""
    shard = shard_of(build)
    file_format = shard.name.split(".")[1].split("-")[0]
    records = [record for record in read_shard(shard, file_format) if isinstance(record, bytes)]
    assert len(records) == 64
    adapter = tfds.core.file_adapters.ADAPTER_FOR_FORMAT[tfds.core.FileFormat(file_format)]
    adapter.write_examples(shard, [(None, record) for record in edit(records)])


def edited(record: bytes, **changes: object) -> bytes:
    """A record with other values; `image_hash=` changes ``image/hash``."""
    from tensorflow_datasets.proto import tf_example_pb2

    parsed = tf_example_pb2.Example.FromString(record)
    for name, value in changes.items():
        feature = parsed.features.feature[name.replace("image_", "image/")]
        kind = feature.float_list if isinstance(value, float) else feature.bytes_list
        kind.value[0] = value
    return bytes(parsed.SerializeToString())


def value_of(record: bytes, name: str) -> bytes:
    from tensorflow_datasets.proto import tf_example_pb2

    return bytes(
        tf_example_pb2.Example.FromString(record).features.feature[name].bytes_list.value[0]
    )
