"""Benchmark: `pass-curate fetch` beside img2dataset, from an nginx on this machine.

    python scripts/benchmarks/bench_fetch.py

starts nginx on a free port of 127.0.0.1 (no root needed; `apt-get install nginx`), lets it serve
JPEGs of 120 kB from the page cache, and fetches them into tars, by turns with

- `pass-curate fetch`: one process; SHA-256 of each, a receipt of each, the ledger;
- `img2dataset` (PyPI, into an environment of its own in the work folder): two processes, WebDataset
  tars, nothing resized or encoded anew, SHA-256 of each.

Each is a command from nothing, so the start of Python counts; how long that takes is printed apart.
nginx counts the connections. There are so many names of 500 files: what they hold makes no
difference to either. Without --img2dataset only ours is measured.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
from measurement import BenchmarkError, TreeRun, format_table, machine_line, measure_tree
from PIL import Image
from webserver import find_nginx, free_port, most_connections, nginx

from pass_dataset.curate.folder import CurationFolder
from pass_dataset.curate.ledger import Ledger
from pass_dataset.curate.photographs import PHOTOGRAPHS
from pass_dataset.curate.step_writer import begin_step

logger = logging.getLogger("bench_fetch")

FILES = 500
SIZE_BYTES = 120_000
SHARD = 5000
TARGET = 500.0
OURS, THEIRS = "pass-curate fetch", "img2dataset"


@dataclass(frozen=True)
class Row:
    """What one way did: images a second, and what it took."""

    run: TreeRun
    images: int
    connections: int

    @property
    def cells(self) -> list[str]:
        return [
            f"{self.images / self.run.seconds:,.0f}",
            f"{1e3 * self.run.cpu_s / self.images:.2f}",
            f"{self.run.peak_mb:,.0f}",
            f"{self.connections}",
        ]


def make_files(folder: Path) -> list[Path]:
    """JPEGs of 120 kB: small ones, filled up behind their beginning with comments."""
    folder.mkdir()
    paths = []
    for number in range(FILES):
        file = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 256, (48, 64, 3), np.uint8)
        Image.fromarray(pixels).save(file, "JPEG")
        data = file.getvalue()
        missing = SIZE_BYTES - len(data)
        comments = b""
        while missing > 4:
            piece = min(missing - 4, 65_000)
            comments += b"\xff\xfe" + (piece + 2).to_bytes(2, "big") + bytes(piece)
            missing -= piece + 4
        paths.append(folder / f"{number}.jpg")
        # Behind the JFIF segment, by which many programs know a JPEG.
        paths[-1].write_bytes(data[:20] + comments + data[20:])
    return paths


def make_served(served: Path, files: list[Path], images: int) -> list[str]:
    """The bucket: links to the files; returns the hashes."""
    names = [hashlib.md5(str(number).encode()).hexdigest() for number in range(images)]
    for number, name in enumerate(names):
        folder = served / "images" / name[:3] / name[3:6]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jpg").hardlink_to(files[number % len(files)])
    return names


def make_curation(path: Path, names: list[str]) -> None:
    """A curation in which the images are selected."""
    writer = begin_step(Ledger(CurationFolder(path)), "select", {})
    schema = pa.schema([("row", pa.int64()), ("cause", pa.string()), *PHOTOGRAPHS])
    for shard, first in enumerate(range(0, len(names), SHARD)):
        rows = [
            {"row": first + at, "hash": name, "download_url": f"http://localhost/{name}.jpg"}
            for at, name in enumerate(names[first : first + SHARD])
        ]
        writer.write(shard, pa.Table.from_pylist(rows, schema=schema))
    writer.finish()


def ours(work: Path, names: list[str], url: str, connections: int) -> TreeRun:
    """Fetch with the package."""
    curation = work / "curation"
    make_curation(curation, names)
    command: list[str | Path] = [sys.executable, "-m", "pass_dataset.curate", "fetch", curation]
    command += ["--bucket", f"{url}/images", "--connections", str(connections)]
    run = measure_tree([*command, "--placeholder-copies", "0"])
    if f"{len(names):,} went on" not in run.output:
        raise BenchmarkError(f"expected {len(names):,} images, found: {run.output}")
    return run


def theirs(work: Path, names: list[str], url: str, connections: int, python: Path) -> TreeRun:
    """Fetch with img2dataset."""
    listed = work / "urls.txt"
    listed.write_text(
        "".join(f"{url}/images/{name[:3]}/{name[3:6]}/{name}.jpg\n" for name in names)
    )
    out = work / "img2dataset"
    command: list[str | Path] = [python.parent / "img2dataset", f"--url_list={listed}"]
    command += [f"--output_folder={out}", "--output_format=webdataset", "--resize_mode=no"]
    command += ["--skip_reencode=True", "--compute_hash=sha256", "--enable_wandb=False"]
    command += [f"--number_sample_per_shard={SHARD}", "--processes_count=2"]
    command += [f"--thread_count={max(1, connections // 2)}"]
    run = measure_tree(command)
    stored = sum(path.stat().st_size for path in out.glob("*.tar"))
    if stored < len(names) * SIZE_BYTES:
        raise BenchmarkError(f"img2dataset stored {stored:,} bytes: {run.output[-1000:]}")
    return run


def make_environment(work: Path) -> Path:
    """An environment with img2dataset; returns its Python."""
    python = work / "environment" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", work / "environment"], check=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "img2dataset"], check=True)
    return python


def measured(
    ways: dict[str, Callable[[Path], TreeRun]], work: Path, images: int, rounds: int
) -> dict[str, list[Row]]:
    """What every way did in every round."""
    rows: dict[str, list[Row]] = {name: [] for name in ways}
    for number in range(rounds):
        names = list(ways)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            folder = Path(tempfile.mkdtemp(prefix="fetched-", dir=work))
            most_connections(work)
            run = ways[name](folder)
            rows[name].append(Row(run, images, most_connections(work)))
            shutil.rmtree(folder)
            logger.info("round %d, %s: %s", number + 1, name, rows[name][-1].cells)
    return rows


def main() -> int:
    """Run the benchmark; 1 if the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--target", type=float, default=TARGET, help="images/s")
    parser.add_argument("--img2dataset", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--python", type=Path, help="of an environment that has img2dataset")
    parser.add_argument("--work", type=Path, help="where to work (default: the temporary folder)")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    program, port = find_nginx(), free_port()
    with tempfile.TemporaryDirectory(prefix="bench-fetch-", dir=options.work) as created:
        work = Path(created)
        names = make_served(work / "served", make_files(work / "files"), options.images)
        url = f"http://127.0.0.1:{port}"
        ways: dict[str, Callable[[Path], TreeRun]] = {
            OURS: lambda folder: ours(folder, names, url, options.connections)
        }
        if options.img2dataset:
            python = options.python or make_environment(work)
            ways[THEIRS] = lambda folder: theirs(folder, names, url, options.connections, python)
        with nginx(program, work, port, counted=True):
            rows = measured(ways, work, options.images, options.rounds)
        start = measure_tree([sys.executable, "-m", "pass_dataset.curate", "fetch", "--help"])
    print(machine_line())
    print(
        f"{options.images:,} JPEGs of {SIZE_BYTES:,} bytes, {options.connections} connections, "
        f"best of {options.rounds}; the command's start takes {start.seconds:.2f} s"
    )
    best = {name: min(of_way, key=lambda row: row.run.seconds) for name, of_way in rows.items()}
    head = ["", "images/s", "CPU ms/image", "peak MB", "connections"]
    print(format_table([head, *([name, *row.cells] for name, row in best.items())]))
    if THEIRS in rows:
        pairs = zip(rows[OURS], rows[THEIRS], strict=True)
        ratio = median(theirs.run.seconds / ours.run.seconds for ours, theirs in pairs)
        print(f"{OURS} is {ratio:.1f} times as fast (median of rounds)")
    rate = options.images / best[OURS].run.seconds
    print(f"target {options.target:,.0f} images/s: {'met' if rate >= options.target else 'missed'}")
    return 0 if rate >= options.target else 1


if __name__ == "__main__":
    sys.exit(main())
