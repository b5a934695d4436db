"""Names as PASS has them, and as other collections do, through lists and all that reads by them.

A hash has 16 to 32 characters, may be all digits, or look like a number (DESIGN: the bytes of an
MD5 sum, each printed without its leading zero). An own collection calls its images as it likes.
"""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.archives.hash_lists import is_hash
from pass_dataset.archives.integrity import verify
from pass_dataset.builds.catalogue import Format, Place, Reader, formats, readers
from pass_dataset.commands.main import main
from pass_dataset.errors import MissingExtraError
from pass_dataset.reports.credits.reading import read_credits
from tests.support import collection as support
from tests.support.collection import Collection

FORMATS = {entry.label: entry for entry in formats()}
IN_PLACE = [reader for _, reader in readers() if reader.in_place]


def of_law(rng: random.Random, length: int) -> str:
    """A hash with so many characters."""
    low = rng.sample(range(16), 32 - length)
    return "".join(
        f"{rng.randrange(16) if n in low else rng.randrange(16, 256):x}" for n in range(16)
    )


def real_names() -> list[str]:
    rng = random.Random(1)
    names = [of_law(rng, length) for length in range(16, 33)]
    return [*names, "1" * 16, "9" * 29, "12e45" + "0" * 20, "1e5" + "7" * 28, "0" * 16]


def own_names() -> list[str]:
    plain = ["birds_0001", "Müller 3", "null", "NA", "0001", "1", "1e5", "-0", "o'é", "a b"]
    accents = unicodedata.normalize("NFD", "Ölüm")
    return [*plain, accents, "A" * 40, "ABCDEF012345678", "#1", "%41", "0" * 33]


@pytest.fixture(params=[real_names, own_names])
def made(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Collection:
    names = request.param()
    monkeypatch.setattr(support, "image_hash", lambda number: names[number])
    found = Collection(tmp_path / "archives", tars=2, per_tar=len(names) // 2)
    found.describe()
    verify(found.folder, found.tsv)
    return found


@pytest.fixture
def gone(made: Collection) -> list[str]:
    """Every second one."""
    return made.hashes[::2]


@pytest.fixture
def listed(made: Collection, gone: list[str], tmp_path: Path) -> Path:
    """A list of them in all sorts of forms, as Windows' editors save it."""
    forms = ("{}.jpg", "PASS_dataset/0/{}.jpg", "ab" * 32 + "  x/{}.jpg", "./{}.jpg ")
    lines = [forms[number % len(forms)].format(name) for number, name in enumerate(gone)]
    path = tmp_path / "gone.txt"
    path.write_bytes(
        "\r\n".join(["./" + line if line[0] == "#" else line for line in lines]).encode("utf-16")
    )
    return path


def read(reader: Reader, place: Place) -> list[str]:
    try:
        return sorted(reader.hashes(place))
    except MissingExtraError as error:
        pytest.skip(f"needs {error.name}, which an extra installs")


def kept(made: Collection, gone: list[str]) -> list[str]:
    return sorted(set(made.hashes) - set(gone))


def test_the_names_are_what_they_should_be() -> None:
    assert all(map(is_hash, real_names()))
    assert {len(name) for name in real_names()} == set(range(16, 33))
    assert not any(map(is_hash, own_names()))


@pytest.mark.parametrize("reader", IN_PLACE, ids=lambda reader: reader.name)
def test_readers_of_archives(
    reader: Reader, made: Collection, gone: list[str], listed: Path
) -> None:
    assert read(reader, Place(made.archives())) == sorted(made.hashes)
    assert main(["remove", "--strict", "--list", str(listed), str(made.folder)]) == 0
    assert read(reader, Place(made.archives())) == kept(made, gone)


@pytest.mark.parametrize("label", FORMATS)
def test_builds(
    label: str, made: Collection, gone: list[str], listed: Path, tmp_path: Path
) -> None:
    entry: Format = FORMATS[label]
    try:
        build = entry.export(made.archives(), tmp_path / "out")
    except MissingExtraError as error:
        pytest.skip(f"needs {error.name}, which an extra installs")
    ours = [reader for reader in entry.readers if not reader.in_place]
    place = Place(made.archives(), build)
    for reader in ours:
        assert read(reader, place) == sorted(made.hashes), reader.name
    assert main(["remove", "--list", str(listed), str(tmp_path / "out")]) == 0
    for reader in ours:
        if reader.heeds_lists:
            assert read(reader, place) == kept(made, gone), reader.name
    assert main(["purge", str(tmp_path / "out")]) == 0
    for reader in ours:
        assert read(reader, place) == kept(made, gone), reader.name


def test_purged_archives(made: Collection, gone: list[str], listed: Path) -> None:
    assert main(["purge", "--list", str(listed), str(made.folder)]) == 0
    archive = PassArchive(made.folder)
    assert sorted(archive.with_removed().columns(["hash"])["hash"].to_pylist()) == kept(made, gone)
    assert [record.hash for record in archive] == [n for n in made.hashes if n not in gone]


def test_credited_and_kept(
    made: Collection, gone: list[str], listed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["credits", "--archives", str(made.folder), "--format", "csv", "--hashes"]
    assert main([*command, str(listed)]) == 0
    capsys.readouterr()
    for name in gone:
        if not name.startswith(("-", "#")):
            assert main([*command, name]) == 0, name
    assert [one.hash for one in read_credits(made.folder, gone)] == gone
    torch = pytest.importorskip("pass_dataset.torch")
    found = torch.PASS(made.folder, keep=listed, decode="bytes", target="hash")
    assert [found[position][1] for position in range(len(found))] == gone
