"""The encoder gives the bytes that TFDS's own messages have when serialized deterministically."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.records import ImageRecord
from pass_dataset.tfds.wire import before_jpeg, example_sizes, varint

tfds = pytest.importorskip("tensorflow_datasets")


@pytest.fixture(scope="module")
def serialized() -> Any:
    """What TFDS makes of a record."""
    from tensorflow_datasets.core.example_serializer import ExampleSerializer

    from pass_dataset.tfds.archive_builder import example, features

    connector = features()
    serializer = ExampleSerializer(connector.get_serialized_info())

    def serialize(record: ImageRecord) -> bytes:
        message = serializer.get_tf_example(connector.encode_example(example(record)))
        return message.SerializeToString(deterministic=True)

    return serialize


def encoded(record: ImageRecord) -> bytes:
    gps = [math.nan if value is None else value for value in (record.latitude, record.longitude)]
    head = before_jpeg(
        len(record.jpeg),
        (record.creator or "").encode(),
        (record.date_taken_text or "").encode(),
        struct.pack("<2f", *gps),
        record.hash.encode(),
    )
    return head + record.jpeg


def test_the_order_is_that_of_upb() -> None:
    """Other implementations of protobuf read the same, but sort the fields otherwise."""
    from google.protobuf.internal import api_implementation

    assert api_implementation.Type() == "upb"


def awkward() -> Iterator[ImageRecord]:
    texts = ["", "a", "NA", "é" * 63, "x" * 127, "x" * 128, "语" * 6000, "tab\t\nnew\0nul", "🙂"]
    for number, text in enumerate(texts):
        yield ImageRecord(text or "0", b"\xff\xd8", text, None, None, text, None, None)
        yield ImageRecord("12e45", b"\0" * number, None, None, None, None, number / 7, -180.0)
    for size in (1, 60, 100, 118, 119, 120, 125, 126, 127, 128, 129, 16_370, 16_384, 2_097_152):
        yield ImageRecord("ab" * 16, b"\xff" * size, "someone", None, None, "", -0.0, 1e-45)
    for degrees in (math.inf, -math.inf, 1e39, 53.535233, -113.565075, math.nan):
        yield ImageRecord("c", b"j", "n", None, None, "d", degrees, degrees)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_bytes_are_those_of_tfds(serialized: Any) -> None:
    records = [*open_mini(), *awkward()]
    for record in records:
        if record.latitude != 1e39:
            assert encoded(record) == serialized(record), record


def test_sizes_are_those_of_the_bytes() -> None:
    records = [record for record in [*open_mini(), *awkward()] if record.latitude != 1e39]
    columns = zip(
        *(
            (
                len(record.jpeg),
                len((record.creator or "").encode()),
                len((record.date_taken_text or "").encode()),
                len(record.hash.encode()),
            )
            for record in records
        ),
        strict=True,
    )
    sizes = example_sizes(*(np.array(column, np.int64) for column in columns))
    assert sizes.tolist() == [len(encoded(record)) for record in records]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**35, "8080808080 01")],
)
def test_varint(value: int, expected: str) -> None:
    assert varint(value) == bytes.fromhex(expected)
