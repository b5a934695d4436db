"""A small world in which the examples of the documentation are true.

In the documentation `/data/pass` has 180 GB and `/photos` any number of photographs. Here a folder
has small ones of the same names, in which three releases of PASS are cut from the mini release;
an example runs as it is printed, with these paths in place of those.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from pass_dataset.archives.collection import describe_collection
from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.mini import ARCHIVES
from pass_dataset.archives.records import ImageRecord
from pass_dataset.releases.release import OFFICIAL_VERSIONS, format_release, official_release
from tests.support import collection, curation, passify

ROOT = Path(__file__).parent.parent.parent

#: Images of each release, fewer from release to release as in PASS.
COUNTS = {"1.0.0": 64, "2.0.0": 62, "3.0.0": 60}
_TARS = 10
#: Release 1 has neither dates nor GPS.
_HEADER_1 = ",unickname,licensename,hash"
#: The image that the documentation names. It is in PASS; here an image of the mini release is
#: called so.
SHOWN_HASH = "ffd3eb12a16cb83138f26e6f36dec967"
#: Images that the documentation removes.
_GONE = 3
SHARED = ROOT.parent / "shared"
#: A collection of one's own: photographs, who made them, and the licence of all.
_CLOTHES = 300
_CREATORS = ("Ada", "Ben Ali", "Çelik", "NA", "")
_BY = "https://creativecommons.org/licenses/by/4.0/"
#: As the page has them, without the steps that need people and weights.
_CLOTHES_SETTINGS = """
steps = ["select", "fetch", "balance", "draw", "release"]
metadata = ["photographs.csv"]
[balance]
per_photographer = 20
sample = 0
[draw]
count = 130
[release]
name = "clothes"
version = "1.0.0"
"""


@dataclass(frozen=True)
class World:
    """A folder with all that the examples name.

    Attributes:
      folder: where; examples run in its `here`.
    """

    folder: Path

    @property
    def here(self) -> Path:
        return self.folder / "here"

    @property
    def checksums(self) -> Path:
        return self.folder / "checksums"

    def published(self, version: str) -> Path:
        return self.folder / "published" / version

    def true(self, text: str) -> str:
        """An example with the paths of this world."""
        paths = self._paths()
        # In one go: a path of this world may have one of the printed ones in it.
        printed = re.compile("|".join(map(re.escape, sorted(paths, key=len, reverse=True))))
        return printed.sub(lambda found: paths[found[0]], text)

    def _paths(self) -> dict[str, str]:
        mirror = self.published("3.0.0").as_uri() + "/"
        return {
            "https://mirror.example.org/pass3/": mirror,
            "file:///shared/pass3/": mirror,
            "/data/": f"{self.folder}/data/",
            "/photos": f"{self.folder}/photos",
            "/old/disk": f"{self.folder}/old/disk",
            "/elsewhere": f"{self.folder}/elsewhere",
            "/shared/": f"{self.folder}/shared/",
        }

    def environment(self) -> dict[str, str]:
        """Of the shell that runs examples: our commands first, nothing of the user's."""
        return {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PASS_DOCS_WORLD": str(self.folder),
            "OMP_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }

    def run(self, script: str) -> None:
        """Runs lines of shell; the first that fails ends them.

        Raises:
          AssertionError: one failed; the message has what it wrote.
        """
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.true(script)],
            cwd=self.here,
            env=self.environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


def make_world(folder: Path) -> World:
    """Writes it all."""
    world = World(folder)
    for sub in ("bin", "checksums", "here", "data/pass", "shared"):
        (folder / sub).mkdir(parents=True)
    records = _named_as_shown(list(open_mini()))
    for version in OFFICIAL_VERSIONS:
        _publish(world, version, records[: COUNTS[version]])
        shutil.copytree(world.published(version), folder / "data" / "pass" / version)
    for file in world.published("3.0.0").iterdir():
        shutil.copy(file, folder / "data" / "pass")
    shutil.copytree(world.published("3.0.0"), folder / "old" / "disk")
    shutil.copytree(ARCHIVES, folder / "data" / "mine")
    passify.write_files(folder / "photos", passify.SAMPLE)
    shutil.copytree(folder / "photos", folder / "data" / "photos")
    shutil.copytree(folder / "photos", world.here / "imagenet" / "train")
    hashes = [record.hash for record in records]
    (world.here / "gone.txt").write_text("\n".join([*hashes[5 : 5 + _GONE], ""]))
    (world.here / "figure1.txt").write_text("\n".join([*hashes[:4], ""]))
    (world.here / "opt-out.txt").write_text("a/kept.png\n")
    _write_clothes(folder / "data" / "clothes")
    for name in ("pass-dataset", "pass-curate", "passify"):
        _write_command(folder / "bin" / name)
    return world


def _named_as_shown(records: list[ImageRecord]) -> list[ImageRecord]:
    return [replace(records[0], hash=SHOWN_HASH), *records[1:]]


def _publish(world: World, version: str, records: list[ImageRecord]) -> None:
    folder = world.published(version)
    folder.mkdir(parents=True)
    for tar in range(_TARS):
        members = {
            f"PASS_dataset/{tar}/{record.hash}.jpg": record.jpeg for record in records[tar::_TARS]
        }
        collection.write_tar(folder / f"PASS.{tar}.tar", members)
    if version == "1.0.0":
        lines = [_HEADER_1]
        lines += [
            f"{n},{record.creator},Attribution License,{record.hash}"
            for n, record in enumerate(records)
        ]
    else:
        lines = [collection.HEADER]
        lines += [collection.row(number, record.hash) for number, record in enumerate(records)]
    (folder / "pass_metadata.csv").write_text("\n".join([*lines, ""]))
    known = official_release(version)
    release = replace(
        describe_collection(folder, version=version, base_url=folder.as_uri()),
        released=known.released,
        changes=known.changes,
    )
    (world.checksums / f"{version}.tsv").write_text(format_release(release))


def _write_clothes(folder: Path) -> None:
    """A collection of one's own: photographs in folders, and a table of them."""
    (folder / "images").mkdir(parents=True)
    found = sorted((SHARED / "images" / "labelled").rglob("*.jpg"))[:_CLOTHES]
    lines = ["path,creator,title,license"]
    for number in range(_CLOTHES):
        path = folder / "images" / f"{number:03}.jpg"
        if found:
            path.symlink_to(found[number])
        else:
            path.write_bytes(curation.small_jpeg(number))
        lines.append(f"images/{path.name},{_CREATORS[number % len(_CREATORS)]},No. {number},{_BY}")
    (folder / "photographs.csv").write_text("\n".join([*lines, ""]))
    (folder / "settings.toml").write_text(_CLOTHES_SETTINGS)


def _write_command(path: Path) -> None:
    python = shlex.quote(sys.executable)
    path.write_text(f'#!/bin/sh\nexec {python} -m tests.docs.commands {path.name} "$@"\n')
    path.chmod(0o755)
