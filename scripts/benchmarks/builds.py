"""What the benchmarks of builds share: a synthetic release, and a build measured as a whole.

Memory is measured in two ways, ten times a second, each summed over the process and its
descendants: what they hold resident (RSS), in which a page that three of them share counts three
times; and their shares (PSS, Linux only), in which it counts once, so that the sum is what the
machine has to provide. Targets are judged by the first, which is never the smaller one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from measurement import BenchmarkError, package_command, share_bytes

SCRIPTS = Path(__file__).parent


@dataclass(frozen=True)
class Run:
    """What one process and its descendants took.

    Attributes:
        seconds: from start to end.
        peak_mb: largest sum of resident sets (RSS), in units of 10^6 bytes.
        peak_share_mb: largest sum of proportional sets (PSS); 0 where the system tells none.
        written_mb: what it left in the target folder.
    """

    seconds: float
    peak_mb: float
    peak_share_mb: float
    written_mb: float


@dataclass(frozen=True)
class Target:
    """From where to where.

    Attributes:
        source: the archives.
        folder: written to; emptied before.
        cold: the source is dropped from memory first, and the time counts until all is on disk.
    """

    source: Path
    folder: Path
    cold: bool


class _Memory(threading.Thread):
    """Samples the memory of a process and its descendants until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self.peak_mb = self.peak_share_mb = 0.0

    def run(self) -> None:
        while not self._ended.wait(0.1):
            resident = shares = 0
            with contextlib.suppress(psutil.Error):
                for process in (self._process, *self._process.children(recursive=True)):
                    with contextlib.suppress(psutil.Error):
                        resident += process.memory_info().rss
                        shares += share_bytes(process.pid)
            self.peak_mb = max(self.peak_mb, resident / 1e6)
            self.peak_share_mb = max(self.peak_share_mb, shares / 1e6)

    def end(self) -> None:
        self._ended.set()
        self.join()


def build(command: Sequence[str], target: Target, images: int | None) -> Run:
    """Runs a command that builds into an empty target, without a saved index.

    Raises:
        BenchmarkError: it failed, or the last word it printed is not that number of images.
    """
    shutil.rmtree(target.folder, ignore_errors=True)
    (target.source / "pass_index.arrow").unlink(missing_ok=True)
    if target.cold:
        os.sync()
        forget(target.source)
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        memory = _Memory(process.pid)
        memory.start()
        output, _ = process.communicate()
        if target.cold:
            os.sync()
        seconds = time.perf_counter() - started
        memory.end()
        errors.seek(0)
        said = errors.read()
    if process.returncode or (images is not None and output.split()[-1:] != [str(images)]):
        raise BenchmarkError(f"{' '.join(command)[-200:]}: {output[-500:]}{said[-3000:]}")
    written_mb = bytes_in(target.folder) / 1e6
    return Run(seconds, memory.peak_mb, memory.peak_share_mb, written_mb)


def bytes_in(folder: Path) -> int:
    """Bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def forget(folder: Path) -> None:
    """Asks the system to drop a folder's files from its page cache."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def add_release_options(parser: argparse.ArgumentParser) -> None:
    """Adds what `synthetic_release` goes by, and whether the source is dropped from memory."""
    parser.add_argument("--work", type=Path, default=Path("/dev/shm"), metavar="DIR")
    parser.add_argument("--source", type=Path, metavar="DIR", help="made by make_synthetic.py")
    parser.add_argument("--images", type=int, default=25_000)
    parser.add_argument("--body-bytes-mean", type=int, default=124_000, metavar="M")
    parser.add_argument("--body-bytes", type=int, metavar="B", help="all of this size instead")
    parser.add_argument("--cold", action="store_true", help="drop the source from memory first")
    parser.add_argument("--keep", action="store_true", help="leave the synthetic release there")


@contextlib.contextmanager
def synthetic_release(options: argparse.Namespace, name: str) -> Iterator[Path]:
    """A folder with archives that are on record, as `options` say.

    Args:
        options: `source`, or `work`, `images`, `body_bytes` or `body_bytes_mean`, and `keep`.
        name: what the folder's name begins with.
    """
    if options.source:
        yield on_record(options.source)
        return
    if options.body_bytes:
        size = ["--body-bytes", str(options.body_bytes)]
    else:
        size = ["--body-bytes-mean", str(options.body_bytes_mean)]
    folder = options.work / f"{name}-{options.images}-{size[1]}"
    try:
        if not (folder / "checksums.tsv").is_file():
            make = [sys.executable, str(SCRIPTS / "make_synthetic.py"), str(folder)]
            subprocess.run(
                [*make, "--images", str(options.images), *size], check=True, capture_output=True
            )
        yield on_record(folder)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def on_record(folder: Path) -> Path:
    """Verifies the archives, as the download does."""
    verify = package_command("verify", folder, "--release", folder / "checksums.tsv")
    subprocess.run(verify, check=True, capture_output=True)
    return folder


def images_of(source: Path) -> int:
    """Number of images that the checksum file names."""
    from pass_dataset.releases.release import read_release

    return read_release(source / "checksums.tsv").num_examples or 0
