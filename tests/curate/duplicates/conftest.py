"""A collection with duplicates of all kinds, made once."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from tests.curate.duplicates.images import SHARED, encoded, photographs


@pytest.fixture(scope="session")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `a` and a tar `b.tar`, with what is a duplicate of what in the names.

    a/0.jpg … 7.jpg are different; a/0-same.jpg is the file 0; a/1-pixels.png has its pixels;
    a/2-near.jpg is 2 made anew; a/3-large.jpg is 3 in double size. b.tar has 4 made anew, and two
    photographs of its own. Three broken files are the same, byte for byte.
    """
    root = tmp_path_factory.mktemp("duplicates")
    folder = root / "a"
    folder.mkdir()
    paths = photographs(10)
    for number, path in enumerate(paths[:8]):
        shutil.copy(path, folder / f"{number}.jpg")
    shutil.copy(paths[0], folder / "0-same.jpg")
    images = [Image.open(path).convert("RGB") for path in paths]
    images[1].save(folder / "1-pixels.png")
    (folder / "2-near.jpg").write_bytes(encoded(images[2], 40))
    double = images[3].resize((2 * images[3].width, 2 * images[3].height))
    (folder / "3-large.jpg").write_bytes(encoded(double))
    for name in ("broken-1.jpg", "broken-2.jpg"):
        shutil.copy(SHARED / "bad_truncated.jpg", folder / name)
    shutil.copy(SHARED / "bad_single_color.jpg", folder / "one-colour-1.jpg")
    shutil.copy(SHARED / "bad_single_color.jpg", folder / "one-colour-2.jpg")
    members = {
        "x/4-near.jpg": encoded(images[4], 50),
        "x/8.jpg": paths[8].read_bytes(),
        "x/9.jpg": paths[9].read_bytes(),
    }
    with tarfile.open(root / "b.tar", "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return root
