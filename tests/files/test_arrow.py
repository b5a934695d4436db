from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pass_dataset.files.arrow import floats_of, map_file, save_batch, table_writer
from pass_dataset.files.whole import writing_whole
from tests.support.collection import HEADER, Collection, row

#: Run as `python -c CODE FOLDER RELEASE SAVE`, a process of its own; prints, in bytes, by how much
#: it grew at most while it opened the archives, and by how much in the end.
OPEN = """
import sys
from pathlib import Path
import numpy, pyarrow.compute, pyarrow.csv
from pass_dataset import PassArchive

def resident(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))

folder, release, save = sys.argv[1:]
before = resident("VmRSS")
archive = PassArchive(folder, release, save_index=bool(int(save)))
print(resident("VmHWM") - before, resident("VmRSS") - before)
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux tells the memory in this way"
)
@pytest.mark.parametrize("save", [True, False])
def test_memory_of_making_the_index_is_given_back(collection: Collection, save: bool) -> None:
    """Workers that are forked from this process would all keep it."""
    others = (f"{number},user,,L,{number:032x},," for number in range(300_000))
    collection.write_csv([HEADER, *(row(number) for number in range(15)), *others])
    collection.describe()
    command = [sys.executable, "-c", OPEN, collection.folder, collection.tsv, str(int(save))]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    most, kept = map(int, told.stdout.split())
    assert most > 40e6
    assert kept < most / 2, f"{kept:,} of {most:,} bytes"


def test_saved_and_mapped(tmp_path: Path) -> None:
    # A name that is no UTF-8.
    path = tmp_path / os.fsdecode(b"\xff.arrow")
    batch = pa.record_batch({"row": pa.array(range(5))}).replace_schema_metadata({b"of": b"us"})
    save_batch(path, batch)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    reader = map_file(path)
    assert reader.schema.metadata[b"of"] == b"us"
    assert reader.get_batch(0).equals(batch)
    # Mapped, not read into memory of Arrow's own.
    before = pa.total_allocated_bytes()
    assert reader.get_batch(0)["row"].to_pylist() == list(range(5))
    assert pa.total_allocated_bytes() == before


def test_written_batch_after_batch(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    schema = pa.schema([("row", pa.int64())])
    with writing_whole(path) as file, table_writer(file, schema, compression="zstd") as writer:
        for row in range(3):
            writer.write_batch(pa.record_batch([[row]], schema=schema))
    assert map_file(path).read_all()["row"].to_pylist() == [0, 1, 2]


def test_a_table_that_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone/a\.arrow"):
        save_batch(tmp_path / "gone" / "a.arrow", pa.record_batch({"row": [1]}))
    with pytest.raises(FileNotFoundError):
        map_file(tmp_path / "a.arrow")
    (tmp_path / "a.arrow").write_bytes(b"no table")
    with pytest.raises(ValueError, match="File is too small"):
        map_file(tmp_path / "a.arrow")


def test_floats_without_pandas() -> None:
    column = pa.array([0.5, None, 2.0], pa.float32())
    assert np.array_equal(floats_of(column), [0.5, np.nan, 2.0], equal_nan=True)
    assert floats_of(column.slice(2)).tolist() == [2.0]
    assert len(floats_of(column.slice(3))) == 0
