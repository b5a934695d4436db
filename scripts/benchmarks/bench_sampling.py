"""Benchmark: `pass-curate balance` and `draw`, on as many photographs as PASS began with.

    python scripts/benchmarks/bench_sampling.py
    python scripts/benchmarks/bench_sampling.py --photographs 1000000

writes a ledger of photographs by the law of YFCC100M's hashes, by photographers of whom few have
many (Zipf), and measures both steps, each in a fresh process: seconds, processor time, and memory
of all processes at its highest.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from measurement import BenchmarkError, format_table, machine_line, measure_tree, require_package

#: CC-BY photographs of YFCC100M, and photographers of all of it.
PHOTOGRAPHS, PHOTOGRAPHERS = 17_210_144, 581_099
SHARD = 10_000
CURATE = [sys.executable, "-m", "pass_dataset.curate"]

MAKE = """
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.step_writer import begin_step

folder, photographs, photographers, size = Path(sys.argv[1]), *map(int, sys.argv[2:])
rng = np.random.default_rng(0)
writer = begin_step(Ledger(CurationFolder(folder)), "select", {"licenses": ["by"]})
ids = np.array([f"{number}@N00" for number in range(photographers)])
for shard, first in enumerate(range(0, photographs, size)):
    rows = np.arange(first, min(first + size, photographs))
    text = rng.bytes(16 * len(rows)).hex()
    who = np.minimum(rng.zipf(1.3, len(rows)) - 1, photographers - 1) * 7919 % photographers
    # One in 16 of the bytes has a leading zero, which the law leaves out.
    table = {
        "row": rows,
        "cause": pa.nulls(len(rows), pa.string()),
        "hash": [text[at : at + 32].lstrip("0") for at in range(0, len(text), 32)],
        "nsid": pa.array(ids[who].tolist()),
        "unickname": pa.nulls(len(rows), pa.string()),
    }
    writer.write(shard, pa.table(table))
writer.finish()
"""


def benchmark(work: Path, photographs: int) -> str:
    """Measure both steps and return the report."""
    curation = work / "curation"
    numbers = map(str, (photographs, PHOTOGRAPHERS, SHARD))
    made = measure_tree([sys.executable, "-c", MAKE, str(curation), *numbers])
    lines = [["step", "photographs", "s", "s of processor", "peak MB"]]
    for step in ("balance", "draw"):
        run = measure_tree([*CURATE, step, str(curation)])
        came = run.output.split(":")[1].split()[0]
        figures = (f"{run.seconds:.1f}", f"{run.cpu_s:.1f}", f"{run.peak_mb:,.0f}")
        lines.append([step, came, *figures])
        print(run.output, end="")
    load = " ".join(f"{part:.1f}" for part in os.getloadavg())
    return "\n".join(
        [
            machine_line(),
            f"load at the end: {load}; the ledger was made in {made.seconds:.0f} s",
            "",
            format_table(lines),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photographs", type=int, default=PHOTOGRAPHS, metavar="N")
    parser.add_argument("--work", type=Path, metavar="DIR", help="default: a temporary folder")
    options = parser.parse_args()
    try:
        require_package()
        with tempfile.TemporaryDirectory(dir=options.work) as work:
            print(benchmark(Path(work), options.photographs))
    except BenchmarkError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
