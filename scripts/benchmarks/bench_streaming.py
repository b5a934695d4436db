"""Benchmark: `load_dataset('pass', streaming=True)` over HTTP, from an nginx on this machine.

    python scripts/benchmarks/bench_streaming.py --work DIR

makes a synthetic release of one tar of 1 GB in DIR (deleted when it is done), lets nginx serve it,
and measures in fresh processes

- the first record: seconds from the call of `load_dataset`, and bytes that nginx sent of the tar;
- the first record of a shuffled stream, which begins somewhere in the middle of the tar;
- a full pass: each record once, the rate, and bytes sent over bytes there are; by this process
  alone, and by 1, 2 and 7 workers of a torch `DataLoader` where torch is installed.

The metadata is fetched before, as by an earlier run. Beside it stands `curl` of the same tar.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builds import images_of
from measurement import BenchmarkError, format_table, machine_line
from webserver import answers, find_nginx, free_port, nginx

SCRIPTS = Path(__file__).parent
TARGET_S, TARGET_MB = 3.0, 10.0

# Run as `python -c CODE RELEASE URL CACHE WORKERS SHUFFLED LIMIT`; prints records, seconds, and
# how many of them were different ones.
STREAM = """
import sys, time
import pass_dataset
import datasets
release, url, cache, workers, shuffled, limit = sys.argv[1:]
started = time.perf_counter()
rows = datasets.load_dataset(
    "pass", release=release, mirrors=url, cache_dir=cache, split="train", streaming=True
).cast_column("image", datasets.Image(decode=False))
if int(shuffled):
    from inspect import signature
    # From datasets 5 on, a shuffled stream reads ten shards at a time if it is not told otherwise.
    has_limit = "max_buffer_input_shards" in signature(rows.shuffle).parameters
    one = {"max_buffer_input_shards": 1} if has_limit else {}
    rows = rows.shuffle(seed=1, buffer_size=1, **one)
if int(workers):
    from torch.utils.data import DataLoader
    rows = DataLoader(rows, batch_size=None, num_workers=int(workers))
seen = []
for row in rows:
    seen.append(row["hash"])
    if len(seen) == int(limit):
        break
print(len(seen), time.perf_counter() - started, len(set(seen)))
"""


@dataclass(frozen=True)
class Line:
    """One measurement.

    Attributes:
        what: in words.
        records: that came.
        different: of them.
        seconds: from the call of `load_dataset`.
        sent_mb: by nginx, of tars, in units of 10^6 bytes.
        requests: for them.
    """

    what: str
    records: int
    different: int
    seconds: float
    sent_mb: float
    requests: int


@contextlib.contextmanager
def served(options: argparse.Namespace) -> Iterator[tuple[Path, str]]:
    """A synthetic release and the URL it is served at."""
    work = options.work / "bench_streaming"
    shutil.rmtree(work, ignore_errors=True)
    try:
        (work / "served").mkdir(parents=True)
        make = [sys.executable, str(SCRIPTS / "make_synthetic.py"), str(work / "served")]
        size = ["--images", str(options.images), "--body-bytes-mean", str(options.body_bytes_mean)]
        subprocess.run([*make, *size, "--tars", "1"], check=True, capture_output=True)
        port = free_port()
        with nginx(find_nginx(), work, port, log=True):
            yield work, f"http://127.0.0.1:{port}"
    finally:
        shutil.rmtree(work, ignore_errors=True)


def stream(
    work: Path, url: str, what: str, *, workers: int = 0, shuffled: bool = False, limit: int = -1
) -> Line:
    """Streams in a process of its own.

    Raises:
        BenchmarkError: it failed.
    """
    log = work / "access.log"
    log.write_text("")
    places = [str(work / "served" / "checksums.tsv"), url, str(work / "cache")]
    numbers = map(str, (workers, int(shuffled), limit))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STREAM, *places, *numbers],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BenchmarkError(f"{what}: {done.stderr[-3000:]}")
    records, seconds, different = done.stdout.split()[-3:]
    time.sleep(0.5)  # nginx logs an answer once it is over
    tars = [answer for answer in answers(work) if answer.name.endswith(".tar")]
    sent_mb = sum(answer.sent_bytes for answer in tars) / 1e6
    return Line(what, int(records), int(different), float(seconds), sent_mb, len(tars))


def curl_seconds(url: str) -> float | None:
    """Seconds that curl takes for the tar; None where there is no curl."""
    if shutil.which("curl") is None:
        return None
    started = time.perf_counter()
    subprocess.run(["curl", "-s", "-o", "/dev/null", f"{url}/PASS.0.tar"], check=True)
    return time.perf_counter() - started


def benchmark(options: argparse.Namespace) -> bool:
    """Measures and prints; True if all targets are met."""
    with served(options) as (work, url):
        images = images_of(work / "served")
        tar_mb = (work / "served" / "PASS.0.tar").stat().st_size / 1e6
        stream(work, url, "metadata", limit=1)
        firsts = [
            stream(work, url, "first record", limit=1),
            stream(work, url, "first record, shuffled", limit=1, shuffled=True),
        ]
        passes = [stream(work, url, "full pass")]
        if importlib.util.find_spec("torch") is not None:
            passes += [
                stream(work, url, f"full pass, {workers} workers", workers=workers)
                for workers in options.workers
            ]
        fetched = curl_seconds(url)
    print(f"{images:,} images in a tar of {tar_mb:,.0f} MB\n{machine_line()}\n")
    lines = [["what", "records", "s", "MB/s", "sent MB", "requests"]]
    for line in (*firsts, *passes):
        rate = f"{tar_mb / line.seconds:.0f}" if line in passes else ""
        lines.append(
            [
                line.what,
                f"{line.records:,}",
                f"{line.seconds:.2f}",
                rate,
                f"{line.sent_mb:.2f}",
                str(line.requests),
            ]
        )
    if fetched is not None:
        lines.append(
            ["curl", "", f"{fetched:.2f}", f"{tar_mb / fetched:.0f}", f"{tar_mb:.2f}", "1"]
        )
    print(format_table(lines))
    met = all(line.seconds < TARGET_S and line.sent_mb < TARGET_MB for line in firsts)
    met &= all(line.records == line.different == images for line in passes)
    print(f"targets {'met' if met else 'MISSED'}")
    return met


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, default=Path("/dev/shm"), metavar="DIR")
    parser.add_argument("--images", type=int, default=8_600)
    parser.add_argument("--body-bytes-mean", type=int, default=124_000, metavar="M")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 7])
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark; returns its exit code."""
    options = parse(arguments)
    try:
        return 0 if benchmark(options) else 1
    except (BenchmarkError, subprocess.CalledProcessError) as error:
        print(f"bench_streaming: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
