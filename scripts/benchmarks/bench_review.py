"""Benchmark: a review of 1.6 million images.

    python scripts/benchmarks/bench_review.py [--images 1600000] [--pages 830]

makes tars of photographs of 500 pixels (a few, many times over: the table has all rows, and each
row its bytes), and measures, against the command's own server on this machine:

- how long a review takes to open: from its start to the answer with the first page;
- a page turn (accepting 24 images, durably, and all 24 thumbnails of the next page) at several
  places, with thumbnails made and without;
- the server's memory, and its workers';
- exporting 200,000 decisions;
- thumbnails a second of one core, against decoding the same photographs;
- one simulated reviewer in Chromium, by keyboard: pages a second, and that nothing was lost.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from measurement import format_table, machine_line
from PIL import Image

from pass_dataset.curate.review.decisions import read_log
from pass_dataset.curate.review.desk import Desk
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.images import BATCH_ROWS, COLUMNS
from pass_dataset.curate.review.serving import open_desk
from pass_dataset.curate.review.settings import ReviewSettings
from pass_dataset.curate.review.thumbnails import small_picture
from pass_dataset.curate.review.verdicts import collect, write_decisions
from pass_dataset.curate.settings import as_content
from pass_dataset.files.arrow import table_writer
from pass_dataset.files.checked_json import save_json
from pass_dataset.files.whole import writing_whole
from pass_dataset.images.decoding import decode

_PHOTOGRAPHS = 240
_SIZE = (500, 375)
_PAGE = 24


def photographs() -> list[bytes]:
    """JPEGs of 500 pixels, of about the size that those of PASS have."""
    made = []
    for number in range(_PHOTOGRAPHS):
        random = np.random.default_rng(number)
        rough = random.integers(0, 255, (47, 63, 3), np.uint8)
        picture = np.asarray(Image.fromarray(rough).resize(_SIZE, Image.Resampling.BICUBIC))
        noisy = np.clip(picture + random.normal(0, 12, picture.shape), 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noisy).save(buffer, "JPEG", quality=88)
        made.append(buffer.getvalue())
    return made


def make_review(folder: ReviewFolder, tar: Path, images: int) -> None:
    """A review of so many images, whose bytes are those of a few in one tar."""
    with tarfile.open(tar, "w", format=tarfile.USTAR_FORMAT) as file:
        for number, data in enumerate(photographs()):
            info = tarfile.TarInfo(f"{number:05d}.jpg")
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    with tarfile.open(tar) as file:
        members = [(one.offset_data, one.size) for one in file]
    starts, sizes = (np.array(one, np.int64) for one in zip(*members, strict=True))
    folder.path.mkdir()
    schema = pa.schema([*COLUMNS, pa.field("face_score", pa.float32())])
    random = np.random.default_rng(0)
    with (
        writing_whole(folder.images_path) as out,
        table_writer(out, schema) as writer,
    ):
        for first in range(0, images, BATCH_ROWS):
            rows = np.arange(first, min(first + BATCH_ROWS, images))
            which = rows % _PHOTOGRAPHS
            columns = [
                pa.array([f"{row:032x}.jpg" for row in rows.tolist()]),
                pa.array(np.zeros(len(rows), np.int32)),
                pa.array(starts[which]),
                pa.array(sizes[which]),
                pa.array(np.full(len(rows), -1, np.int32)),
                pa.array(np.full(len(rows), -1, np.int64)),
                pa.array(np.full(len(rows), -1, np.int8)),
                pa.array(random.random(len(rows), np.float32)),
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    source = {
        "path": str(tar),
        "kind": "tar",
        "root": None,
        "column": None,
        "suffixes": ["jpg"],
        "release": None,
        "only": None,
        "name_column": None,
    }
    origin = {"kind": "source", "path": str(tar), "source": source, "files": [tar.name]}
    content = {
        "schema": 1,
        "what": str(tar),
        "images": images,
        "origins": [{**origin, "states": {}}],
        "settings": as_content(ReviewSettings()),
    }
    save_json(folder.record_path, content)


class Server:
    """`pass-curate review` as a process."""

    def __init__(self, folder: ReviewFolder, tar: Path) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = int(found.getsockname()[1])
        command = [sys.executable, "-m", "pass_dataset.curate", "review", str(tar), "--out"]
        command += [str(folder.path), "--port", str(self.port)]
        started = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().strip()
        self.headers = {"Authorization": f"Bearer {self.link.partition('token=')[2]}"}
        self._local = threading.local()
        self.view = self.get("/api/next?reviewer=bench&queue=all&size=24")
        seconds = time.perf_counter() - started
        self.opened = f"{seconds:.2f} s, of processor {_processor_s(self.process.pid):.2f}"

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            self._local.connection = connection
        headers = dict(self.headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        data: bytes = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}: {data[:200]!r}")
        return data

    def get(self, path: str, body: Any = None) -> Any:
        """What is answered."""
        return json.loads(self._ask(path, None if body is None else json.dumps(body).encode()))

    def thumbnails(self, pool: ThreadPoolExecutor, images: list[int]) -> None:
        """All thumbnails of a page, six at a time as browsers do."""
        for _ in pool.map(self._ask, [f"/thumbnail/{image}" for image in images]):
            pass

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _processor_s(pid: int) -> float:
    """Seconds of processors that a process had, without its workers: also on a busy machine."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)


def page_turns(server: Server, images: int, count: int) -> tuple[list[float], list[float]]:
    """Seconds of page turns with thumbnails made, and at places where none are."""
    made, cold = [], []
    random = np.random.default_rng(1)
    with ThreadPoolExecutor(6) as pool:
        for number in range(count):
            position = int(random.integers(0, images - 10_000))
            where = f"/api/page?reviewer=bench&queue=all&size={_PAGE}&position={position}"
            view = server.get(where)
            server.thumbnails(pool, view["images"])
            time.sleep(0.7)  # a reviewer looks; the next pages are made ahead
            body = {
                "id": f"bench-{number:08d}",
                "reviewer": "bench",
                "queue": "all",
                "block": view["block"],
                "page": view["page"],
                "images": view["images"],
                "size": _PAGE,
            }
            then = view["then"]
            started = time.perf_counter()
            server.get("/api/accept", body)
            server.thumbnails(pool, then)
            made.append(time.perf_counter() - started)
            started = time.perf_counter()
            position = int(random.integers(0, images - 10_000))
            where = f"/api/page?reviewer=bench&queue=all&size={_PAGE}&position={position}"
            server.thumbnails(pool, server.get(where)["images"])
            cold.append(time.perf_counter() - started)
    return made, cold


def decide(folder: ReviewFolder, count: int) -> None:
    """So many decisions, 2 in 100 of them flags."""
    with open_desk(folder) as desk:
        _decide(desk, count)


def _decide(desk: Desk, count: int) -> None:
    for start in range(0, count, 200):
        images = list(range(start, min(start + 200, count)))
        for image in images[::50]:
            desk.mark("export", "all", (0, 0), image, "plate", "")
        desk.accept("export", "all", (0, 0), images)


def _rate(work: Callable[[bytes], object], data: list[bytes]) -> float:
    started = time.process_time()
    for one in data:
        work(one)
    return len(data) / (time.process_time() - started)


def in_chromium(server: Server, folder: ReviewFolder, pages: int) -> str:
    """One reviewer by keyboard, who marks an image on every fifth page."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    # Here, as it is the tests' own, and Chromium may be missing.
    from tests.support.chromium import Browser

    before = sum(len(e["images"]) for e in read_log(folder.decisions_path) if e["do"] == "accept")
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser("chromium", Path(profile))
        try:
            page = browser.open(server.link)
            page.wait_for("document.querySelector('#hello').open || state.view")
            page.evaluate(
                "localStorage.setItem('reviewer', 'keys'), localStorage.setItem('size', 24)"
            )
            page.evaluate("window.isOld = true")
            browser.call("Page.reload", {}, page.session)
            page.wait_for("!window.isOld && state.view")
            seen = []
            started = time.perf_counter()
            for number in range(pages):
                seen.append(page.evaluate("[state.view.block, state.view.page]"))
                if number % 5 == 0:
                    page.press("ArrowRight")
                    page.press("4")
                page.press("Enter")
                was = json.dumps(seen[-1])
                page.wait_for(
                    f"!state.waiting && JSON.stringify([state.view.block, state.view.page])"
                    f" != '{was.replace(' ', '')}' && "
                    "[...document.querySelectorAll('.tile img')].every(i => i.complete)"
                )
            seconds = time.perf_counter() - started
        finally:
            browser.close()
    log = list(read_log(folder.decisions_path))
    mine = [e for e in log if e["do"] == "accept" and e["by"] == "keys"]
    images = {image for entry in mine for image in entry["images"]}
    expected = pages * _PAGE
    total = sum(len(e["images"]) for e in log if e["do"] == "accept")
    marks = [e["image"] for e in log if e["do"] == "mark" and e["by"] == "keys"]
    flags = len({*marks})
    is_whole = (
        len(images) == expected
        and total - before == expected
        and flags == len(marks) == len(range(0, pages, 5))
    )
    return (
        f"{pages / seconds:.1f} pages/s, {expected:,} images, {flags:,} marks, "
        f"{'nothing lost or doubled' if is_whole else f'LOST: {len(images):,} were kept'}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1_600_000)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--pages", type=int, default=834, help="in Chromium; 0: without it")
    parser.add_argument("--decisions", type=int, default=200_000)
    options = parser.parse_args()
    print(machine_line())
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as place:
        folder, tar = ReviewFolder(Path(place) / "review"), Path(place) / "photographs.tar"
        make_review(folder, tar, options.images)
        server = Server(folder, tar)
        rows.append(("opened the first time", server.opened, ""))
        server.stop()
        server = Server(folder, tar)
        rows.append(("opened", server.opened, "under 2 s"))
        made, cold = page_turns(server, options.images, options.turns)
        for what, times, limit in (("made", made, "100 ms"), ("to be made", cold, "300 ms")):
            middle, most = 1000 * statistics.median(times), 1000 * max(times)
            rows.append(
                (
                    f"page turn, thumbnails {what}",
                    f"{middle:.0f} ms, most {most:.0f}",
                    f"under {limit}",
                )
            )
        workers = list(_children(server.process.pid))
        rows.append(("server's memory", f"{_rss_mb(server.process.pid):.0f} MB", "under 500 MB"))
        rows.append(("all workers' memory", f"{sum(map(_rss_mb, workers)):.0f} MB", ""))
        if options.pages:
            rows.append(("Chromium, by keyboard", in_chromium(server, folder, options.pages), ""))
        server.stop()
        decide(folder, options.decisions)
        started = time.perf_counter()
        written = write_decisions(collect(folder), Path(place) / "decisions.csv")
        seconds = time.perf_counter() - started
        rows.append((f"{written:,} decisions exported", f"{seconds:.2f} s", "under 2 s"))
    data = photographs()
    small, whole = _rate(small_picture, data), _rate(decode, data)
    rows.append(("thumbnails of a core", f"{small:.0f} /s", f"{small / whole:.2f} of decoding"))
    print(format_table([("what", "measured", "asked for"), *rows]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
