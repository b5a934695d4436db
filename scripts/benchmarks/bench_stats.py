"""Benchmark: the statistics of a release the size of PASS.

    python scripts/benchmarks/bench_stats.py

makes a synthetic release of 1.44 million images with `make_synthetic.py` (1.6 GB in the temporary
folder or in `--work DIR`; with `--keep` it stays there for the next run), indexes it, and measures
`pass-dataset stats`, each in a fresh process:

- without headers: all figures of the index;
- with a sample of 20,000 headers, as by default;
- with all headers, and once more with those that the run before has kept.

The images are tiny and in the page cache: on a disk each header is one access more.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_index import parse_release, synthetic_release
from make_synthetic import CHECKSUMS_NAME
from measurement import (
    BenchmarkError,
    TreeRun,
    format_table,
    machine_line,
    measure_tree,
    package_command,
    require_package,
)

logger = logging.getLogger("bench_stats")

TARGET_S, TARGET_PEAK_MB = 10.0, 1000.0


@dataclass(frozen=True)
class Case:
    """One way to call the command.

    Attributes:
        what: in words.
        options: of the command.
        has_target: the target is for it: it reads no more headers than by default.
    """

    what: str
    options: Sequence[str]
    has_target: bool


CASES = (
    Case("no headers", ("--sample", "0"), True),
    Case("20,000 headers", (), True),
    Case("all headers", ("--all-images",), False),
    Case("all headers, kept", ("--all-images",), False),
)


def benchmark(folder: Path, images: int) -> str:
    """Measure all and return the report."""
    release = folder / CHECKSUMS_NAME
    lines = [["", "seconds", "processor s", "peak MB", "page kB", "JSON kB"]]
    met = True
    with tempfile.TemporaryDirectory() as temporary:
        # The first run over all headers must not find those of an earlier day.
        os.environ["XDG_CACHE_HOME"] = temporary
        logger.info("indexing")
        measure_tree(package_command("index", folder, "--release", release))
        page = Path(temporary) / "stats.html"
        for case in CASES:
            logger.info("%s", case.what)
            command = package_command("stats", folder, "--release", release, "--out", page)
            run: TreeRun = measure_tree([*command, *case.options], poll_s=0.02)
            found = json.loads(page.with_suffix(".json").read_text())
            if found["images"] != images:
                raise BenchmarkError(f"{folder}: expected {images} images, found {found['images']}")
            if case.has_target:
                met &= run.seconds <= TARGET_S and run.peak_mb <= TARGET_PEAK_MB
            sizes = [path.stat().st_size / 1000 for path in (page, page.with_suffix(".json"))]
            figures = (run.seconds, run.cpu_s)
            lines.append(
                [
                    case.what,
                    *(f"{figure:.2f}" for figure in figures),
                    *(f"{figure:.0f}" for figure in (run.peak_mb, *sizes)),
                ]
            )
    verdict = f"up to 20,000 headers: <= {TARGET_S:g} s, <= {TARGET_PEAK_MB:g} MB: "
    verdict += "met" if met else "MISSED"
    report = [machine_line(), f"{images:,} images", "", format_table(lines), "", verdict]
    return "\n".join(report)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description="Time and memory of the statistics of a release the size of PASS."
    )
    return parse_release(parser, arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; exit status 0 when all was measured, whether targets are met or not."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        require_package()
        with synthetic_release(options.work, options.images, 64, options.keep) as folder:
            print(benchmark(folder, options.images))
    except BenchmarkError as error:
        print(f"bench_stats: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
