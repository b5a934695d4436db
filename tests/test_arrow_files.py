from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.collection import HEADER, Collection, row

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux tells the memory in this way"
)

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
