from __future__ import annotations

import gc
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image

from pass_dataset import PassArchive
from pass_dataset.archives import mini
from pass_dataset.archives.removals import RemovalList
from pass_dataset.builds.manifest import ExportShard
from pass_dataset.builds.purging.purging import purge
from pass_dataset.builds.reading.comparison import verify_build
from pass_dataset.builds.targets import find_targets, open_target
from pass_dataset.builds.writing.layout import hashed_order
from pass_dataset.builds.writing.plan import BuildPlan
from pass_dataset.commands.main import main
from pass_dataset.errors import BuildError, UnreadableBuildError
from pass_dataset.folders.archive_folder import ArchiveFolder
from pass_dataset.releases.release import read_release
from pass_dataset.webdataset.build import WebDatasetBuild
from pass_dataset.webdataset.keys import image_of_key, key_of
from pass_dataset.webdataset.manifest import WebDatasetExport
from tests.support.collection import HEADER, Collection, jpeg, row, write_tar

#: webdataset 1.0 closes none of its files, and `datasets` not all.
leaves_files_open = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def build(out: Path, collection: Collection, **settings: object) -> WebDatasetExport:
    archives = collection.archives(parts=settings.pop("parts", None))  # type: ignore[arg-type]
    made = WebDatasetBuild(out, archives, workers=2, **settings)  # type: ignore[arg-type]
    return made.run()[0]


def contents(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.tar")
    }


@pytest.fixture
def archive(collection: Collection) -> PassArchive:
    return PassArchive(collection.folder, collection.tsv)


def test_shards(collection: Collection, archive: PassArchive, tmp_path: Path) -> None:
    out = tmp_path / "o u't"
    export = build(out, collection, shard_bytes=9000)
    assert export.num_examples == 15
    names = sorted(path.name for path in out.iterdir())
    count = len(export.shards)
    tars = [f"train-{n:05}-of-{count:05}.tar" for n in range(count)]
    assert names == ["_info.json", "_shards.json", *tars]
    assert count == 4
    assert not list(tmp_path.glob("incomplete.*"))
    found = []
    for name in names[2:]:
        with tarfile.open(out / name, "r:") as tar:
            members = tar.getmembers()
            for image, text in zip(members[::2], members[1::2], strict=True):
                assert (image.mtime, image.uid, image.uname) == (0, 0, "")
                key = image.name.removesuffix(".jpg")
                assert text.name == f"{key}.json"
                record = archive.by_hash(key)
                assert tar.extractfile(image).read() == record.jpeg  # type: ignore[union-attr]
                content = json.load(tar.extractfile(text))  # type: ignore[arg-type]
                assert content["hash"] == key
                assert content["creator_uname"] == record.creator
                assert content["date_taken"] == record.date_taken_text
                assert content["gps_lat"] == (None if record.latitude is None else 53.535233)
                found.append(key)
    order = hashed_order(collection.hashes, "train")
    assert found == [collection.hashes[position] for position in order]


def test_same_bytes_with_any_number_of_workers(collection: Collection, tmp_path: Path) -> None:
    build(tmp_path / "a", collection, shard_bytes=9000)
    WebDatasetBuild(tmp_path / "b", collection.archives(), workers=1, shard_bytes=9000).run()
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_built_already(collection: Collection, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(out, collection)
    before = contents(out)
    again = WebDatasetBuild(out, collection.archives())
    assert again.run()[1] is False
    with pytest.raises(BuildError, match="holds another export"):
        build(out, collection, parts=(1,))
    (out / next(iter(before))).write_bytes(b"")
    with pytest.raises(BuildError, match=r"expected [0-9,]+ bytes, found 0. Remove"):
        build(out, collection)


def test_folder_of_someone_else(collection: Collection, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    build(tmp_path / "out", collection)  # an empty one will do
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(BuildError, match="expected an empty folder or none"):
        build(tmp_path / "mine", collection)
    with pytest.raises(UnreadableBuildError, match="no finished WebDataset export"):
        WebDatasetExport.load(tmp_path / "mine")
    (tmp_path / "out" / "_shards.json").write_text("{}")
    with pytest.raises(UnreadableBuildError, match=r"_shards.json: cannot be read"):
        WebDatasetExport.load(tmp_path / "out")


def test_cut_build_is_continued(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was whole is kept as it is, and the result is that of a build that was not cut."""
    build(tmp_path / "whole", collection, shard_bytes=9000)
    out, data = tmp_path / "out", tmp_path / "incomplete.out" / "data"

    def interrupted(plan: BuildPlan, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(BuildPlan, "publish", interrupted)
        build(out, collection, shard_bytes=9000)
    assert not out.exists()
    names = sorted(path.name for path in data.glob("*.tar"))
    (data / names[1]).unlink()
    (data / names[2]).write_bytes((data / names[2]).read_bytes()[:1024])
    kept = {name: (data / name).stat().st_ino for name in (names[0], names[3])}
    build(out, collection, shard_bytes=9000)
    assert contents(out) == contents(tmp_path / "whole")
    assert {name: (out / name).stat().st_ino for name in kept} == kept
    assert not data.parent.exists()


def test_verified(
    collection: Collection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    build(out, collection, shard_bytes=9000)
    verify = ["verify-build", str(out), "--archives", str(collection.folder)]
    assert main(verify) == 0
    assert "webdataset, 4 shards, 15 records, 15 expected" in capsys.readouterr().out
    shard = next(out.glob("train-00001*"))
    data = bytearray(shard.read_bytes())
    data[700] ^= 1  # in the first image
    shard.write_bytes(data)
    found = verify_build(out, archives=collection.folder)
    assert [finding.kind.value for finding in found.findings] == ["image differs"]
    data = data.replace(b'"creator_uname": "user', b'"creator_uname": "uzer', 1)
    shard.write_bytes(data)
    found = verify_build(out, archives=collection.folder)
    assert {finding.kind.value for finding in found.findings} == {
        "image differs",
        "metadata differ",
    }
    shard.unlink()
    found = verify_build(out, archives=collection.folder)
    assert {"missing", "missing shard"} == {finding.kind.value for finding in found.findings}


def test_parts(collection: Collection, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["build", "webdataset", "--archives", str(collection.folder), "--out", str(out)]
    assert main([*command, "--release", str(collection.tsv), "--parts", "0,2"]) == 0
    assert WebDatasetExport.load(out).num_examples == 10
    assert verify_build(out, archives=collection.folder).is_right


@pytest.fixture
def mini_shards(tmp_path: Path) -> Path:
    out = tmp_path / "mini"
    archives = ArchiveFolder.at(mini.ARCHIVES, read_release(mini.CHECKSUMS))
    WebDatasetBuild(out, archives, shard_bytes=200_000).run()
    return out


@leaves_files_open
def test_read_by_webdataset(mini_shards: Path) -> None:
    webdataset = pytest.importorskip("webdataset", reason="needs webdataset")
    records = PassArchive(mini.ARCHIVES, mini.CHECKSUMS, save_index=False)
    shards = sorted(map(str, mini_shards.glob("*.tar")))
    assert len(shards) > 3
    stream = webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple(
        "__key__", "jpg", "json"
    )  # fmt: skip
    seen = {}
    for key, image, metadata in stream:
        assert metadata["hash"] == key
        seen[key] = image.size
    del stream
    gc.collect()  # here, where what was left open is forgiven
    assert seen == {r.hash: Image.open(io.BytesIO(r.jpeg)).size for r in records}


@leaves_files_open
def test_read_by_datasets(mini_shards: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="needs the extra `hf`")
    settings = {"split": "train", "cache_dir": str(tmp_path / "cache")}
    loaded = datasets.load_dataset(str(mini_shards), **settings)
    assert sorted(loaded["__key__"]) == sorted(
        record.hash for record in PassArchive(mini.ARCHIVES, mini.CHECKSUMS, save_index=False)
    )
    assert loaded[0]["jpg"].mode == "RGB"
    assert loaded[0]["json"]["hash"] == loaded[0]["__key__"]


#: A name ends at its first dot in WebDataset; and one is longer than an old header has room for.
AWKWARD = ["IMG.2021.01", "IMG.2021.02", "IMG", "photo.jpg", "50%.2E", "50%2E2E", "x" * 120, ".a"]


@pytest.fixture
def awkward(tmp_path: Path) -> Collection:
    made = Collection(tmp_path / "awkward", tars=1, per_tar=0)
    with tarfile.open(made.tar(0), "w") as tar:
        for number, name in enumerate(AWKWARD):
            info = tarfile.TarInfo(f"{name}.jpg")
            info.size = len(jpeg(number))
            tar.addfile(info, io.BytesIO(jpeg(number)))
    made.write_csv([HEADER, *(row(number, name) for number, name in enumerate(AWKWARD))])
    made.describe()
    return made


@leaves_files_open
def test_names_with_dots_stay_apart(awkward: Collection, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(out, awkward)
    assert verify_build(out, archives=awkward.folder).is_right
    webdataset = pytest.importorskip("webdataset", reason="needs webdataset")
    stream = webdataset.WebDataset(str(next(out.glob("*.tar"))), shardshuffle=False)
    found = {json.loads(example["json"])["hash"]: example["jpg"] for example in stream}
    del stream
    gc.collect()
    assert found == {name: jpeg(number) for number, name in enumerate(AWKWARD)}


def test_names_with_dots_are_purged(awkward: Collection, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(out, awkward)
    gone = ["IMG.2021.01", "50%.2E", "x" * 120]
    purge(open_target(*find_targets(out)), RemovalList(frozenset(gone)))
    left = {name for record in _members(out) for name in [record.rpartition(".")[0]]}
    assert {image_of_key(key) for key in left} == set(AWKWARD) - set(gone)
    assert len(_members(out)) == 2 * (len(AWKWARD) - len(gone))


def test_names_with_dots_of_earlier_versions_are_purged(tmp_path: Path) -> None:
    """Which wrote them as they are."""
    shard = tmp_path / "out" / "train-00000-of-00001.tar"
    shard.parent.mkdir()
    names = ["a.b", "a.c", "a%2Eb"]
    write_tar(shard, {f"{name}.{kind}": b"?" for name in names for kind in ("jpg", "json")})
    size_bytes = shard.stat().st_size
    release = read_release(mini.CHECKSUMS)
    shards = (ExportShard(shard.name, len(names), size_bytes),)
    WebDatasetExport(release, None, "webdataset, ustar", shards).save(shard.parent)
    purge(open_target(*find_targets(shard.parent)), RemovalList(frozenset({"a.b"})))
    assert "a.c.jpg" in _members(shard.parent)
    assert not {"a.b.jpg", "a.b.json"} & set(_members(shard.parent))


def _members(folder: Path) -> list[str]:
    found = []
    for path in folder.glob("*.tar"):
        with tarfile.open(path) as tar:
            found += [member.name for member in tar if member.isfile()]
    return found


@pytest.mark.parametrize("key", [*AWKWARD, "%", "%25", "%2E.", "é.ü"])
def test_keys(key: str) -> None:
    assert "." not in key_of(key)
    assert image_of_key(key_of(key)) == key


def test_keys_of_pass_are_its_hashes() -> None:
    assert key_of("fff0eece99cc71c2e91fe716051599") == "fff0eece99cc71c2e91fe716051599"


def test_programs_that_read_all_files_of_a_folder_see_tars(mini_shards: Path) -> None:
    seen = [path for path in mini_shards.iterdir() if not path.name.startswith(("_", "."))]
    assert {path.suffix for path in seen} == {".tar"}


def test_exports_of_earlier_versions_open(mini_shards: Path) -> None:
    (mini_shards / "_shards.json").rename(mini_shards / "shards.json")
    (mini_shards / "_info.json").unlink()
    export = WebDatasetExport.load(mini_shards)
    assert export.num_examples == 64
    assert verify_build(mini_shards, archives=mini.ARCHIVES).is_right
    export.save(mini_shards)
    assert {path.name for path in mini_shards.glob("*.json")} == {"_info.json", "_shards.json"}


@pytest.mark.slow
def test_read_by_timm(mini_shards: Path) -> None:
    """In a process of its own: timm imports torchvision, which TensorFlow must not be before."""
    if not (find_spec("timm") and find_spec("webdataset")):
        pytest.skip("needs timm and webdataset")
    code = (
        "import sys, timm.data\n"
        "d = timm.data.create_dataset('wds/mini', root=sys.argv[1], split='train', batch_size=4)\n"
        "found = list(d)\n"
        "print(len(d), len(found), {t for _, t in found}, {image.mode for image, _ in found})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, mini_shards], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[-2] == "64 64 {0} {'RGB'}"
