"""What the catalogue promises of every format and reader that it has: a removed image is left out.

Nothing here names a format or a reader: one that comes into the catalogue is tried as the others
are, and a package of the formats' floor that is not in it makes a test fail.
"""

from __future__ import annotations

import configparser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from pass_dataset.archives.integrity import verify
from pass_dataset.archives.removals import REMOVALS_VARIABLE, Removals, add_removals
from pass_dataset.builds.catalogue import Format, Place, Reader, entry_packages, formats, readers
from pass_dataset.builds.purging.purging import purge
from pass_dataset.builds.targets import find_targets, open_target
from pass_dataset.errors import BuildError, MissingExtraError
from tests.support.collection import Collection

ROOT = Path(__file__).parent.parent.parent
FORMATS = {entry.label: entry for entry in formats()}
READERS = {reader.name: reader for _, reader in readers()}
IN_PLACE = [name for name, reader in READERS.items() if reader.in_place]
#: Where a removal list may stand.
WAYS = ["folder", "environment", "argument"]

#: Puts images on a list that stands in one of these places; gives the argument that it is.
Remove: TypeAlias = "Callable[[str], Removals | None]"


@pytest.fixture
def made(collection: Collection) -> Collection:
    """A collection that tells by its receipt what it is."""
    verify(collection.folder, collection.tsv)
    return collection


@pytest.fixture
def gone(made: Collection) -> list[str]:
    """The first image of all, and two side by side."""
    return [made.hashes[0], *made.hashes[7:9]]


@pytest.fixture
def remove(
    made: Collection, gone: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Remove:
    def put(way: str) -> Removals | None:
        path = tmp_path / "list.txt"
        path.write_text("\n".join(gone))
        if way == "folder":
            add_removals(made.folder, gone)
        elif way == "environment":
            monkeypatch.setenv(REMOVALS_VARIABLE, str(path))
        return path if way == "argument" else None

    return put


@pytest.fixture(autouse=True)
def absent_libraries() -> Iterator[None]:
    try:
        yield
    except MissingExtraError as error:
        pytest.skip(f"needs {error.name}, which an extra installs")


def exported(entry: Format, made: Collection, out: Path, removals: Removals | None = None) -> Path:
    try:
        return entry.export(made.archives(), out, removals)
    except MissingExtraError as error:
        pytest.skip(f"needs {error.name}, which an extra installs")


def read(reader: Reader, place: Place) -> list[str]:
    """What a reader gives, in the order of the hashes: each image once."""
    try:
        return sorted(reader.hashes(place))
    except MissingExtraError as error:
        pytest.skip(f"needs {error.name}, which an extra installs")


def kept(made: Collection, gone: list[str]) -> list[str]:
    return sorted(set(made.hashes) - set(gone))


def of_build(entry: Format) -> list[Reader]:
    return [reader for reader in entry.readers if not reader.in_place]


# --- readers of archives --------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", IN_PLACE)
def test_read_in_place(
    name: str, way: str, made: Collection, gone: list[str], remove: Remove
) -> None:
    reader = READERS[name]
    if way == "argument" and not reader.takes_removals:
        pytest.skip("has no such argument")
    assert read(reader, Place(made.archives())) == sorted(made.hashes)
    given = remove(way)
    assert read(reader, Place(made.archives(), removals=given)) == kept(made, gone)


@pytest.mark.parametrize("name", IN_PLACE)
def test_parts_read_in_place(name: str, made: Collection, gone: list[str], remove: Remove) -> None:
    """Parts and removals go together: the two of the second tar that are not listed."""
    if name.startswith("passify"):
        pytest.skip("reads all parts")
    remove("folder")
    place = Place(made.archives(parts=[1]))
    assert read(READERS[name], place) == sorted(set(made.hashes[5:10]) - set(gone))


# --- formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("label", FORMATS)
def test_removed_before_the_build(
    label: str,
    way: str,
    made: Collection,
    gone: list[str],
    remove: Remove,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The files lack them, so that who knows of no list lacks them too."""
    entry = FORMATS[label]
    build = exported(entry, made, tmp_path / "out", remove(way))
    monkeypatch.delenv(REMOVALS_VARIABLE, raising=False)
    for reader in of_build(entry):
        assert read(reader, Place(made.archives(), build)) == kept(made, gone), reader.name


@pytest.mark.parametrize("way", [*WAYS, "build"])
@pytest.mark.parametrize("label", FORMATS)
def test_removed_after_the_build(
    label: str, way: str, made: Collection, gone: list[str], remove: Remove, tmp_path: Path
) -> None:
    entry = FORMATS[label]
    build = exported(entry, made, tmp_path / "out")
    place = Place(made.archives(), build)
    for reader in of_build(entry):
        assert read(reader, place) == sorted(made.hashes), reader.name
    if way == "build":
        for target in find_targets(build):
            add_removals(target.folder, gone)
    given = remove(way)
    heeding = [reader for reader in of_build(entry) if reader.heeds_lists]
    for reader in heeding:
        found = read(reader, Place(made.archives(), build, given))
        assert found == kept(made, gone), reader.name
    if not heeding:
        # None but readers of others: it must not be taken for what was asked for.
        with pytest.raises(BuildError, match="pass-dataset purge"):
            entry.export(made.archives(), build, given)


@pytest.mark.parametrize("label", FORMATS)
def test_purged_after_the_build(
    label: str, made: Collection, gone: list[str], tmp_path: Path
) -> None:
    entry = FORMATS[label]
    build = exported(entry, made, tmp_path / "out")
    for target in find_targets(build):
        add_removals(target.folder, gone)
        purge(open_target(target))
    for reader in of_build(entry):
        assert read(reader, Place(made.archives(), build)) == kept(made, gone), reader.name


# --- what is in the catalogue ---------------------------------------------------------------------


def formats_floor() -> set[str]:
    """Packages that stand where formats stand, by the contract that lists every package."""
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter")
    floors = contract["importlinter:contract:floors"]["layers"].split("\n")
    (floor,) = (line for line in floors if "parquet" in line)
    return {name.strip() for name in floor.split("|")}


def without_entry(packages: set[str]) -> list[str]:
    return sorted(packages - entry_packages())


def test_every_format_is_in_the_catalogue() -> None:
    assert without_entry(formats_floor()) == []


def test_a_format_without_an_entry_is_found() -> None:
    assert without_entry({*formats_floor(), "zarr"}) == ["zarr"]


def test_names_are_unique() -> None:
    names = [reader.name for _, reader in readers()]
    assert len(names) == len(set(names)) == len(READERS)
