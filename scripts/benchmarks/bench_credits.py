"""Benchmark: credits of all images, and the difference of two releases, at the size of PASS.

    python scripts/benchmarks/bench_credits.py

makes two synthetic metadata CSVs (320 MB in the temporary folder or in `--work DIR`), of which the
second lacks every 3,000th image, and measures, each in a fresh process, `pass-dataset credits
--all` in its three formats and `pass-dataset diff`: time, processor time, peak memory, bytes
written.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from make_synthetic import METADATA_NAME, Images, Settings, write_csv
from measurement import (
    BenchmarkError,
    format_table,
    machine_line,
    measure_tree,
    package_command,
    require_package,
)

TARGET_MB = 3000.0
REMOVED_EVERY = 3000


def make_csvs(work: Path, images: int) -> tuple[Path, Path]:
    """The metadata of a synthetic release, and the same without every so many images."""
    settings = Settings(images=images)
    old, new = work / METADATA_NAME, work / f"newer_{METADATA_NAME}"
    write_csv(old, Images(settings), settings)
    with old.open(encoding="ascii") as lines, new.open("w", encoding="ascii") as kept:
        kept.writelines(line for number, line in enumerate(lines) if number % REMOVED_EVERY != 1)
    return old, new


def benchmark(work: Path, images: int) -> str:
    """Measure all and return the report."""
    old, new = make_csvs(work, images)
    commands: dict[str, list[str | Path]] = {
        f"credits --all --format {kind}": [
            *("credits", "--metadata", old, "--release", "3.0.0", "--all", "--format", kind)
        ]
        for kind in ("csv", "html", "bibtex")
    }
    commands["diff"] = ["diff", old, new]
    lines = [["", "s", "s of processor", "peak MB", "MB written"]]
    met = True
    out = work / "out"
    for name, command in commands.items():
        run = measure_tree(package_command(*command, "--out", out), poll_s=0.05)
        size_mb = out.stat().st_size / 1e6
        row = [f"{value:.1f}" for value in (run.seconds, run.cpu_s, run.peak_mb, size_mb)]
        lines.append([name, *row])
        met &= run.peak_mb < TARGET_MB
    verdict = f"peak < {TARGET_MB:,.0f} MB: {'met' if met else 'MISSED'}"
    return "\n".join([machine_line(), f"{images:,} images", "", format_table(lines), verdict])


def main(arguments: list[str] | None = None) -> int:
    """Measure; exit status 0 when all was measured, whether the target is met or not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_440_000, help="default: %(default)s")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        require_package()
        with tempfile.TemporaryDirectory(dir=options.work, prefix="bench_credits-") as work:
            print(benchmark(Path(work), options.images))
    except BenchmarkError as error:
        print(f"bench_credits: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
