"""Benchmark: `pass-dataset download` beside `curl | sha256sum`, from an nginx on this machine.

    python scripts/benchmarks/bench_download.py

starts nginx on a free port of 127.0.0.1 (no root needed; `apt-get install nginx`), lets it serve
files of random bytes with `sendfile` from the page cache, and fetches them in rounds that take
turns between

- `curl -s URL | sha256sum`: fetch and hash, nothing written;
- `curl -s URL | tee FILE | sha256sum`: written to the disk as well, as a download is;
- the same with `openssl dgst -sha256` for `sha256sum`, where openssl is installed: many builds
  of sha256sum do without the processor's SHA instructions and are several times slower than it;
- `pass-dataset download` into an empty folder on the same disk: fetched, verified and named.

Every way is one process (or pipe) from nothing each time, so the start of Python counts; it is
printed apart too. curl takes the archives one after the other; the package also fetches a small
CSV in its time, whose bytes are not counted. Before each run the disk is synchronized, after it
what was written is deleted, so that no run pays for another's writes. `--work /dev/shm` leaves
the disk out altogether.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from checksummed import FileFacts, hashed_file, write_checksums
from make_synthetic import CHECKSUMS_NAME, METADATA_NAME
from measurement import (
    BenchmarkError,
    format_table,
    machine_line,
    measure,
    package_command,
    require_package,
)
from webserver import find_nginx, free_port, nginx

logger = logging.getLogger("bench_download")

TARGET_RATIO = 0.8
STARTUP_ROUNDS = 5
CHUNK_BYTES = 8 << 20

PACKAGE = "pass-dataset download"
CURL_HASH = "curl | sha256sum"
CURL_TEE_HASH = "curl | tee FILE | sha256sum"
CURL_OPENSSL = "curl | openssl dgst -sha256"
CURL_TEE_OPENSSL = "curl | tee FILE | openssl dgst -sha256"


@dataclass(frozen=True)
class Served:
    """What nginx serves: the archives that are counted, and the checksum file of all."""

    archives: tuple[FileFacts, ...]
    checksums: Path
    base_url: str

    @property
    def megabytes(self) -> float:
        """Of the archives, in units of 10^6 bytes."""
        return sum(file.size_bytes for file in self.archives) / 1e6


# Fetches everything into an empty folder; raises BenchmarkError where something is not right.
Way = Callable[[Served, Path], None]


def require_programs() -> None:
    """Fail early where a program of the comparison is missing."""
    missing = [name for name in ("curl", "sha256sum", "tee") if shutil.which(name) is None]
    if missing:
        raise BenchmarkError(f"not found: {', '.join(missing)}; install curl and coreutils")
    find_nginx()


def write_random(path: Path, size_bytes: int) -> FileFacts:
    """Write a file of random bytes."""
    with hashed_file(path) as out:
        for start in range(0, size_bytes, CHUNK_BYTES):
            out.write(os.urandom(min(CHUNK_BYTES, size_bytes - start)))
    return out.facts(path.name)


def make_served(work: Path, size_mb: int, count: int, port: int) -> Served:
    """Make the folder that nginx serves, and the checksum file beside it."""
    folder = work / "served"
    folder.mkdir()
    size_bytes = size_mb * 10**6 // count
    logger.info("making %d MB of random bytes", size_mb)
    archives = tuple(write_random(folder / f"PASS.{part}.tar", size_bytes) for part in range(count))
    with hashed_file(folder / METADATA_NAME) as out:
        out.write(b",unickname,datetaken,licensename,hash,latitude,longitude\n")
    metadata = out.facts(METADATA_NAME)
    base_url = f"http://127.0.0.1:{port}/"
    write_checksums(work / CHECKSUMS_NAME, "0.0.1", 0, [*archives, metadata], base_url)
    return Served(archives, work / CHECKSUMS_NAME, base_url)


def pipe(commands: Sequence[Sequence[str | Path]]) -> str:
    """Run commands in a pipe, as a shell does, and return what the last one wrote.

    Raises:
        BenchmarkError: one of them failed.
    """
    processes: list[subprocess.Popen[bytes]] = []
    for command in commands:
        source = processes[-1].stdout if processes else None
        processes.append(subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE))
        if source is not None:
            source.close()  # else a writer would never notice that its reader has gone
    output = processes[-1].communicate()[0].decode()
    for process, command in zip(processes, commands, strict=True):
        if process.wait():
            raise BenchmarkError(f"exit status {process.returncode} of: {command}")
    return output


def curl_way(hash_command: Sequence[str], keep_file: bool) -> Way:
    """Fetch with curl into a hashing command, through tee where the file is kept."""

    def fetch(served: Served, folder: Path) -> None:
        for file in served.archives:
            commands: list[Sequence[str | Path]] = [
                ["curl", "--fail", "-sS", served.base_url + file.filename],
                hash_command,
            ]
            if keep_file:
                commands.insert(1, ["tee", folder / file.filename])
            output = pipe(commands)
            if file.sha256 not in output:
                raise BenchmarkError(f"{file.filename}: expected {file.sha256}, found {output!r}")

    return fetch


def package_way(connections: int) -> Way:
    """Fetch with the package."""

    def fetch(served: Served, folder: Path) -> None:
        measure(
            package_command(
                "download", folder, "--release", served.checksums, "--mirror", served.base_url,
                "--connections", str(connections),
            )
        )  # fmt: skip
        for file in served.archives:
            found = (folder / file.filename).stat().st_size
            if found != file.size_bytes:
                raise BenchmarkError(f"{file.filename}: {file.size_bytes} bytes, found {found}")

    return fetch


def all_ways(connections: int) -> dict[str, Way]:
    """The ways to compare, by name."""
    ways = {
        CURL_HASH: curl_way(["sha256sum"], keep_file=False),
        CURL_TEE_HASH: curl_way(["sha256sum"], keep_file=True),
    }
    if shutil.which("openssl"):
        openssl = ["openssl", "dgst", "-sha256"]
        ways[CURL_OPENSSL] = curl_way(openssl, keep_file=False)
        ways[CURL_TEE_OPENSSL] = curl_way(openssl, keep_file=True)
    return {**ways, PACKAGE: package_way(connections)}


def time_way(way: Way, served: Served, work: Path) -> float:
    """Seconds of one fetch into a new folder, which is deleted afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fetched-", dir=work))
    try:
        os.sync()
        started = time.perf_counter()
        way(served, folder)
        return time.perf_counter() - started
    finally:
        shutil.rmtree(folder)


def run_rounds(
    ways: dict[str, Way], served: Served, work: Path, rounds: int
) -> dict[str, list[float]]:
    """MB/s of every way in every round."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds):
        # Each round begins with another way, so that none always follows the same one.
        first = number % len(names)
        for name in names[first:] + names[:first]:
            rate = served.megabytes / time_way(ways[name], served, work)
            logger.info("round %d of %d: %s: %.0f MB/s", number + 1, rounds, name, rate)
            rates[name].append(rate)
    return rates


def startup_seconds() -> float:
    """Median time of the package's command that only prints its help."""
    command = package_command("download", "--help")
    return median(measure(command).seconds for _ in range(STARTUP_ROUNDS))


def hash_rates(served: Served) -> str:
    """How fast each program hashes the first file from the page cache, as one line."""
    file = served.archives[0]
    path = served.checksums.parent / "served" / file.filename

    def rate(hash_file: Callable[[], object]) -> str:
        started = time.perf_counter()
        hash_file()
        return f"{file.size_bytes / 1e6 / (time.perf_counter() - started):.0f} MB/s"

    def with_hashlib() -> None:
        digest = hashlib.sha256()
        with path.open("rb", buffering=0) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)

    rates = [f"sha256sum {rate(lambda: pipe([['sha256sum', path]]))}"]
    if shutil.which("openssl"):
        rates.append(f"openssl {rate(lambda: pipe([['openssl', 'dgst', '-sha256', path]]))}")
    rates.append(f"Python's hashlib {rate(with_hashlib)}")
    return f"SHA-256 of a file in the page cache: {', '.join(rates)}"


def format_rates(rates: dict[str, list[float]]) -> str:
    """The result as a table, with the package's ratio to each of the others."""
    package = median(rates[PACKAGE])
    lines = [["MB/s", "min", "median", "max", "package / this", "target", ""]]
    for name, values in rates.items():
        line = [name, *(f"{value:.0f}" for value in (min(values), median(values), max(values)))]
        ratio = package / median(values)
        line.append("" if name == PACKAGE else f"{ratio:.2f}")
        if name == CURL_HASH:
            line += [f">= {TARGET_RATIO}", "met" if ratio >= TARGET_RATIO else "missed"]
        lines.append(line + [""] * (len(lines[0]) - len(line)))
    return format_table(lines)


def benchmark(work: Path, options: argparse.Namespace) -> str:
    """Measure all and return the report."""
    program = find_nginx()
    port = free_port()
    served = make_served(work, options.size_mb, options.files, port)
    hashing = hash_rates(served)
    startup = startup_seconds()
    with nginx(program, work, port):
        rates = run_rounds(all_ways(options.connections), served, work, options.rounds)
    title = (
        f"{served.megabytes:,.0f} MB in {len(served.archives)} file(s), {options.rounds} rounds, "
        f"{options.connections} connection(s) of the package, one of curl"
    )
    together = median(served.megabytes / rate for rate in rates[PACKAGE])
    apart = (
        f"start of the package's command (--help): {startup:.2f} s, "
        f"within the {together:.2f} s of a download"
    )
    return "\n".join([machine_line(), title, "", format_rates(rates), "", apart, hashing])


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        description="Speed of pass-dataset download beside curl and sha256sum, from a local nginx."
    )
    parser.add_argument(
        "--size-mb", type=int, default=2000, help="of all files together (default: %(default)s)"
    )
    parser.add_argument(
        "--files", type=int, default=1, help="number of archives (default: one, a single stream)"
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="runs of each way (default: %(default)s)"
    )
    parser.add_argument(
        "--connections",
        type=int,
        default=1,
        help="of the package; more than one needs more than one file (default: %(default)s)",
    )
    parser.add_argument(
        "--work",
        metavar="DIR",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="where files are made and fetched to, with room for twice --size-mb, such as "
        "/dev/shm for memory (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    for name in ("size_mb", "files", "rounds", "connections"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')}: expected 1 or more")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; exit status 0 when all was measured, whether targets are met or not."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        require_programs()
        require_package()
        options.work.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="pass-bench-", dir=options.work) as work:
            print(benchmark(Path(work), options))
    except BenchmarkError as error:
        print(f"bench_download: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
