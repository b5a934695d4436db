"""Small collections in the PASS layout, with whatever oddity a test needs."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pass_dataset.archives.collection import describe_collection
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.releases.release import Release, ReleaseFile, format_release, read_release

HEADER = ",unickname,datetaken,licensename,hash,latitude,longitude"


def jpeg(number: int, size_bytes: int = 400) -> bytes:
    """Bytes that begin and end like a JPEG, different for each number."""
    return b"\xff\xd8\xff\xe0" + random.Random(number).randbytes(size_bytes - 6) + b"\xff\xd9"


def image_hash(number: int) -> str:
    return random.Random(f"hash {number}").randbytes(16).hex().lstrip("0")


def row(number: int, image: str | None = None) -> str:
    gps = "53.535233,-113.565075" if number % 3 == 0 else ","
    date = "" if number % 7 == 6 else f"2007-05-{number % 28 + 1:02} 06:11:48.0"
    return (
        f"{number},user{number % 5}%3C3,{date},Attribution License,"
        f"{image or image_hash(number)},{gps}"
    )


def write_tar(path: Path, members: Mapping[str, bytes] | Sequence[tuple[str, bytes]]) -> None:
    """A plain ustar with folder entries first; `members` by name."""
    pairs = members.items() if isinstance(members, Mapping) else members
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in ("PASS_dataset", "PASS_dataset/0"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name, data in pairs:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@dataclass
class Collection:
    """A folder with tars and a CSV of `per_tar` images each.

    Attributes:
      folder: where.
      body: the bytes of an image, by its number.
      without: numbers of images that are left out, as a later release leaves out some.
      hashes: of all images, in the order of the tars; those left out too.
    """

    folder: Path
    tars: int = 3
    per_tar: int = 5
    body: Callable[[int], bytes] = jpeg
    without: Container[int] = ()
    hashes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.hashes = [image_hash(number) for number in range(self.tars * self.per_tar)]
        for tar in range(self.tars):
            numbers = range(tar * self.per_tar, (tar + 1) * self.per_tar)
            members = {
                self.name(number): self.body(number)
                for number in numbers
                if number not in self.without
            }
            write_tar(self.tar(tar), members)
        order = list(range(len(self.hashes)))
        random.Random(1).shuffle(order)
        self.write_csv([HEADER, *(row(number) for number in order if number not in self.without)])

    def name(self, number: int) -> str:
        return f"PASS_dataset/0/{self.hashes[number]}.jpg"

    def tar(self, number: int) -> Path:
        return self.folder / f"PASS.{number}.tar"

    @property
    def csv(self) -> Path:
        return self.folder / "pass_metadata.csv"

    def write_csv(self, lines: Iterable[str], newline: str = "\n", start: str = "") -> None:
        text = start + newline.join([*lines, ""])
        self.csv.write_text(text, encoding="utf-8", newline="")

    def describe(self, version: str = "1.0.0") -> Release:
        """Its release, also written beside the folder as ``<folder>.tsv``."""
        release = describe_collection(self.folder, version=version)
        self.tsv.write_text(format_release(release))
        return release

    def archives(
        self, release: Release | None = None, parts: Sequence[int] | None = None
    ) -> ArchiveFolder:
        """The folder as it is opened; of the release that was described last, if none is given."""
        return ArchiveFolder.at(self.folder, release or read_release(self.tsv), parts)

    @property
    def tsv(self) -> Path:
        return self.folder.with_suffix(".tsv")


def random_release(folder: Path, sizes: Sequence[int], seed: int = 0) -> Release:
    """Files of random bytes under the names of a release, and that release."""
    import hashlib

    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    files = []
    for number, size_bytes in enumerate(sizes):
        last = number == len(sizes) - 1
        name = "pass_metadata.csv" if last else f"PASS.{number}.tar"
        data = rng.randbytes(size_bytes)
        (folder / name).write_bytes(data)
        files.append(ReleaseFile(name, size_bytes, hashlib.sha256(data).hexdigest()))
    return Release(version="1.0.0", files=tuple(files), name="random")
