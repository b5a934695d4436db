"""Demo: a release made as PASS was, from 200,000 rows of metadata, every count known beforehand.

    python scripts/tools/demo_curate.py pass-curate-demo

writes metadata like YFCC100M's (`make_yfcc.py`) and a bucket with a photograph for each row that is
asked for, some of them missing, cut, empty, of one colour, placeholders, or with a face in them. A
web server of this machine, which refuses some requests as busy ones do, gives them to
`pass-curate run`: select, fetch, filter with the real face detector, balance, draw, release. At the
end every count of the funnel is compared with what was planted, and TensorFlow Datasets, `datasets`
and PyTorch load the release. Exit status 0: everything is as planted.

Without nginx a server of Python's is used. Without the weights of the face detector (see
PASS_WEIGHTS_DIR), or without photographs of faces (../shared/images), nobody looks for faces, which
is said.
"""

from __future__ import annotations

import argparse
import bz2
import contextlib
import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from make_yfcc import Planted, law, make
from PIL import Image

ROOT = Path(__file__).parent.parent.parent
# The web server of the benchmarks is in the folder beside this one.
sys.path.append(str(ROOT / "scripts" / "benchmarks"))
from measurement import BenchmarkError  # noqa: E402
from webserver import find_nginx, free_port, nginx  # noqa: E402

SHARED = ROOT.parent / "shared"
FACES = SHARED / "images" / "astronaut.jpg"
WEIGHTS = "mobilenet0.25_Final.pth"

#: Of the photographs under CC BY, those of half a year: some thousand.
FIRST, LAST = "2008-01-01", "2008-06-30"
PER_PHOTOGRAPHER = 6
#: Photographs of each kind that is not sound, in the order in which they are planted.
KINDS = {
    "missing": 40,
    "placeholder": 30,
    "truncated": 12,
    "not-an-image": 8,
    "not-jpeg": 6,
    "empty": 5,
    "damaged": 10,
    "single-colour": 15,
    "face": 60,
}
#: Rows added that have the id, or the address, of one that is asked for.
SAME_ID, SAME_HASH = 5, 7
#: What `fetch` finds out, what `filter` says of the bytes, and what it sees.
OF_FETCH = ("missing", "placeholder", "truncated", "not-an-image", "not-jpeg", "empty")
#: A JPEG whose end is there but not its middle: its coded data ends too early.
CAUSE_OF_DAMAGED = "truncated"
#: 503 as of a busy bucket, to one request of 32, whichever.
BUSY = """\
        if ($request_id ~ "^0[0-7]") { return 503; }
"""
SETTINGS = """\
steps = ["select", "fetch", "filter", "balance", "draw", "release"]
metadata = ["metadata/yfcc100m_dataset.bz2"]

[select]
dates = [["{first}", "{last}"]]
shard_rows = 500

[fetch]
bucket = "{url}"

[filter]
detectors = [{detectors}]

[balance]
per_photographer = {per_photographer}
sample = {sample}

[draw]
count = {count}

[release]
name = "demo"
version = "1.0.0"
tars = 4
"""


@dataclass
class Expected:
    """What the funnel has to be.

    Attributes:
      read, refused: rows of metadata, and those not selected, by cause.
      causes: by step and cause; those of none are left out.
      left: after each step.
    """

    read: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    causes: dict[str, dict[str, int]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def add(self, step: str, came: int, causes: dict[str, int]) -> int:
        """Adds a step; returns what is left after it."""
        self.causes[step] = {cause: number for cause, number in causes.items() if number}
        self.left[step] = came - sum(causes.values())
        return self.left[step]


@dataclass(frozen=True)
class Photograph:
    """A row that is asked for: its hash and its photographer."""

    hash: str
    nsid: str


# --- what is planted ------------------------------------------------------------------------------


def repeat_some(path: Path) -> int:
    """Adds rows that repeat an id or an address, as a second stream of bzip2; returns how many."""
    in_time = [row for row in _rows(path) if _is_asked_for(row)]
    rows = [[*row[:16], f"{row[16][:-4]}_again.jpg", *row[17:]] for row in in_time[:SAME_ID]]
    rows += [[row[0], f"9{row[1]}", *row[2:]] for row in in_time[-SAME_HASH:]]
    for row in rows[:SAME_ID]:
        row[2] = law(row[16])
    text = "".join("\t".join(row) + "\n" for row in rows)
    with path.open("ab") as file:
        file.write(bz2.compress(text.encode("utf-8", "surrogateescape")))
    return len(rows)


def asked_for(path: Path, planted: Planted, repeated: int, expected: Expected) -> list[Photograph]:
    """Photographs of the metadata that are asked for, each once, as plain code finds them.

    What `make_yfcc` planted as unusable is refused before anyone looks at dates.
    """
    ids: set[str] = set()
    hashes: set[str] = set()
    found, same = [], Counter[str]()
    in_time = 0
    for row in _rows(path):
        if not _is_asked_for(row):
            continue
        in_time += 1
        name = law(row[16])
        if row[1] in ids:
            same["duplicate-id"] += 1
        elif name in hashes:
            same["duplicate-hash"] += 1
        else:
            found.append(Photograph(name, row[3]))
        ids.add(row[1])
        hashes.add(name)
    videos = sum(planted.videos.values())
    by = planted.photos["by"] + sum(
        number for cause, number in planted.refused.items() if cause in _UNTOLD
    )
    all_photos = planted.rows - videos
    expected.read = planted.rows + repeated
    expected.refused = {
        **planted.refused,
        "video": videos,
        "license": all_photos - by,
        "date": planted.selected + repeated - in_time,
    }
    expected.add("select", in_time, dict(same))
    return found


_UNTOLD = ("too-few-columns", "too-many-columns", "bad-marker", "unknown-license")


def _rows(path: Path) -> Iterator[list[str]]:
    with bz2.open(path, "rb") as file:
        for line in file:
            yield line.decode("utf-8", "surrogateescape").rstrip("\n").split("\t")


def _is_asked_for(row: Sequence[str]) -> bool:
    is_by = len(row) == 25 and row[24] == "0" and "/by/" in row[18]
    return is_by and not _is_spoilt(row) and FIRST <= row[5][:10] <= LAST


def _is_spoilt(row: Sequence[str]) -> bool:
    """What `make_yfcc` does to a row, of which only the spoilt ones are so."""
    return (
        not row[1].isdigit()
        or row[16] == "gone"
        or row[12] == "181.5"
        or row[5].startswith("2007-13")
        or "\0" in row[8]
        or "\udce9" in row[8]
        or row[18] == "http://example.org/mine/"
    )


def picture(number: int) -> Image.Image:
    """A small picture of its own, of colours that run into each other."""
    colours = np.random.default_rng([7, number]).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((160, 120), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "JPEG") -> bytes:
    """The bytes of a file."""
    file = io.BytesIO()
    image.save(file, kind, quality=88)
    return file.getvalue()


def body(kind: str, number: int, face: Image.Image | None) -> bytes:
    """The file of a photograph of some kind."""
    if kind == "placeholder":
        return encoded(Image.linear_gradient("L").convert("RGB"))
    if kind == "not-an-image":
        return b'<?xml version="1.0"?>\n<Error><Code>SlowDown</Code></Error>\n'
    if kind == "empty":
        return b""
    if kind == "not-jpeg":
        return encoded(picture(number), "PNG")
    if kind == "single-colour":
        return encoded(Image.new("RGB", (160, 120), (3 * number % 256, 40, 90)))
    if kind == "face":
        assert face is not None
        return encoded(face.resize((200 + number % 100,) * 2))
    whole = encoded(picture(number))
    if kind == "truncated":
        return whole[:-300]
    if kind == "damaged":
        return whole[: len(whole) // 2] + b"\xff\xd9"
    return whole


def fill_bucket(
    bucket: Path, photographs: Sequence[Photograph], face: Image.Image | None
) -> dict[str, str]:
    """Writes the files of photographs; returns their kinds by hash: "" is sound."""
    kinds = [kind for kind, number in KINDS.items() for _ in range(number)]
    kinds = [kind for kind in kinds if kind != "face" or face is not None]
    # Spread over all: shards and photographers have some of each.
    mixed = sorted(photographs, key=lambda one: hashlib.sha256(one.hash.encode()).digest())
    found = {}
    for number, photograph in enumerate(mixed):
        kind = kinds[number] if number < len(kinds) else ""
        found[photograph.hash] = kind
        name = photograph.hash
        if kind != "missing":
            path = bucket / name[:3] / name[3:6] / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body(kind, number, face))
    return found


def expect_steps(
    expected: Expected, photographs: Sequence[Photograph], kinds: dict[str, str], looks: bool
) -> tuple[int, int]:
    """Adds all steps after the first; returns sizes of the sample and of the draw."""
    number = Counter(kinds.values())
    left = expected.add("fetch", len(photographs), {kind: number[kind] for kind in OF_FETCH})
    sound = Counter({CAUSE_OF_DAMAGED: number["damaged"]})
    sound["single-colour"] += number["single-colour"]
    left = expected.add("sound", left, dict(sound))
    if looks:
        left = expected.add("filter", left, {"face": number["face"]})
    people = Counter(one.nsid for one in photographs if kinds[one.hash] == "")
    over = sum(max(0, taken - PER_PHOTOGRAPHER) for taken in people.values())
    sample, count = (left - over) * 9 // 10, (left - over) * 7 // 10
    causes = {"photographer-cap": over, "not-sampled": left - over - sample}
    expected.add("balance", left, causes)
    expected.add("draw", sample, {"not-drawn": sample - count})
    return sample, count


# --- the server -----------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(prefix: Path, say: Callable[[str], None]) -> Iterator[str]:
    """Serves the folder `served` in `prefix`; yields the address."""
    try:
        program = find_nginx()
    except BenchmarkError:
        say("nginx is not there: a server of Python's gives the photographs")
        handler = partial(_Busy, directory=str(prefix / "served"))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        return
    port = free_port()
    with nginx(program, prefix, port, more=BUSY, log=True):
        yield f"http://127.0.0.1:{port}"


class _Busy(http.server.SimpleHTTPRequestHandler):
    """Gives files, and says 503 to one request of twenty."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        _Busy.asked += 1
        if _Busy.asked % 20 == 0:
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


# --- the demo -------------------------------------------------------------------------------------

LOAD = """
import sys
from pathlib import Path

def tensorflow_datasets(folder, names):
    import tensorflow_datasets as tfds
    (info,) = Path(folder, "tfds").rglob("dataset_info.json")
    made = tfds.as_numpy(tfds.builder_from_directory(str(info.parent)).as_dataset(split="train"))
    return {record["image/hash"].decode() for record in made}

def datasets(folder, names):
    import datasets
    made = datasets.load_dataset(
        "pass", data_dir=f"{folder}/release", split="train", cache_dir=f"{folder}/datasets"
    )
    made[0]["image"].load()
    return set(made["hash"])

def torch(folder, names):
    from pass_dataset.torch import PASS
    data = PASS(f"{folder}/release")
    assert all(data[at][0].size[0] > 0 for at in range(len(data)))
    return names if len(data) == len(names) else set()

import pass_dataset
folder, kind = sys.argv[1:]
names = {record.hash for record in pass_dataset.PassArchive(f"{folder}/release")}
assert globals()[kind](folder, names) == names, kind
print(len(names))
"""


class Demo:
    """Runs it in a folder, and says what it does."""

    def __init__(self, folder: Path, rows: int, load: bool) -> None:
        self.folder = folder
        self.rows = rows
        self.load = load
        self.wrong = 0

    def run(self) -> int:
        """Exit status."""
        expected = Expected()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.say(f"metadata of {self.rows:,} rows")
        planted = make(self.folder / "metadata", self.rows, form="bz2")
        metadata = self.folder / "metadata" / "yfcc100m_dataset.bz2"
        repeated = repeat_some(metadata)
        photographs = asked_for(metadata, planted, repeated, expected)
        face = Image.open(FACES).convert("RGB") if FACES.is_file() else None
        looks = self._looks_for_faces(face)
        self.say(f"a bucket of {len(photographs):,} photographs")
        kinds = fill_bucket(self.folder / "served", photographs, face if looks else None)
        sample, count = expect_steps(expected, photographs, kinds, looks)
        with serving(self.folder, self.say) as url:
            text = SETTINGS.format(
                first=FIRST,
                last=LAST,
                url=url,
                detectors='"face"' if looks else "",
                per_photographer=PER_PHOTOGRAPHER,
                sample=sample,
                count=count,
            )
            (self.folder / "settings.toml").write_text(text)
            out = ("--out", self.folder / "curation", "--release", self.folder / "release")
            self.command("pass_dataset.curate", "run", self.folder / "settings.toml", *out)
            self.say_faults()
        self.compare(expected)
        self.command("pass_dataset", "verify", self.folder / "release")
        if self.load:
            self.load_all()
        self.say("all is as planted" if not self.wrong else f"{self.wrong} are not as planted")
        return 1 if self.wrong else 0

    def _looks_for_faces(self, face: Image.Image | None) -> bool:
        folder = os.environ.get("PASS_WEIGHTS_DIR")
        if folder is None and (SHARED / "weights" / WEIGHTS).is_file():
            folder = os.environ["PASS_WEIGHTS_DIR"] = str(SHARED / "weights")
        has_weights = folder is not None and (Path(folder) / WEIGHTS).is_file()
        if not has_weights:
            self.say(f"{WEIGHTS} is not in PASS_WEIGHTS_DIR: nobody looks for faces")
        elif face is None:
            self.say(f"{FACES} is not there: nobody looks for faces")
        return has_weights and face is not None

    def say_faults(self) -> None:
        """Says how often the server was busy, where it keeps a log."""
        log = self.folder / "access.log"
        if log.is_file():
            asked = log.read_text().splitlines()
            names = Counter(line.split()[0] for line in asked)
            again = sum(number - 1 for number in names.values())
            self.say(f"{len(asked):,} requests, {again:,} of them asked again")

    def compare(self, expected: Expected) -> None:
        """Compares the funnel with what was planted."""
        funnel = json.loads(
            self.command("pass_dataset.curate", "funnel", self.folder / "curation", "--json")
        )
        self.equal("rows read", funnel["read"], expected.read)
        self.equal("refused", funnel["refused"], expected.refused)
        stages = {stage["step"]: stage for stage in funnel["stages"]}
        self.equal("steps", list(stages), list(expected.left))
        for step, left in expected.left.items():
            self.equal(f"causes of {step}", stages[step]["causes"], expected.causes[step])
            self.equal(f"left after {step}", stages[step]["left"], left)

    def equal(self, what: str, found: object, expected: object) -> None:
        """Says whether something is as it has to be."""
        is_right = found == expected
        self.wrong += not is_right
        self.say(f"{what}: {found}" + ("" if is_right else f" - NOT as planted: {expected}"))

    def load_all(self) -> None:
        """Has all three libraries load the release."""
        release, data = self.folder / "release", self.folder / "tfds"
        self.command("pass_dataset", "build", "tfds", "--archives", release, "--data-dir", data)
        for kind in ("tensorflow_datasets", "datasets", "torch"):
            loaded = self.python("-c", LOAD, self.folder, kind).strip()
            self.say(f"{kind}: {loaded} photographs loaded")

    def command(self, module: str, *arguments: object) -> str:
        """Runs a command of the package; returns what it printed."""
        self.say(f"$ python -m {module} {' '.join(map(str, arguments))}")
        return self.python("-m", module, *arguments)

    def python(self, *arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, arguments[:2]))}: exit status {done.returncode}")
        return done.stdout

    def say(self, text: str) -> None:
        print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder to work in")
    parser.add_argument("--rows", type=int, default=200_000, help="default: %(default)s")
    parser.add_argument(
        "--no-load", action="store_true", help="do not load the release with other libraries"
    )
    options = parser.parse_args()
    if options.folder.exists():
        parser.error(f"{options.folder} is there already")
    return Demo(options.folder.absolute(), options.rows, not options.no_load).run()


if __name__ == "__main__":
    sys.exit(main())
