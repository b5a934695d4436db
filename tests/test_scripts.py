"""Each script does what its page says, on a small scale; figures are for a quiet machine."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.archives.integrity import verify
from tests.evaluate.pictures import make_labelled
from tests.support.passify import DETECTORS

SCRIPTS = Path(__file__).parent.parent / "scripts"


#: What a script imports that an extra, or nothing, installs.
NEEDS = {
    "bench_evaluate.py": ("torch", "torchvision", "sklearn"),
    "bench_torch.py": ("torch", "torchvision"),
    "pretrain_moco.py": ("torch", "torchvision", "lightly", "cv2"),
    "compare_views.py": ("torch", "torchvision", "cv2"),
    "torch_readers.py": ("torch", "torchvision"),
    "view_makers.py": ("torch", "torchvision", "cv2"),
}


def script_path(name: str) -> Path:
    (path,) = SCRIPTS.glob(f"*/{name}")
    return path


def run(name: str, *arguments: object) -> str:
    return completed(name, *arguments).stdout


def completed(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script_path(name)), *map(str, arguments)]
    # One thread: more of them, in several processes on few cores, wait for each other.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done


def make(folder: Path, *arguments: object) -> PassArchive:
    run("make_synthetic.py", folder, *arguments)
    assert verify(folder, folder / "checksums.tsv").is_whole
    return PassArchive(folder, folder / "checksums.tsv")


@pytest.mark.slow
@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*/*_*.py")))
def test_help(script: str) -> None:
    for module in NEEDS.get(script, ()):
        pytest.importorskip(module)
    assert f"usage: {script}" in run(script, "--help")


def test_synthetic_release(tmp_path: Path) -> None:
    archive = make(tmp_path / "a", "--images", 2000, "--body-bytes", 600, "--seed", 3)
    assert len(archive) == archive.release.num_examples == 2000
    assert archive.summary.without_metadata == archive.summary.without_image == 0
    assert {len(record.jpeg) for record in archive[:50]} == {600}
    without_gps = sum(record.latitude is None for record in archive) / 2000
    assert 0.57 < without_gps < 0.67
    again = make(tmp_path / "b", "--images", 2000, "--body-bytes", 600, "--seed", 3)
    assert again.release == archive.release


def test_synthetic_release_1(tmp_path: Path) -> None:
    archive = make(tmp_path / "a", "--images", 100, "--tars", 2, "--release-1")
    assert all(record.date_taken is record.latitude is None for record in archive)
    assert all(record.creator for record in archive)


@pytest.mark.slow
def test_bench_index(tmp_path: Path) -> None:
    out = run("bench_index.py", "--images", 3000, "--work", tmp_path)
    assert "3,000 images" in out
    assert "index: scan, CSV, join, save" in out
    assert "tarfile" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bench_credits(tmp_path: Path) -> None:
    out = run("bench_credits.py", "--images", 3000, "--work", tmp_path)
    assert "3,000 images" in out
    assert all(name in out for name in ("csv", "html", "bibtex", "diff", "met"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bench_lists(tmp_path: Path) -> None:
    out = run("bench_lists.py", "--images", 3000, "--work", tmp_path)
    assert "3,000 names of 2" in out
    assert all(name in out for name in ("UTF-16", "sha256sum", "capitals", "as opt-outs"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bench_stats(tmp_path: Path) -> None:
    out = run("bench_stats.py", "--images", 3000, "--work", tmp_path)
    assert "3,000 images" in out
    for line in ("no headers", "20,000 headers", "all headers", "all headers, kept"):
        assert f"\n{line} " in out
    assert "<= 1000 MB: " in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bench_download(tmp_path: Path) -> None:
    if not shutil.which("curl") or not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()):
        pytest.skip("needs curl and nginx: apt-get install curl nginx-light")
    out = run("bench_download.py", "--size-mb", 20, "--rounds", 1, "--work", tmp_path)
    assert "curl | sha256sum" in out
    assert "pass-dataset download" in out


@pytest.mark.slow
def test_bench_fetch(tmp_path: Path) -> None:
    pytest.importorskip("pycurl")
    if not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()):
        pytest.skip("needs nginx: apt-get install nginx-light")
    options = ("--images", 600, "--rounds", 1, "--connections", 3, "--target", 0)
    out = run("bench_fetch.py", *options, "--no-img2dataset", "--work", tmp_path)
    assert "pass-curate fetch" in out
    assert "target 0 images/s: met" in out


@pytest.mark.slow
def test_bench_huggingface(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    small = ("--images", 200, "--body-bytes", 600, "--rounds", 1, "--work", tmp_path)
    command = [sys.executable, str(script_path("bench_huggingface.py")), *map(str, small)]
    done = subprocess.run(command, capture_output=True, text=True)
    # So little is all start-up, in which cp wins: a target missed is no failure here.
    assert done.returncode in (0, 1), done.stderr
    assert "200 images" in done.stdout
    for line in ("cp ", "old ", "ours ", "ours, parts 0-2", "ours, streamed"):
        assert f"\n{line}" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bench_streaming(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    if not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()):
        pytest.skip("needs nginx: apt-get install nginx-light")
    small = ("--images", 300, "--body-bytes-mean", 50_000, "--workers", 2, "--work", tmp_path)
    command = [sys.executable, str(script_path("bench_streaming.py")), *map(str, small)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr  # a busy machine may take its time
    assert "300 images" in done.stdout
    assert "first record" in done.stdout
    assert "full pass" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bench_detectors(tmp_path: Path, shared: Path, photographs: Path) -> None:
    for package in ("torch", "onnxruntime", "onnx"):
        pytest.importorskip(package)
    weights = shared / "weights" / "mobilenet0.25_Final.pth"
    small = ("--images", photographs, "--weights", weights, "--count", 9, "--rounds", 1)
    out = run("bench_detectors.py", *small)
    assert "verdicts: all the same" in out
    assert "ours / published" in out
    assert "ms/img of the CPU" in out
    if importlib.util.find_spec("ncnn"):
        assert "convolutions, 1×1" in out


@pytest.mark.slow
def test_bench_tfds(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow_datasets")
    small = ("--images", 200, "--body-bytes", 600, "--only", "ours", "--work", tmp_path)
    out = run("bench_tfds.py", *small)
    assert "200 images" in out
    assert "ours  array_record" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bench_parquet(tmp_path: Path) -> None:
    small = ("--images", 200, "--body-bytes", 600, "--work", tmp_path)
    out = run("bench_parquet.py", *small)
    assert "200 images" in out
    assert "ours, 2 workers, part 0" in out
    assert "Parquet, mapped" in out
    assert "memory target met" in out
    groups = run("bench_parquet.py", *small, "--row-groups").splitlines()
    assert sum(line.startswith("200  ") for line in groups) == 5
    pytest.importorskip("datasets")
    lines = run("bench_parquet.py", *small, "--caches").splitlines()
    (streamed,) = [line for line in lines if line.startswith("load_dataset(OUT, streaming=True)")]
    assert streamed.split()[2:4] == ["0", "0.00x"]
    assert list(tmp_path.iterdir()) == []


def test_make_collection(photographs: Path, tmp_path: Path) -> None:
    from PIL import Image

    for name in ("a", "b"):
        out = run("make_collection.py", photographs, tmp_path / name, "--images", 130)
        assert "130 images" in out
    made = {
        name: {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.jpg")}
        for name in ("a", "b")
    }
    assert len(made["a"]) == 130
    assert made["a"] == made["b"]
    sizes = set()
    for path in (tmp_path / "a").rglob("*.jpg"):
        with Image.open(path) as image:
            sizes.add(image.size)
    assert len(sizes) > 50


@pytest.mark.slow
def test_bench_passify(shared: Path, photographs: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("torch")
    small = ("--images", 24, "--loop-images", 4, "--listing", 500, "--rows", 3000)
    weights = ("--weights", shared / "weights" / "mobilenet0.25_Final.pth", "--work", tmp_path)
    out = run("bench_passify.py", photographs, *weights, *small)
    for line in ("published loop ", "detector alone ", "passify run ", "listing and planning 500"):
        assert line in out
    assert "passify keep --face 0.3 on 3,000 rows" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bench_views(tmp_path: Path) -> None:
    """Beside torchvision; what is not installed is said to be missing."""
    for module in NEEDS["view_makers.py"]:
        pytest.importorskip(module)
    small = ("--images", 4, "--rounds", 1, "--workers", 0, "--recipes", "moco_v2")
    small = (*small, "--device", "cpu")
    out = run("bench_views.py", *small, "--others", "torchvision", "--work", tmp_path)
    assert "x torchvision (target 3x: " in out
    assert "moco_v2: on the device " in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_compare_views(tmp_path: Path) -> None:
    for module in NEEDS["compare_views.py"]:
        pytest.importorskip(module)
    labelled = make_labelled(tmp_path / "labelled", train=4, test=1)
    small = ("--images", 4, "--steps", 4, "--batch-size", 4, "--trainings", 1)
    out = run("compare_views.py", labelled / "train", *small)
    assert "power, 16 to 32" in out and "nearest has the label" in out


@pytest.mark.slow
def test_pretrain_moco(tmp_path: Path) -> None:
    """A few steps, and then a few more from where it was."""
    for module in NEEDS["pretrain_moco.py"]:
        pytest.importorskip(module)
    small = (
        "--mini", "--backbone", "resnet18", "--image-size", 32, "--batch-size", 8, "--queue", 64,
        "--workers", 1, "--log-every", 1, "--out", tmp_path,
    )  # fmt: skip
    said = completed("pretrain_moco.py", *small, "--steps", 3).stderr
    assert "epoch 0, step 3: loss" in said
    assert (tmp_path / "backbone.pt").stat().st_size > 40_000_000
    # 64 pictures are eight batches: the sixth is the last but two of the same epoch.
    # The same images, whoever makes the views of them.
    said = completed("pretrain_moco.py", *small, "--steps", 10, "--device-views").stderr
    assert "continuing after step 3, epoch 0" in said
    assert "epoch 0, step 8: loss" in said
    assert "epoch 1, step 9: loss" in said
    assert "step 3: loss" not in said
    said = completed("pretrain_moco.py", *small, "--steps", 10).stderr
    assert "backbone.pt after 10 steps" in said
    assert ": loss" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "backbone", "kept"),
    [("swav", "resnet18", "encoder"), ("dino", "vit_tiny_patch16_224", "teacher")],
)
def test_pretrain_by_other_methods(method: str, backbone: str, kept: str, tmp_path: Path) -> None:
    """A step and another one; what is kept in the end is what the checkpoint has."""
    for module in (*NEEDS["pretrain_moco.py"], "timm"):
        pytest.importorskip(module)
    small = (
        "--mini", "--method", method, "--backbone", backbone, "--image-size", 32,
        "--batch-size", 8, "--prototypes", 64, "--workers", 0, "--log-every", 1, "--out", tmp_path,
    )  # fmt: skip
    completed("pretrain_moco.py", *small, "--steps", 1)
    said = completed("pretrain_moco.py", *small, "--steps", 2).stderr
    assert "continuing after step 1, epoch 0" in said
    assert "epoch 0, step 2: loss" in said
    torch = pytest.importorskip("torch")
    backbone_weights = torch.load(tmp_path / "backbone.pt", weights_only=True)
    loading = pytest.importorskip("pass_dataset.evaluate.models.loading")
    loaded = loading.load_checkpoint(tmp_path / "checkpoint.pt")
    assert loaded.report.place == f"model/{kept}."
    again = loading.load_checkpoint(tmp_path / "backbone.pt").module.state_dict()
    assert len(again) == len(backbone_weights) == loaded.report.loaded
    for name, value in loaded.module.state_dict().items():
        assert torch.equal(value, again[name]), name


@pytest.mark.slow
def test_passified_or_not(tmp_path: Path) -> None:
    """From a folder of pictures to a page; then again, with nothing left to do but to compare."""
    for module in (*NEEDS["pretrain_moco.py"], *NEEDS["bench_evaluate.py"], "faiss"):
        pytest.importorskip(module)
    labelled = make_labelled(tmp_path / "labelled", train=4, test=4)
    small = (
        labelled / "train", labelled, "--image-size", 32, "--batch-size", 4, "--queue", 16,
        "--steps", 2, "--workers", 0, "--resize", 36, "--crop", 32, "--out", tmp_path / "out",
        *DETECTORS,
    )  # fmt: skip
    said = completed("passified_or_not.py", *small)
    assert "logistic, tuned top-1" in said.stdout
    assert "12 training images, 12 test images, 3 classes" in said.stdout
    assert "A against B" in (tmp_path / "out" / "page.html").read_text()


@pytest.mark.slow
def test_bench_evaluate(tmp_path: Path) -> None:
    for module in (*NEEDS["bench_evaluate.py"], "faiss"):
        pytest.importorskip(module)
    labelled = make_labelled(tmp_path / "labelled", train=4, test=4)
    options = ("--rows", 3000, "--width", 16, "--classes", 4, "--work", tmp_path)
    said = run("bench_evaluate.py", labelled, "--encoder", "random:resnet18", *options)
    for name in ("alone ", "embed ", "again ", "linear ", "probes ", "logistic regression, 3,000"):
        assert name in said


@pytest.mark.slow
def test_bench_torch(tmp_path: Path) -> None:
    for module in (*NEEDS["bench_torch.py"], "webdataset"):
        pytest.importorskip(module)
    small = ("--images", 200, "--decode-images", 100, "--rounds", 1, "--start-images", 500)
    small = (*small, "--workers", "0,2")
    others = "ImageFolder packed,webdataset"
    out = run("bench_torch.py", *small, "--work", tmp_path, "--others", others)
    assert "200 images" in out
    for reader in ("stream", "map", *others.split(","), "memory", "disk, tars", "disk, files"):
        assert f"\n{reader} " in out
    assert "cold, 2 workers: stream is" in out
    assert "warm, 0 workers: stream is" in out
    assert "of the decode limit" in out
    assert "first batch" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_bench_torch_memory(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("psutil")
    small = ("--release-images", 2000, "--images", 512, "--epochs", 2, "--work", tmp_path)
    out = run("bench_torch_memory.py", *small)
    assert "map, epoch 2" in out
    assert "stream, epoch 2" in out
    assert "jpegs, epoch 2" in out
    assert "< 300 MB: met" in out
    assert list(tmp_path.iterdir()) == []
