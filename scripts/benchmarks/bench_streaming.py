"""Benchmark: `load_dataset('pass', streaming=True)` over HTTP, from an nginx on this machine.

    python scripts/benchmarks/bench_streaming.py --work DIR

makes a synthetic release of two tars of 0.5 GB in DIR (deleted when it is done), lets nginx serve
it, and measures in fresh processes

- the first record: seconds from the call of `load_dataset`, and bytes that nginx sent of the tars;
- the first record of a shuffled stream, which begins somewhere in the middle of a tar;
- a full pass, each record once: as rows and as Arrow tables, by this process alone and by workers
  of a torch `DataLoader`, which hand over rows as they are or JPEGs in shared memory
  (`collate_rows`; of tables in batches that `datasets` makes). The rate by the clock, from the
  first row asked for to the last one had; the rate by the processor's time of the process and its
  workers, which a busy machine changes least; requests, and bytes sent over bytes there are.

The metadata is fetched before, as by an earlier run. Beside it stand `datasets`' own streaming of
the same tars (`load_dataset("webdataset")`, which shares out tars among workers), and `curl`. Of
two passes the CRC-32 of each image is compared with that of the image in the tars. What nginx
itself takes of the processor is not counted.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from builds import images_of
from measurement import BenchmarkError, format_table, machine_line, measure_tree
from webserver import answers, find_nginx, free_port, nginx

SCRIPTS = Path(__file__).parent
TARS = 2
TARGET_S, TARGET_MB = 3.0, 10.0
TARGET_MB_PER_S, TARGET_RATIO = 500.0, 3.0

# Run as `python -c CODE SETTINGS`, of which all are in JSON; prints JSON.
STREAM = """
import json, resource, sys, time, zlib
import pass_dataset
import datasets
settings = json.loads(sys.argv[1])
if settings["workers"]:
    from torch.utils.data import DataLoader
    from pass_dataset.torch import collate_rows

def cpu_s():
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whose))

started = time.perf_counter()
if settings["kind"] == "webdataset":
    rows = datasets.load_dataset(
        "webdataset", data_files={"train": settings["urls"]}, cache_dir=settings["cache"],
        split="train", streaming=True,
    )
    image, name = "jpg", "__key__"
else:
    image, name = "image", "hash"
    rows = datasets.load_dataset(
        "pass", release=settings["release"], mirrors=settings["url"], cache_dir=settings["cache"],
        split="train", streaming=True, tables=settings["kind"] == "tables",
    )
rows = rows.cast_column(image, datasets.Image(decode=False))
if settings["shuffled"]:
    from inspect import signature
    # From datasets 5 on, a shuffled stream reads ten shards at a time if it is not told otherwise.
    has_limit = "max_buffer_input_shards" in signature(rows.shuffle).parameters
    one = {"max_buffer_input_shards": 1} if has_limit else {}
    rows = rows.shuffle(seed=1, buffer_size=1, **one)
if settings["kind"] == "tables":
    rows = rows.with_format("arrow")
if settings["workers"]:
    is_batched = settings["collate"] and settings["kind"] == "tables"
    rows = DataLoader(
        rows.batch(64) if is_batched else rows,
        batch_size=64 if settings["collate"] and not is_batched else None,
        num_workers=settings["workers"],
        collate_fn=collate_rows if settings["collate"] else None,
    )
elif settings["kind"] == "tables":
    rows = rows.iter(batch_size=64)
begun, used_s = time.perf_counter(), cpu_s()
seen, size_bytes, crc = [], 0, 0
for some in rows:
    if settings["collate"]:
        names, jpegs = some["hash"], list(some["image"])
        size_bytes += some["image"].data.numel()
    elif settings["kind"] == "tables":
        names, jpegs = some["hash"].to_pylist(), some["image"].combine_chunks().field("bytes")
        size_bytes += sum(jpeg.as_buffer().size for jpeg in jpegs)
    else:
        names, jpegs = [some[name]], [some[image]["bytes"]]
        size_bytes += len(jpegs[0])
    seen.extend(names)
    if settings["check"]:
        for one, jpeg in zip(names, jpegs, strict=True):
            data = jpeg.numpy() if settings["collate"] else jpeg
            crc ^= zlib.crc32(data, zlib.crc32(one.encode()))
    if len(seen) == settings["limit"]:
        break
ended = time.perf_counter()
del rows
print(json.dumps({
    "records": len(seen), "different": len(set(seen)), "size_bytes": size_bytes, "crc": crc,
    "seconds": ended - started, "pass_s": ended - begun, "cpu_s": cpu_s() - used_s,
}))
"""


@dataclass(frozen=True)
class Way:
    """A way to stream.

    Attributes:
        kind: rows, tables, or webdataset.
        workers: of a `DataLoader`; 0: the process alone.
        collate: hand over JPEGs in shared memory.
        shuffled: begin somewhere.
        limit: records to stop after; -1 for all.
        check: the CRC-32 of each image.
    """

    kind: str = "rows"
    workers: int = 0
    collate: bool = False
    shuffled: bool = False
    limit: int = -1
    check: bool = False

    @property
    def words(self) -> str:
        """What is measured."""
        how = f", {self.workers} workers" if self.workers else ""
        return self.kind + how + (", collate_rows" if self.collate else "")


@dataclass(frozen=True)
class Line:
    """One measurement.

    Attributes:
        way: what was measured.
        records: that came.
        different: of them.
        size_bytes: of their images.
        crc: of them all.
        seconds: from the call of `load_dataset`.
        pass_s: of these, from the first row asked for.
        cpu_s: of the processor, in this time.
        sent_mb: by nginx, of tars, in units of 10^6 bytes.
        requests: for them.
    """

    way: Way
    records: int
    different: int
    size_bytes: int
    crc: int
    seconds: float
    pass_s: float
    cpu_s: float
    sent_mb: float
    requests: int

    @property
    def mb_per_s(self) -> float:
        """By the clock."""
        return self.size_bytes / 1e6 / self.pass_s

    @property
    def mb_per_cpu_s(self) -> float:
        """By the processor's time."""
        return self.size_bytes / 1e6 / self.cpu_s


@contextlib.contextmanager
def served(options: argparse.Namespace) -> Iterator[tuple[Path, str]]:
    """A synthetic release and the URL it is served at."""
    work = options.work / "bench_streaming"
    shutil.rmtree(work, ignore_errors=True)
    try:
        (work / "served").mkdir(parents=True)
        make = [sys.executable, str(SCRIPTS / "make_synthetic.py"), str(work / "served")]
        size = ["--images", str(options.images), "--body-bytes-mean", str(options.body_bytes_mean)]
        subprocess.run([*make, *size, "--tars", str(TARS)], check=True, capture_output=True)
        port = free_port()
        with nginx(find_nginx(), work, port, log=True):
            yield work, f"http://127.0.0.1:{port}"
    finally:
        shutil.rmtree(work, ignore_errors=True)


def stream(work: Path, url: str, way: Way) -> Line:
    """Streams in a process of its own.

    Raises:
        BenchmarkError: it failed.
    """
    log = work / "access.log"
    log.write_text("")
    settings = {
        **vars(way),
        "release": str(work / "served" / "checksums.tsv"),
        "url": url,
        "urls": [f"{url}/PASS.{tar}.tar" for tar in range(TARS)],
        "cache": str(work / "cache"),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STREAM, json.dumps(settings)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BenchmarkError(f"{way.words}: {done.stderr[-3000:]}")
    time.sleep(0.5)  # nginx logs an answer once it is over
    tars = [answer for answer in answers(work) if answer.name.endswith(".tar")]
    sent_mb = sum(answer.sent_bytes for answer in tars) / 1e6
    told = json.loads(done.stdout.splitlines()[-1])
    return Line(way, **told, sent_mb=sent_mb, requests=len(tars))


def crc_of(folder: Path) -> int:
    """What `Line.crc` is where all is as in the tars, read by the standard library."""
    import tarfile

    crc = 0
    for number in range(TARS):
        with tarfile.open(folder / f"PASS.{number}.tar") as tar:
            for member in tar:
                body = tar.extractfile(member) if member.isreg() else None
                if body is not None:
                    name = Path(member.name).stem.encode()
                    crc ^= zlib.crc32(body.read(), zlib.crc32(name))
    return crc


def full_passes(work: Path, url: str, workers: list[int]) -> list[Line]:
    """Passes over all records, ours and those of `datasets`."""
    ways = [Way(), Way("tables"), Way("webdataset")]
    if importlib.util.find_spec("torch") is not None:
        for number in workers:
            for kind in ("rows", "tables"):
                ways.append(Way(kind, number, collate=True))
            ways += [Way("rows", number), Way("webdataset", number)]
    return [stream(work, url, way) for way in ways]


def benchmark(options: argparse.Namespace) -> bool:
    """Measures and prints; True if all targets are met."""
    with served(options) as (work, url):
        images = images_of(work / "served")
        tars = [work / "served" / f"PASS.{number}.tar" for number in range(TARS)]
        tar_mb = sum(path.stat().st_size for path in tars) / 1e6
        stream(work, url, Way(limit=1))
        firsts = [stream(work, url, Way(limit=1, shuffled=last)) for last in (False, True)]
        passes = full_passes(work, url, options.workers)
        collated = [line.way for line in passes if line.way.collate and line.way.kind == "tables"]
        checked = [replace(way, check=True) for way in (Way(), *collated[:1])]
        expected = crc_of(work / "served")
        exact = all(stream(work, url, way).crc == expected for way in checked)
        fetched = None
        if shutil.which("curl") is not None:
            urls = [f"{url}/{path.name}" for path in tars]
            outputs = [text for one in urls for text in ("-o", "/dev/null", one)]
            fetched = measure_tree(["curl", "-s", *outputs], poll_s=0.01)
    load = os.getloadavg()[0]
    print(f"{images:,} images in {TARS} tars of {tar_mb:,.0f} MB; load {load:.1f}")
    print(f"{machine_line()}\n")
    for line, what in zip(firsts, ("first record", "first record, shuffled"), strict=True):
        print(f"{what}: {line.seconds:.2f} s, {line.sent_mb:.2f} MB, {line.requests} requests")
    lines = [["full pass", "records", "s", "MB/s", "processor s", "MB/s of it", "sent", "requests"]]
    for line in passes:
        lines.append(
            [
                line.way.words,
                f"{line.records:,}",
                f"{line.pass_s:.2f}",
                f"{line.mb_per_s:.0f}",
                f"{line.cpu_s:.2f}",
                f"{line.mb_per_cpu_s:.0f}",
                f"{line.sent_mb / tar_mb:.3f}",
                str(line.requests),
            ]
        )
    if fetched is not None:
        seconds, cpu_s = fetched.seconds, max(fetched.cpu_s, 0.001)
        rates = [f"{tar_mb / seconds:.0f}", f"{cpu_s:.2f}", f"{tar_mb / cpu_s:.0f}"]
        lines.append(["curl", "", f"{seconds:.2f}", *rates, "1.000", str(TARS)])
    print(f"\n{format_table(lines)}\n")
    ours = [line for line in passes if line.way.kind != "webdataset"]
    theirs = [line for line in passes if line.way.kind == "webdataset"]
    fastest = max(ours, key=lambda line: line.mb_per_s)
    ratios = {
        name: max(map(rate, ours)) / max(map(rate, theirs))
        for name, rate in {
            "by the clock": lambda line: line.mb_per_s,
            "by the processor's time": lambda line: line.mb_per_cpu_s,
        }.items()
    }
    print(f"best: {fastest.way.words}, {fastest.mb_per_s:.0f} MB/s (target {TARGET_MB_PER_S:.0f})")
    for name, ratio in ratios.items():
        print(f"the best over the best of datasets, {name}: {ratio:.1f} (target {TARGET_RATIO:g})")
    print(f"CRC-32 of all images: {'the same' if exact else 'ANOTHER'} in {len(checked)} passes")
    met = all(line.seconds < TARGET_S and line.sent_mb < TARGET_MB for line in firsts) and exact
    met &= all(line.records == line.different == images for line in passes)
    met &= fastest.mb_per_s >= TARGET_MB_PER_S and min(ratios.values()) >= TARGET_RATIO
    print(f"targets {'met' if met else 'MISSED'}")
    return met


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--work", type=Path, default=Path("/dev/shm"), metavar="DIR")
    parser.add_argument("--images", type=int, default=8_600)
    parser.add_argument("--body-bytes-mean", type=int, default=124_000, metavar="M")
    parser.add_argument("--workers", type=int, nargs="*", default=[2])
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
