"""Features made by executors: here, on SLURM and on Ray the same bytes as without any."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.data.opening import open_data
from pass_dataset.evaluate.features.embedding import embed, features_folder
from pass_dataset.evaluate.features.spreading import Asked, Embedding, embed_spread
from pass_dataset.evaluate.features.transforms import TransformSettings
from pass_dataset.evaluate.models.encoders import Encoder, open_encoder
from pass_dataset.executors.executor import Executor
from pass_dataset.executors.local import LocalExecutor
from pass_dataset.executors.ray import RayExecutor
from pass_dataset.executors.ray_settings import RaySettings
from tests.evaluate.pictures import make_labelled
from tests.support.passify import ROOT
from tests.support.ray_cluster import ray_cluster
from tests.support.slurm import Cluster

NAME = "python:tests.evaluate.features.test_spreading:Corners"
SMALL = TransformSettings(resize=36, crop=32)


class Corners(torch.nn.Module):
    """An encoder of a few numbers, which needs no time."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(torch.linspace(0.5, 1.5, 12))

    def forward(self, images: Any) -> Any:
        return torch.nn.functional.adaptive_avg_pool2d(images, 2).flatten(1) * self.weights


class Deadly(Corners):
    """Takes its process down."""

    def forward(self, images: Any) -> Any:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many pictures that their features have three parts."""
    return make_labelled(tmp_path_factory.mktemp("labelled"), train=200, test=1)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return open_encoder(NAME)


def made(encoder: Encoder, labelled: Path, cache: Path) -> dict[str, bytes]:
    """The files of the features, by their names in the cache."""
    folder = features_folder(encoder, open_data(str(labelled), "train"), SMALL, cache).folder
    return {
        str(path.relative_to(cache)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.fixture(scope="module")
def plain(
    encoder: Encoder, labelled: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """Without an executor."""
    cache = tmp_path_factory.mktemp("plain")
    embed(encoder, open_data(str(labelled), "train"), SMALL, cache=cache)
    found = made(encoder, labelled, cache)
    assert {Path(name).name for name in found} == {"features.f16", "features.json"}
    return found


def spread(executor_of: Any, encoder: Encoder, labelled: Path, cache: Path) -> Any:
    asked = Asked({"name": encoder.name}, str(labelled), "train")
    images = open_data(str(labelled), "train")
    return embed_spread(asked, encoder, images, SMALL, executor_of, cache=cache)


def here(work: Embedding) -> Executor:
    return LocalExecutor(replace(work, workers=1))


@pytest.mark.slow
def test_here(encoder: Encoder, labelled: Path, plain: dict[str, bytes], tmp_path: Path) -> None:
    """What is there is not made again, and what was at work leaves nothing behind."""
    images = open_data(str(labelled), "train")
    folder = features_folder(encoder, images, SMALL, tmp_path)
    whole = embed(encoder, images, SMALL, cache=tmp_path / "whole")
    folder.write(1, whole[256:512])
    assert folder.missing() == [0, 2]
    features = spread(here, encoder, labelled, tmp_path)
    assert features.shape == (600, 12)
    assert made(encoder, labelled, tmp_path) == plain
    broken = Encoder(NAME, torch.nn.Identity(), encoder.digest)
    assert (spread(None, broken, labelled, tmp_path) == features).all()


@pytest.mark.slow
def test_what_other_machines_find_is_checked(
    encoder: Encoder, labelled: Path, tmp_path: Path
) -> None:
    other = Encoder(NAME, encoder.module, "f" * 64)
    with pytest.raises(EvaluationError, match="another encoder of this name"):
        spread(here, other, labelled, tmp_path)
    few = make_labelled(tmp_path / "few")
    images = open_data(str(few), "train")
    asked = Asked({"name": NAME}, str(few), "train")
    changed = replace(images, read=lambda row: b"another")
    with pytest.raises(EvaluationError, match="finds other images"):
        embed_spread(asked, encoder, changed, SMALL, here, cache=tmp_path)


@pytest.mark.slow
def test_what_takes_processes_down_is_named(tmp_path: Path) -> None:
    name = NAME.replace("Corners", "Deadly")
    few = make_labelled(tmp_path / "few", train=1)
    with pytest.raises(EvaluationError, match=r"0\.jpg: the process .* died"):
        spread(here, open_encoder(name), few, tmp_path)


def test_on_slurm(
    slurm: Cluster, encoder: Encoder, labelled: Path, plain: dict[str, bytes], tmp_path: Path
) -> None:
    where = ("--executor", "slurm", "--slurm-partition", "cpu", "--slurm-cpus", "1")
    command = [
        *(sys.executable, "-m", "pass_dataset.evaluate", "embed", NAME, str(labelled)),
        *("--split", "train", "--resize", "36", "--crop", "32", "--cache", str(tmp_path)),
        *(*where, "--slurm-mem-gb", "2", "--slurm-parallel", "2"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("middles: 600 images, 12 numbers each")
    assert made(encoder, labelled, tmp_path) == plain


@pytest.fixture
def ray() -> Iterator[Any]:
    """A cluster of two cores."""
    with ray_cluster() as ray:
        yield ray


@pytest.mark.ray
def test_on_ray(
    ray: Any, encoder: Encoder, labelled: Path, plain: dict[str, bytes], tmp_path: Path
) -> None:
    settings = RaySettings(workers=2)
    features = spread(lambda work: RayExecutor(settings, work), encoder, labelled, tmp_path)
    assert features.shape == (600, 12)
    assert made(encoder, labelled, tmp_path) == plain
