"""Benchmark: memory of a loader's workers, over ten epochs of a release the size of PASS.

    python scripts/benchmarks/bench_torch_memory.py

makes a synthetic release of 1.44 million small images with `make_synthetic.py` (2.4 GB in the
temporary folder or in `--work DIR`) and reads it with `PASS`, with `PassStream`, and with one that
hands JPEGs over (`jpegs`), by two workers that live on from epoch to epoch, `--images` of each
epoch (a whole one with 0; memory that grows with what is read shows after some thousands).
After each epoch it prints what the workers hold:

- own: private pages of the largest worker, what it costs to have it (`USS`);
- peak: the highest resident set of a worker so far, shared pages such as PyTorch's code and the
  mapped index counted in full.

The first epoch is compared with the same reader on a release of 1,000 images, whose workers hold
PyTorch and nothing else: the difference is what the size of PASS costs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from measurement import (
    BenchmarkError,
    format_table,
    machine_line,
    measure,
    package_command,
    require_package,
)

SCRIPTS = Path(__file__).parent
TARGET_MB = 300.0

# Run as `python -c CODE FOLDER KIND EPOCHS IMAGES`.
EPOCHS_CODE = """
import itertools, json, sys
import psutil, torch
from torch.utils.data import DataLoader
from pass_dataset.torch import PASS, PassStream
folder, kind, epochs, images = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
make = {"map": PASS, "stream": PassStream, "jpegs": PassStream}[kind]
settings = {} if kind == "map" else {"batch_size": 256}
settings |= {"decode": "jpeg"} if kind == "jpegs" else {"transform": len, "decode": "bytes"}
dataset = make(folder, folder + "/checksums.tsv", **settings)
shuffle = True if kind == "map" else None
loader = DataLoader(dataset, 256, shuffle=shuffle, num_workers=2, persistent_workers=True)
def peak_mb(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / 1e6
found = []
for epoch in range(epochs):
    if kind != "map":
        dataset.set_epoch(epoch)
    for _ in itertools.islice(loader, images // 256 or None):
        pass
    workers = psutil.Process().children()
    own = max(worker.memory_full_info().uss for worker in workers) / 1e6
    found.append([own, max(peak_mb(worker.pid) for worker in workers)])
print(json.dumps(found))
"""


def epochs_of(folder: Path, kind: str, epochs: int, images: int) -> list[tuple[float, float]]:
    """Own and peak memory, MB, after each epoch."""
    code: list[str | Path] = [sys.executable, "-c", EPOCHS_CODE, folder, kind]
    code += [str(epochs), str(images)]
    return [(own, peak) for own, peak in json.loads(measure(code).output)]


def release(folder: Path, images: int) -> Path:
    """A synthetic release with its index."""
    make: list[str | Path] = [sys.executable, SCRIPTS / "make_synthetic.py", folder]
    measure([*make, "--images", str(images), "--body-bytes", "600"])
    measure(package_command("index", folder, "--release", folder / "checksums.tsv"))
    return folder


def benchmark(options: argparse.Namespace, work: Path) -> str:
    """Measure both readers and return the report."""
    small = release(work / "small", 1000)
    large = release(work / "large", options.release_images)
    lines = [["", "own MB", "peak MB", "peak over small", "growth of own", "of peak"]]
    met = True
    for kind in ("map", "stream", "jpegs"):
        base = epochs_of(small, kind, 1, 0)[0]
        epochs = epochs_of(large, kind, options.epochs, options.images)
        lines.append([f"{kind}, 1,000 images", f"{base[0]:.0f}", f"{base[1]:.0f}", "", "", ""])
        for number, (own, peak) in enumerate(epochs, start=1):
            over = peak - base[1]
            grown = (own - epochs[0][0], peak - epochs[0][1])
            lines.append(
                [f"{kind}, epoch {number}", f"{own:.0f}", f"{peak:.0f}", f"{over:.0f}"]
                + [f"{growth:+.1f}" for growth in grown]
            )
            met &= over < TARGET_MB
    title = f"{options.release_images:,} images; of each epoch {options.images or 'all':,} read"
    verdict = f"peak over that of 1,000 images < {TARGET_MB:.0f} MB: {'met' if met else 'MISSED'}"
    return "\n".join([machine_line(), title, "", format_table(lines), verdict])


def main(arguments: list[str] | None = None) -> int:
    """Measure; exit status 0 when all was measured, whether the target is met or not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--release-images", type=int, default=1_440_000)
    parser.add_argument("--images", type=int, default=100_000, help="read of each epoch; 0: all")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()), metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        require_package()
        with tempfile.TemporaryDirectory(dir=options.work, prefix="bench_torch-") as work:
            print(benchmark(options, Path(work)))
    except BenchmarkError as error:
        print(f"bench_torch_memory: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
