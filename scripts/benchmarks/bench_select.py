"""Benchmark: `pass-curate select`, beside engines that read tables, and bzip2 beside Python's own.

    python scripts/benchmarks/bench_select.py                    a million rows
    python scripts/benchmarks/bench_select.py --rows 20000000    11 GB of text

makes metadata with `make_yfcc.py` (with `--keep DIR` it stays for the next run) and measures, each
in processes of its own from their start to their end, imports included:

- select from text, from SQLite and from bzip2: rows by the processor time of all processes, and
  their memory together at its highest;
- text by DuckDB and by Polars, where they are installed: the photographs under CC BY, as Parquet.
  They check nothing, and account for nothing;
  As a package that is installed, ours has its bytecode: it is made before, if it is not there;
- bzip2 by `bz2`, on one core, to nowhere: what the time of `select` from bzip2 is compared with.

Targets: 400,000 rows a second of processor time from text, 500,000 from SQLite, less than 500 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from measurement import (
    BenchmarkError,
    TreeRun,
    format_table,
    machine_line,
    measure,
    measure_tree,
    require_package,
)

MAKER = Path(__file__).parent.parent / "tools" / "make_yfcc.py"
FILES = {
    "text": "yfcc100m_dataset",
    "sqlite": "yfcc100m_dataset.sql",
    "bz2": "yfcc100m_dataset.bz2",
}
TARGETS = {"text": 400_000, "sqlite": 500_000}
MOST_MB = 500

DUCKDB = """
import duckdb, sys
source, out = sys.argv[1:]
names = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(25))
kept = ", ".join(f"c{n}" for n in (1, 2, 3, 4, 5, 8, 12, 13, 15, 16, 17, 18, 23))
duckdb.sql("SET threads = 1")
duckdb.sql(f'''COPY (SELECT {kept} FROM read_csv('{source}', delim='\\t', header=false, quote='',
    escape='', columns={{{names}}}, null_padding=true, ignore_errors=true, auto_detect=false)
    WHERE c18 = 'http://creativecommons.org/licenses/by/2.0/' AND c24 = '0')
    TO '{out}' (FORMAT parquet, COMPRESSION zstd)''')
"""
POLARS = """
import os, sys
os.environ["POLARS_MAX_THREADS"] = "1"
import polars as pl
source, out = sys.argv[1:]
names = [f"c{n}" for n in range(25)]
(pl.scan_csv(source, separator="\\t", has_header=False, quote_char=None, encoding="utf8-lossy",
             schema={name: pl.String for name in names}, truncate_ragged_lines=True)
   .filter(pl.col("c18") == "http://creativecommons.org/licenses/by/2.0/", pl.col("c24") == "0")
   .select([f"c{n}" for n in (1, 2, 3, 4, 5, 8, 12, 13, 15, 16, 17, 18, 23)])
   .sink_parquet(out, compression="zstd"))
"""
BZ2 = """
import bz2, sys
with bz2.open(sys.argv[1]) as file:
    while file.read(1 << 20):
        pass
"""


def select(source: Path, work: Path, workers: int) -> TreeRun:
    """Selects from a file, and looks whether the counts are those planted."""
    out = work / "curation"
    shutil.rmtree(out, ignore_errors=True)
    command: list[str | Path] = [sys.executable, "-m", "pass_dataset.curate", "select", source]
    command += ["--out", out, "--workers", str(workers), "--json"]
    run = measure_tree(command, poll_s=0.1)
    record = json.loads(run.output)
    planted = json.loads((source.parent / "planted.json").read_text())
    found = (record["details"]["read"], record["came"])
    if found != (planted["rows"], planted["selected"]):
        raise BenchmarkError(f"{source}: {found} were read and selected, planted are {planted}")
    shutil.rmtree(out)
    return run


def with_bytecode() -> None:
    """Has the package's bytecode there, as pip makes it; without, each process compiles anew."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    found = find_spec("pass_dataset")
    assert found is not None and found.submodule_search_locations
    measure([sys.executable, "-m", "compileall", "-q", *found.submodule_search_locations])


def line_of(name: str, run: TreeRun, rows: int, target: int | None, *, is_ours: bool) -> list[str]:
    """A line of the table."""
    rate = rows / run.cpu_s
    said = "" if target is None else f" (target {target:,})"
    memory = f"{run.peak_mb:.0f}" + (f" (target {MOST_MB})" if is_ours else "")
    return [name, f"{rate:,.0f}{said}", f"{run.cpu_s:.1f}", f"{run.seconds:.1f}", memory]


def benchmark(metadata: Path, work: Path, rows: int, workers: int, forms: list[str]) -> str:
    """Measures all and returns the report."""
    lines = [["", "rows/s of processor", "s of processor", "s", "peak MB"]]
    ratio = ""
    for form in forms:
        source = made(metadata, form, rows)
        run = select(source, work, workers)
        lines.append(line_of(f"select, {form}", run, rows, TARGETS.get(form), is_ours=True))
        if form == "bz2":
            alone = measure_tree([sys.executable, "-c", BZ2, source], poll_s=0.1)
            lines.append(line_of("bz2 alone, one core", alone, rows, None, is_ours=False))
            ratio = (
                f"select from bzip2 takes {run.seconds / alone.seconds:.2f} of the time that bz2 "
                f"takes to unpack it on one core, with {workers} workers"
            )
        if form == "text":
            for name, code in (("duckdb", DUCKDB), ("polars", POLARS)):
                if find_spec(name) is None:
                    continue
                out = work / f"{name}.parquet"
                with contextlib.suppress(FileNotFoundError):
                    out.unlink()
                engine = measure_tree([sys.executable, "-c", code, source, out], poll_s=0.1)
                lines.append(line_of(f"{name}, one thread", engine, rows, None, is_ours=False))
    return "\n".join([f"{rows:,} rows", machine_line(), format_table(lines), ratio])


def made(metadata: Path, form: str, rows: int) -> Path:
    """The metadata in a form, made if it is not there."""
    folder = metadata / f"{form}-{rows}"
    if not (folder / "planted.json").exists():
        measure_tree([sys.executable, MAKER, folder, "--rows", str(rows), "--form", form])
    return folder / FILES[form]


@contextlib.contextmanager
def folder_of(keep: Path | None, work: Path) -> Iterator[Path]:
    """Where the metadata is made."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(dir=work, prefix="yfcc-") as folder:
        yield Path(folder)


def main(arguments: list[str] | None = None) -> int:
    """Measure; exit status 0 when all was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--workers", type=int, default=2, help="of select; default: 2")
    parser.add_argument("--form", action="append", choices=tuple(FILES), help="default: all")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="metadata is made here, and stays")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        require_package()
        with_bytecode()
        with (
            folder_of(options.keep, options.work) as metadata,
            tempfile.TemporaryDirectory(dir=options.work, prefix="bench_select-") as work,
        ):
            forms = options.form or list(FILES)
            print(benchmark(metadata, Path(work), options.rows, options.workers, forms))
    except BenchmarkError as error:
        print(f"bench_select: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
