"""Shard files hold what was put in, in the formats of the libraries that read them."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset.tfds.frames import FORMATS, shard_size

pytest.importorskip("tensorflow_datasets")

WRITE_MUCH = """
import resource, signal, sys
from pathlib import Path
from pass_dataset.errors import BuildError
from pass_dataset.tfds.frames import FORMATS
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
try:
    with FORMATS[sys.argv[1]](Path(sys.argv[2])) as shard:
        for _ in range(50):
            shard.add(b"a", b"b" * 124_000)
except (OSError, BuildError) as error:
    sys.exit(f"refused: {error}")
"""


def pieces(count: int) -> list[tuple[bytes, bytes]]:
    rng = random.Random(0)
    sizes = [0, 1, 700, 124_000, 3_000_000]
    return [
        (rng.randbytes(rng.randrange(99)), rng.randbytes(sizes[number % 5]))
        for number in range(count)
    ]


def write(file_format: str, path: Path, content: list[tuple[bytes, bytes]]) -> None:
    with FORMATS[file_format](path) as shard:
        for head, jpeg in content:
            shard.add(head, jpeg)


def test_tfrecord_is_that_of_tensorflow(tmp_path: Path) -> None:
    import tensorflow as tf

    content = pieces(1500)[:11] + pieces(40)
    write("tfrecord", tmp_path / "ours", content)
    with tf.io.TFRecordWriter(str(tmp_path / "theirs")) as writer:
        for piece in content:
            writer.write(b"".join(piece))
    data = (tmp_path / "ours").read_bytes()
    assert data == (tmp_path / "theirs").read_bytes()
    total = sum(len(part) for piece in content for part in piece)
    assert len(data) == shard_size("tfrecord", len(content), total)


def test_many_small_records(tmp_path: Path) -> None:
    import tensorflow as tf

    content = [(b"", b"%d" % number) for number in range(5000)]
    write("tfrecord", tmp_path / "shard", content)
    found = [
        bytes(item) for item in tf.data.TFRecordDataset(str(tmp_path / "shard")).as_numpy_iterator()
    ]
    assert found == [jpeg for _, jpeg in content]


def test_array_record_is_read(tmp_path: Path) -> None:
    from array_record.python.array_record_module import ArrayRecordReader

    content = pieces(21)
    write("array_record", tmp_path / "shard", content)
    reader = ArrayRecordReader(str(tmp_path / "shard"))
    assert reader.read(list(range(21))) == [b"".join(piece) for piece in content]
    reader.close()


@pytest.mark.parametrize("count", [1, 99, 100, 101, 350])
def test_parquet_keeps_every_record(tmp_path: Path, count: int) -> None:
    """TFDS's own writer loses records here: every second hundred."""
    import pyarrow.parquet as pq

    content = [(b"<", b"%d" % number) for number in range(count)]
    write("parquet", tmp_path / "shard", content)
    found = pq.read_table(tmp_path / "shard")["data"].to_pylist()
    assert found == [b"".join(piece) for piece in content]


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_that_cannot_grow_is_an_error(tmp_path: Path, file_format: str) -> None:
    command = [sys.executable, "-c", WRITE_MUCH, file_format, str(tmp_path / "shard")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "refused:" in done.stderr
    assert "too large" in done.stderr
