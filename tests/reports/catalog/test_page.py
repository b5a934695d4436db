"""The catalog page: every section, one file, safe from what the data says."""

from __future__ import annotations

import html
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from pass_dataset.archives.removals import RemovalList, add_removals
from pass_dataset.commands import main as cli
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.pages.picture import Picture
from pass_dataset.releases.release import format_release
from pass_dataset.reports.catalog import page as page_module
from pass_dataset.reports.catalog.entry import (
    CatalogEntry,
    FeatureRow,
    SplitRow,
    VersionRow,
    describe_build,
)
from pass_dataset.reports.catalog.page import render_catalog_page, write_catalog_page
from pass_dataset.reports.catalog.pictures import ExampleTable, first_examples, tabulate
from pass_dataset.tfds.stored import open_build
from tests.support.collection import Collection
from tests.support.markup import ParsedPage as Page
from tests.support.official import make_official
from tests.support.tfds_builds import edited, rewrite

tfds = pytest.importorskip("tensorflow_datasets")

SECTIONS = [
    "Description",
    "Versions",
    "Splits",
    "Feature structure",
    "Feature documentation",
    "Figure",
    "Examples",
]
FACTS = [
    "Source code",
    "Download size",
    "Dataset size",
    "File format",
    "Auto-cached",
    "Supervised keys",
]

HOSTILE = "<script>alert('x')</script>\"onload=\"x&amp;${title}$x`"


@pytest.fixture(scope="module", params=["tfrecord", "array_record", "parquet"])
def data_dir(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    builder = tfds.builder("pass_mini", data_dir=str(folder), file_format=request.param)
    builder.download_and_prepare()
    return folder


@pytest.fixture(scope="module")
def page_file(data_dir: Path) -> Path:
    return write_catalog_page(data_dir, out=data_dir / "pages" / "mini.html")


def entry(**changes: object) -> CatalogEntry:
    values: dict[str, object] = {
        "name": "pass",
        "config": None,
        "version": "3.0.0",
        "description": "Photographs.\nNo people.\n\nSee `image`.",
        "config_description": "",
        "homepage": "https://example.org/?a=1&b=2",
        "source": "pass_dataset.tfds.pass_dataset_builder.Builder",
        "license": None,
        "versions": (
            VersionRow("2.0.0", None, is_default=False, is_this=False),
            VersionRow("3.0.0", "Fewer.", is_default=True, is_this=True),
        ),
        "download_bytes": 179_653_828_984,
        "dataset_bytes": 1023,
        "file_format": "tfrecord",
        "auto_cached": "Only when `shuffle_files=False`",
        "splits": (SplitRow("train", 1_439_588, 1024, 1 << 30),),
        "feature_structure": "FeaturesDict({})",
        "features": (FeatureRow("image", "Image", "(None, None, 3)", "uint8", "It.", "0-255"),),
        "supervised_keys": "None",
        "citation": "@x{y}",
    }
    return CatalogEntry(**{**values, **changes})  # type: ignore[arg-type]


PIXEL = Picture("image/webp", b"RIFF", (880, 660))
TABLE = ExampleTable(("image", "image/creator_uname"), ((PIXEL, "someone"),))


def render(described: CatalogEntry | None = None, table: ExampleTable = TABLE) -> str:
    return render_catalog_page(described or entry(), PIXEL, table)


# --- the page of a build --------------------------------------------------------------------------


def test_has_every_section(page_file: Path) -> None:
    text = page_file.read_text()
    page = Page(text)
    headings = [name for name in SECTIONS if name in page.text("h2")]
    assert headings == SECTIONS
    assert [name for name in FACTS if name in page.text("dt")] == FACTS
    assert "1.32 MiB" in page.text("dd")  # the ten tars and the CSV
    assert "pass_dataset.tfds.mini.pass_mini_dataset_builder.Builder" in "".join(page.texts["dd"])
    assert "1.0.0 default this build Initial release." in page.text("li")
    assert "'train' 64 1" in page.text("td")
    assert "FeaturesDict({" in page.text("pre")
    assert "asano" not in text  # whose drawn pictures these are not
    assert "Latitude; NaN if not known." in page.text("td")
    assert "degrees" in page.text("td")
    assert "(None, None, 3)" in page.text("td")
    assert "Sixty-four pictures" in page.text("p")


def test_needs_no_other_file(page_file: Path) -> None:
    text = page_file.read_text()
    page = Page(text)
    names = {tag for tag, _ in page.tags}
    assert names.isdisjoint({"script", "link", "iframe", "object", "embed", "base"})
    sources = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(sources) == 11  # the figure, and a thumbnail a row
    assert all(source and source.startswith("data:image/") for source in sources)
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
    assert "url(" not in styles
    assert "@import" not in styles
    assert all("style" not in attributes for _, attributes in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert page_file.stat().st_size < 600_000


def test_pictures_are_pictures(page_file: Path) -> None:
    import base64

    from PIL import Image

    found = re.findall(r'src="data:(image/\w+);base64,([^"]+)"', page_file.read_text())
    for mime_type, data in found:
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            image.load()
            assert Image.MIME[image.format or ""] == mime_type


def test_same_examples_in_every_format(data_dir: Path) -> None:
    build = open_build(data_dir)
    table = tabulate(build, first_examples(build, 3, RemovalList()))
    assert table.columns[0] == "image"
    assert len(table.rows) == 3
    thumbnail = table.rows[0][0]
    assert isinstance(thumbnail, Picture)
    assert max(thumbnail.size_px) <= 240


@pytest.mark.slow
def test_removed_images_are_not_shown(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor those that are removed while the page is drawn."""
    shutil.copytree(data_dir, tmp_path / "data")
    build = open_build(tmp_path / "data")
    shown = first_examples(build, 3, RemovalList()).as_numpy_iterator()
    before, meanwhile, stays = (one["image/hash"].decode() for one in shown)
    add_removals(build.folder, [before])
    draw = page_module._page

    def drawn(build: Any, removals: RemovalList) -> str:
        page = draw(build, removals)
        add_removals(build.folder, [meanwhile])
        return page

    monkeypatch.setattr(page_module, "_page", drawn)
    text = write_catalog_page(tmp_path / "data", out=tmp_path / "page.html").read_text()
    assert stays in text
    assert before not in text
    assert meanwhile not in text


def test_versions_of_the_installed_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pass_dataset.releases.release import official_release

    with monkeypatch.context() as patch:
        made = make_official(tmp_path / "archives")
        made.publish(patch)
        patch.setenv("PASS_ARCHIVES", str(made.root))
        tfds.builder("pass", data_dir=str(tmp_path)).download_and_prepare()
        described = describe_build(open_build(tmp_path))
        size_bytes = official_release("3.0.0").size_bytes
    official_release.cache_clear()
    assert [(row.version, row.is_default, row.is_this) for row in described.versions] == [
        ("1.0.0", False, False),
        ("2.0.0", False, False),
        ("3.0.0", True, True),
    ]
    assert all(row.notes for row in described.versions)
    assert described.download_bytes == size_bytes
    assert described.auto_cached == "Yes"


#: What is true of PASS alone.
CLAIMS = ("asano", "1.44 million", "CC-BY", "robots.ox.ac.uk", "Pictures without", "472 images")


OLDER = Path(__file__).parents[2] / (
    "data/version_0_1/tfds/pass/small_ddfb7a49/1.0.0/dataset_info.json"
)


def photograph(number: int) -> bytes:
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (40, 30), (number, 100, 200)).save(data, "JPEG")
    return data.getvalue()


def birds(folder: Path, tmp_path: Path) -> Path:
    """A build of a collection of someone's own, with the words of its checksum file."""
    collection = Collection(folder, body=photograph)
    text = format_release(collection.describe())
    collection.tsv.write_text(f"# name\tbirds\n# changes\tMore owls.\n{text}")
    given = ["--archives", str(folder), "--release", str(collection.tsv)]
    assert cli.main(["build", "tfds", *given, "--data-dir", str(tmp_path / "tfds")]) == 0
    return tmp_path / "tfds"


def test_a_collection_of_ones_own_is_not_pass(tmp_path: Path) -> None:
    build = birds(tmp_path / "archives", tmp_path)
    text = write_catalog_page(build, out=tmp_path / "page.html").read_text()
    assert not [claim for claim in CLAIMS if claim in text]
    page = Page(text)
    assert "15 images in the layout of PASS: birds 1.0.0. More owls." in page.text("p")
    assert page.text("li") == "1.0.0 default this build More owls."
    written = next(build.rglob("dataset_info.json")).read_text()
    assert not [claim for claim in CLAIMS if claim in written]


def test_nor_is_one_that_an_earlier_version_built(tmp_path: Path) -> None:
    build = birds(tmp_path / "archives", tmp_path)
    path = next(build.rglob("dataset_info.json"))
    older = json.loads(OLDER.read_text())
    info = json.loads(path.read_text())
    told = {name: older[name] for name in ("citation", "description", "location", "releaseNotes")}
    path.write_text(json.dumps({**info, **told}))
    text = write_catalog_page(build, out=tmp_path / "page.html").read_text()
    assert not [claim for claim in CLAIMS if claim in text]


def test_damaged_build(data_dir: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(data_dir, tmp_path / "copy")
    shard = next(copy.glob("pass_mini/1.0.0/*train*"))
    shard.write_bytes(b"")
    with pytest.raises(UnreadableBuildError):
        write_catalog_page(copy, out=tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.slow
def test_command(
    data_dir: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["catalog", "--data-dir", str(data_dir), "--name", "pass_mini"]) == 0
    assert capsys.readouterr().out.startswith("pass_mini-1.0.0.html: ")
    assert Page((tmp_path / "pass_mini-1.0.0.html").read_text())
    assert cli.main(["catalog", "--data-dir", str(data_dir), "--name", "pass"]) == 1
    assert "no build of pass" in capsys.readouterr().err
    (tmp_path / "file").touch()
    out = str(tmp_path / "file" / "page.html")
    assert cli.main(["catalog", "--data-dir", str(data_dir), "--out", out]) == 1
    assert "cannot be written" in capsys.readouterr().err


# --- rendering ------------------------------------------------------------------------------------


def test_hostile_text_stays_text() -> None:
    described = entry(
        description=HOSTILE,
        config_description=HOSTILE,
        homepage=HOSTILE,
        source=HOSTILE,
        license=HOSTILE,
        citation=HOSTILE,
        auto_cached=HOSTILE,
        supervised_keys=HOSTILE,
        feature_structure=HOSTILE,
        versions=(VersionRow(HOSTILE, HOSTILE, is_default=True, is_this=True),),
        features=(FeatureRow(*[HOSTILE] * 6),),
        splits=(SplitRow(HOSTILE, 1, 1, 1),),
    )
    table = ExampleTable(("image", HOSTILE), ((PIXEL, HOSTILE),))
    text = render(described, table)
    page = Page(text)
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "${title}" in page.text("td")
    assert html.escape("<script>") in text


def test_hostile_names_in_a_real_build(data_dir: Path, tmp_path: Path) -> None:
    """A photographer's name goes through TFDS on its way."""
    copy = Path(shutil.copytree(data_dir / "pass_mini" / "1.0.0", tmp_path / "build"))
    name = HOSTILE.encode()
    rewrite(copy, lambda rows: [edited(row, image_creator_uname=name) for row in rows])
    page = Page(write_catalog_page(copy, out=tmp_path / "page.html").read_text())
    assert "script" not in {tag for tag, _ in page.tags}
    assert "".join(page.texts["td"]).count(HOSTILE) == 10


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", " https://x"])
def test_only_web_addresses_are_links(address: str) -> None:
    page = Page(render(entry(homepage=address)))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert all(link and link.startswith("https://www.tensorflow.org/") for link in links)
    assert address.strip() in page.text("dd")


def test_text() -> None:
    page = Page(render())
    assert "Photographs. No people." in page.text("p")
    assert "image" in page.text("code")
    assert "167.32 GiB" in page.text("dd")
    assert "1023 B" in page.text("dd")
    assert "1,439,588" in page.text("td")
    assert "1.00 GiB" in page.text("td")
    assert "2.0.0 No release notes." in page.text("li")
    assert "shuffle_files=False" in page.text("code")
    assert "Unknown size" in Page(render(entry(download_bytes=None))).text("dd")
    assert "License" not in page.text("dt")
    assert "CC-BY" in Page(render(entry(license="CC-BY 4.0"))).text("dd")
    assert "tfds.load('pass:3.0.0', split='train')" in page.text("pre")
    named = Page(render(entry(config="parts_0")))
    assert "tfds.load('pass/parts_0:3.0.0', split='train')" in named.text("pre")
