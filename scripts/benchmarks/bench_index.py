"""Benchmark: index a folder of tars the size of PASS, then open the saved index.

    python scripts/benchmarks/bench_index.py

makes a synthetic release of 1.44 million images with `make_synthetic.py` (1.6 GB in the temporary
folder or in `--work DIR`; with `--keep` it stays there for the next run) and measures, each in a
fresh process and from the page cache:

- `pass-dataset index --rebuild`: read the headers of all tars, read the CSV, join, save;
- opening: `PassArchive(...)`, `len`, first and last record. The imports are counted apart and
  together with it, and the whole process with the start of Python as well;
- for comparison, the standard library's `tarfile` listing the first archive, extrapolated to all
  images, and `pandas.read_csv` on the whole CSV where pandas is installed. These list and parse
  only: they neither join nor save.

Peak memory is the resident set of the largest process among the command and its children, as
the system reports it (`wait4`), including pages of mapped files.

Small bodies make this a measure of the processor's work. On the real archives, with 125 KB a
body, reading the headers also costs one disk access each, which this does not show.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from make_synthetic import CHECKSUMS_NAME, METADATA_NAME, part_ranges
from measurement import (
    BenchmarkError,
    Run,
    format_table,
    machine_line,
    measure,
    package_command,
    require_package,
)

logger = logging.getLogger("bench_index")

TARS = 10
TARGET_INDEX_S = 12.0
TARGET_OPEN_S = 2.0
TARGET_PEAK_MB = 750.0
OPEN_ROUNDS = 5

# Run as `python -c CODE ARGUMENTS...`; each prints one JSON object.
OPEN_CODE = """
import json, sys, time
started = time.perf_counter()
from pass_dataset.archives.records import PassArchive
imported = time.perf_counter()
archive = PassArchive(sys.argv[1], release=sys.argv[2])
count = len(archive)
opened = time.perf_counter()
archive[0], archive[count - 1]
read = time.perf_counter()
print(json.dumps({"images": count, "import_s": imported - started, "open_s": opened - imported,
                  "records_s": read - opened}))
"""
TARFILE_CODE = """
import json, sys, tarfile, time
started = time.perf_counter()
with tarfile.open(sys.argv[1], "r:") as archive:
    images = sum(member.isfile() for member in archive)
print(json.dumps({"images": images, "seconds": time.perf_counter() - started}))
"""
PANDAS_CODE = """
import json, sys, time
import pandas
started = time.perf_counter()
images = len(pandas.read_csv(sys.argv[1], dtype={"hash": str}, keep_default_na=False))
print(json.dumps({"images": images, "seconds": time.perf_counter() - started}))
"""


@dataclass(frozen=True)
class Opening:
    """Seconds and memory of opening a saved index, each the median over fresh processes."""

    import_s: float
    open_s: float
    records_s: float
    process_s: float
    peak_mb: float

    @property
    def together_s(self) -> float:
        """Imports, opening and the two records."""
        return self.import_s + self.open_s + self.records_s


@dataclass(frozen=True)
class Row:
    """One line of the result: a target is an upper limit, `None` where there is none.

    `cpu_s` is processor time, which a busy machine changes least; `None` where it is not counted.
    """

    what: str
    seconds: float
    cpu_s: float | None = None
    peak_mb: float | None = None
    target_s: float | None = None
    target_mb: float | None = None

    @property
    def verdict(self) -> str:
        """`met` or `missed`, or nothing where there is no target."""
        pairs = [(self.seconds, self.target_s), (self.peak_mb, self.target_mb)]
        met = [
            found <= target for found, target in pairs if found is not None and target is not None
        ]
        return ("met" if all(met) else "missed") if met else ""


@contextlib.contextmanager
def synthetic_release(parent: Path, images: int, body_bytes: int, keep: bool) -> Iterator[Path]:
    """A folder in `parent` with a synthetic release: one kept by an earlier run, or a new one."""
    folder = parent / f"synthetic-{images}-{body_bytes}"
    found = (folder / CHECKSUMS_NAME).is_file()
    try:
        if found:
            logger.info("found again: %s", folder)
        else:
            logger.info("making %d synthetic images in %s", images, folder)
            # In a process of its own: see `measure` for why this one stays small.
            maker = Path(__file__).with_name("make_synthetic.py")
            sizes = ["--images", str(images), "--body-bytes", str(body_bytes), "--tars", str(TARS)]
            measure([sys.executable, maker, folder, *sizes])
        yield folder
    finally:
        if not (found or keep):
            shutil.rmtree(folder, ignore_errors=True)


def measure_index(folder: Path) -> Run:
    """`pass-dataset index`, from nothing."""
    logger.info("indexing")
    release = folder / CHECKSUMS_NAME
    return measure(package_command("index", folder, "--release", release, "--rebuild"))


def measure_opening(folder: Path, images: int) -> Opening:
    """Open the saved index in fresh processes.

    Raises:
        BenchmarkError: the index has another number of images.
    """
    logger.info("opening the saved index, %d times", OPEN_ROUNDS)
    release = folder / CHECKSUMS_NAME
    runs = [measure([sys.executable, "-c", OPEN_CODE, folder, release]) for _ in range(OPEN_ROUNDS)]
    timings = [json.loads(run.output) for run in runs]
    found = timings[0]["images"]
    if found != images:
        raise BenchmarkError(f"{folder}: expected {images} images in the index, found {found}")
    return Opening(
        import_s=median(timing["import_s"] for timing in timings),
        open_s=median(timing["open_s"] for timing in timings),
        records_s=median(timing["records_s"] for timing in timings),
        process_s=median(run.seconds for run in runs),
        peak_mb=median(run.peak_mb for run in runs),
    )


def measure_tarfile(folder: Path, images: int) -> Row:
    """The standard library listing one archive, as if it went on through all."""
    logger.info("listing one archive with tarfile")
    run = measure([sys.executable, "-c", TARFILE_CODE, folder / "PASS.0.tar"])
    listed = json.loads(run.output)
    expected = len(part_ranges(images, TARS)[0])
    if listed["images"] != expected:
        raise BenchmarkError(f"PASS.0.tar: expected {expected} images, found {listed['images']}")
    share = images / expected
    what = f"tarfile, from {expected:,} images"
    return Row(what, listed["seconds"] * share, run.cpu_s * share, run.peak_mb)


def measure_pandas(folder: Path) -> Row | None:
    """pandas reading the CSV, or `None` where it is not installed."""
    try:
        measure([sys.executable, "-c", "import pandas"])
    except BenchmarkError:
        return None
    logger.info("reading the CSV with pandas")
    run = measure([sys.executable, "-c", PANDAS_CODE, folder / METADATA_NAME])
    return Row("pandas.read_csv", json.loads(run.output)["seconds"], run.cpu_s, run.peak_mb)


def format_rows(rows: Sequence[Row]) -> str:
    """The result as a table, targets beside."""
    lines = [["", "seconds", "target", "of processor", "peak MB", "target", ""]]
    for row in rows:
        lines.append(
            [
                row.what,
                f"{row.seconds:.2f}",
                "" if row.target_s is None else f"<= {row.target_s:g}",
                "" if row.cpu_s is None else f"{row.cpu_s:.2f}",
                "" if row.peak_mb is None else f"{row.peak_mb:.0f}",
                "" if row.target_mb is None else f"<= {row.target_mb:g}",
                row.verdict,
            ]
        )
    return format_table(lines)


def benchmark(folder: Path, images: int) -> str:
    """Measure all and return the report."""
    index = measure_index(folder)
    opening = measure_opening(folder, images)
    tarfile = measure_tarfile(folder, images)
    pandas = measure_pandas(folder)
    rows = [
        Row(
            "index: scan, CSV, join, save",
            index.seconds,
            index.cpu_s,
            index.peak_mb,
            TARGET_INDEX_S,
            TARGET_PEAK_MB,
        ),
        Row("open: imports", opening.import_s),
        Row("open: PassArchive and len", opening.open_s),
        Row("open: first and last record", opening.records_s),
        Row(
            "open: these three",
            opening.together_s,
            None,
            opening.peak_mb,
            TARGET_OPEN_S,
            TARGET_PEAK_MB,
        ),
        Row("open: whole process", opening.process_s),
        tarfile,
    ]
    ratios = [f"tarfile alone (extrapolated) / index: {tarfile.seconds / index.seconds:.1f}"]
    if pandas is None:
        ratios.append("pandas is not installed: not measured")
    else:
        rows.append(pandas)
        both = tarfile.seconds + pandas.seconds
        both_cpu_s = (tarfile.cpu_s or 0) + (pandas.cpu_s or 0)
        ratios.append(
            f"tarfile and pandas / index: {both / index.seconds:.1f}, "
            f"of processor {both_cpu_s / index.cpu_s:.1f}"
        )
    title = f"{images:,} images in {TARS} archives; opening: median of {OPEN_ROUNDS}"
    return "\n".join([machine_line(), title, "", format_rows(rows), "", *ratios])


def parse_release(
    parser: argparse.ArgumentParser, arguments: list[str] | None
) -> argparse.Namespace:
    """The options of a parser, and those of `synthetic_release`."""
    parser.add_argument(
        "--images", type=int, default=1_440_000, help="number of images (default: %(default)s)"
    )
    parser.add_argument(
        "--work",
        metavar="DIR",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="where the release is made, or was kept by an earlier run (default: %(default)s)",
    )
    parser.add_argument("--keep", action="store_true", help="keep the release for the next run")
    options = parser.parse_args(arguments)
    if options.images < 1:
        parser.error(f"--images: expected 1 or more, found {options.images}")
    return options


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description="Time and memory of indexing tars the size of PASS and of opening the index, "
        "beside tarfile and pandas."
    )
    parser.add_argument(
        "--body-bytes",
        type=int,
        default=64,
        help="size of each image; all up to 512, a tar block, make the same work, and the "
        "smallest made is 175 (default: %(default)s)",
    )
    return parse_release(parser, arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; exit status 0 when all was measured, whether targets are met or not."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        require_package()
        with synthetic_release(
            options.work, options.images, options.body_bytes, options.keep
        ) as folder:
            print(benchmark(folder, options.images))
    except BenchmarkError as error:
        print(f"bench_index: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
