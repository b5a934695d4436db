"""Each script does what its page says, on a small scale; figures are for a quiet machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pass_dataset import PassArchive
from pass_dataset.verification import verify

SCRIPTS = Path(__file__).parent.parent / "scripts"


def run(name: str, *arguments: object) -> str:
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make(folder: Path, *arguments: object) -> PassArchive:
    run("make_synthetic.py", folder, *arguments)
    assert verify(folder, folder / "checksums.tsv").is_whole
    return PassArchive(folder, folder / "checksums.tsv")


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*_*.py")))
def test_help(script: str) -> None:
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


def test_bench_index(tmp_path: Path) -> None:
    out = run("bench_index.py", "--images", 3000, "--work", tmp_path)
    assert "3,000 images" in out
    assert "index: scan, CSV, join, save" in out
    assert "tarfile" in out
    assert list(tmp_path.iterdir()) == []


def test_bench_download(tmp_path: Path) -> None:
    if not shutil.which("curl") or not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()):
        pytest.skip("needs curl and nginx: apt-get install curl nginx-light")
    out = run("bench_download.py", "--size-mb", 20, "--rounds", 1, "--work", tmp_path)
    assert "curl | sha256sum" in out
    assert "pass-dataset download" in out


def test_bench_detectors(tmp_path: Path, shared: Path) -> None:
    for package in ("torch", "onnxruntime", "onnx"):
        pytest.importorskip(package)
    weights = shared / "weights" / "mobilenet0.25_Final.pth"
    small = ("--images", shared / "images", "--weights", weights, "--count", 9, "--rounds", 1)
    out = run("bench_detectors.py", *small)
    assert "verdicts: all the same" in out
    assert "ours / published" in out


def test_bench_tfds(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow_datasets")
    small = ("--images", 200, "--body-bytes", 600, "--only", "ours", "--work", tmp_path)
    out = run("bench_tfds.py", *small)
    assert "200 images" in out
    assert "ours  array_record" in out
    assert list(tmp_path.iterdir()) == []


def test_make_collection(shared: Path, tmp_path: Path) -> None:
    from PIL import Image

    for name in ("a", "b"):
        out = run("make_collection.py", shared / "images", tmp_path / name, "--images", 130)
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


def test_bench_passify(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("torch")
    small = ("--images", 24, "--loop-images", 4, "--listing", 500, "--rows", 3000)
    weights = ("--weights", shared / "weights" / "mobilenet0.25_Final.pth", "--work", tmp_path)
    out = run("bench_passify.py", shared / "images", *weights, *small)
    for line in ("published loop ", "detector alone ", "passify run ", "listing and planning 500"):
        assert line in out
    assert "passify keep --face 0.3 on 3,000 rows" in out
    assert list(tmp_path.iterdir()) == []
