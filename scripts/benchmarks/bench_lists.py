"""Benchmark: lists of images, as long as PASS.

    python scripts/benchmarks/bench_lists.py

writes lists of 1.44 million names by the law of PASS's hashes (the bytes of MD5 sums, each printed
without its leading zero: 16 to 32 characters) in several forms, and measures, each in a fresh
process: reading a list (`read_hash_list`), reading it as a removal list (`read_removals`, all
spellings as Python texts), looking all of it up in a collection (`resolve`, `unmatched`), and
reading it as an opt-out list of the filter: processor time and peak memory.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measurement import BenchmarkError, format_table, machine_line, measure_tree, require_package

SUM = "ab" * 32
#: How a line of a list is written, and the encoding of the list.
FORMS: dict[str, tuple[Callable[[str], str], str]] = {
    "hashes": (str, "ascii"),
    "names in folders": ("PASS_dataset/0/{}.jpg".format, "ascii"),
    "UTF-16": ("{}.jpg".format, "utf-16"),
    "sha256sum": ((SUM + "  0/{}.jpg").format, "ascii"),
    "capitals": (str.upper, "ascii"),
}
NOTHING = "import pass_dataset.archives.removals, pass_dataset.passify.runs.exclusions"
READ = """
from pass_dataset.archives.hash_lists import read_hash_list
print(len(read_hash_list({path!r})))
"""
REMOVALS = """
from pass_dataset.archives.removals import read_removals
print(len(read_removals({path!r}).hashes))
"""
LOOK_UP = """
from pass_dataset.archives.hash_lists import read_hash_list, resolve, unmatched
known = read_hash_list({known!r})
names = read_hash_list({path!r})
resolve(names, known)
assert not unmatched(names, known)
"""
OPT_OUT = """
from pathlib import Path
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.sources.path_forms import PathForm
print(len(Exclusions.load(Path({path!r}), PathForm((b"/data",)))))
"""
PROGRAMS = {
    "read": READ,
    "as removals": REMOVALS,
    "looked up": LOOK_UP,
    "as opt-outs": OPT_OUT,
}


def of_law(number: int) -> str:
    """The hash of an image, as PASS has them."""
    return "".join(f"{byte:x}" for byte in hashlib.md5(b"%d" % number).digest())


def benchmark(work: Path, images: int) -> str:
    """Measure all and return the report."""
    names = [of_law(number) for number in range(images)]
    lengths = sorted(set(map(len, names)))
    known = work / "known.txt"
    known.write_text("\n".join(names))
    lines = [["list", "MB", *(f"{name}, s of processor (peak MB)" for name in PROGRAMS)]]
    start = measure_tree([sys.executable, "-c", NOTHING], poll_s=0.02)
    for form, (line, encoding) in FORMS.items():
        path = work / "list.txt"
        path.write_text("\n".join(map(line, names)), encoding)
        row = [form, f"{path.stat().st_size / 1e6:.0f}"]
        for program in PROGRAMS.values():
            code = program.format(path=str(path), known=str(known))
            run = measure_tree([sys.executable, "-c", code], poll_s=0.02)
            row.append(f"{run.cpu_s - start.cpu_s:.1f} ({run.peak_mb:.0f})")
        lines.append(row)
    return "\n".join(
        [
            f"{images:,} names of {lengths[0]} to {lengths[-1]} characters; starting Python takes "
            f"{start.cpu_s:.1f} s of processor, which do not count, and {start.peak_mb:.0f} MB",
            machine_line(),
            format_table(lines),
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Measure; exit status 0 when all was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=1_440_000, help="default: %(default)s")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        require_package()
        with tempfile.TemporaryDirectory(dir=options.work, prefix="bench_lists-") as work:
            print(benchmark(Path(work), options.images))
    except BenchmarkError as error:
        print(f"bench_lists: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
