from __future__ import annotations

import io
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pass_dataset.archives import ensure as provision
from pass_dataset.archives import mini
from pass_dataset.archives.ensure import open_mini
from pass_dataset.archives.mini.traps import TRAPS
from pass_dataset.archives.records import PassArchive
from pass_dataset.errors import VerificationError
from pass_dataset.files.hashing import file_sha256
from pass_dataset.folders.state import INDEX_NAME, state_path
from pass_dataset.releases.release import read_release

TOOLS = Path(__file__).parent.parent.parent / "scripts" / "tools"


@pytest.fixture(scope="module")
def archive() -> PassArchive:
    return open_mini()


def test_files_are_those_of_the_checksum_file() -> None:
    release = read_release(mini.CHECKSUMS)
    assert (release.name, release.version, release.num_examples) == ("pass_mini", "1.0.0", 64)
    for file in release.files:
        assert file_sha256(mini.ARCHIVES / file.filename) == file.sha256
    assert len(release.tars) == 10
    assert release.size_bytes <= 1_500_000


def test_all_images_can_be_decoded(archive: PassArchive) -> None:
    modes = []
    for record in archive:
        image = Image.open(io.BytesIO(record.jpeg))
        image.load()
        modes.append(image.mode)
        assert max(image.size) <= 500
    assert (len(modes), modes.count("L"), modes.count("CMYK")) == (64, 3, 2)


def test_layout_is_that_of_pass(archive: PassArchive) -> None:
    assert archive.summary.folders == 21
    assert archive.summary.others == 0
    assert archive.summary.without_metadata == archive.summary.without_image == 0
    assert all(24 <= len(record.hash) <= 32 for record in archive)


@pytest.mark.parametrize(
    ("trap", "field", "value"),
    [
        ("creator_na", "creator", "NA"),
        ("creator_null", "creator", "null"),
        ("creator_none", "creator", "None"),
        ("creator_percent", "creator", "%E5%B1%B1%E3%81%AE%E9%9F%B3"),
        ("no_date", "date_taken", None),
        ("no_gps", "latitude", None),
        ("gps_zero", "latitude", 0.0),
        ("gps_zero", "longitude", 0.0),
    ],
)
def test_metadata_traps(archive: PassArchive, trap: str, field: str, value: object) -> None:
    assert getattr(archive.by_hash(TRAPS[trap]), field) == value


def test_hash_traps(archive: PassArchive) -> None:
    assert TRAPS["all_digits"].isdecimal()
    assert float(TRAPS["float_like"]) > 0
    assert len(TRAPS["short"]) == 24
    for trap in ("all_digits", "float_like", "short"):
        assert TRAPS[trap] in archive


def test_image_traps(archive: PassArchive) -> None:
    def image(trap: str) -> Image.Image:
        return Image.open(io.BytesIO(archive.by_hash(TRAPS[trap]).jpeg))

    assert (image("grayscale").mode, image("cmyk").mode) == ("L", "CMYK")
    assert image("portrait").height > image("portrait").width
    assert image("progressive").info["progressive"]


def test_damaged_installation_is_refused(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    shutil.copytree(mini.ARCHIVES, tmp_path / "archives")
    (tmp_path / "archives" / "PASS.4.tar").write_bytes(b"")
    monkeypatch.setattr(provision.mini, "ARCHIVES", tmp_path / "archives")
    with pytest.raises(VerificationError, match=r"PASS\.4\.tar: missing or not as installed"):
        open_mini()


def test_nothing_is_written_into_the_package(archive: PassArchive) -> None:
    """Whoever may write there: the index goes to the user's cache."""
    PassArchive(mini.ARCHIVES, mini.CHECKSUMS)
    assert state_path(mini.ARCHIVES, INDEX_NAME).is_file()
    assert sorted(path.suffix for path in mini.ARCHIVES.iterdir()) == [".csv", *[".tar"] * 10]


def test_reading_it_needs_no_drawing() -> None:
    code = (
        "import sys; from pass_dataset.archives.ensure import open_mini; open_mini(); "
        "from pass_dataset.archives.mini.traps import TRAPS; "
        "print([m for m in sys.modules if 'pictures' in m or m == 'PIL'])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_script_draws_what_is_shipped(
    archive: PassArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Close, not equal: versions of the libraries differ in the last bits of a pixel."""
    monkeypatch.syspath_prepend(TOOLS)
    from make_mini import encode, entries

    smallest = sorted(entries(), key=lambda entry: math.prod(entry.picture.size))[:2]
    for entry in smallest:
        drawn = np.asarray(Image.open(io.BytesIO(encode(entry.picture))), np.int16)
        shipped = np.asarray(Image.open(io.BytesIO(archive.by_hash(entry.hash).jpeg)), np.int16)
        assert drawn.shape == shipped.shape
        assert np.abs(drawn - shipped).mean() < 2
