"""Checkpoints that are programs, or lie about their shapes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch

from pass_dataset.errors import WeightsError
from pass_dataset.torch.checkpoints import read_checkpoint


def test_programs_are_refused_before_torch_sees_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some versions of torch run an archive of TorchScript although they are told not to."""
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"")
        archive.writestr("a/code/__torch__.py", "")
        archive.writestr("a/constants.pkl", b"")

    def load(*_: object, **__: object) -> None:
        raise AssertionError("it was given to torch")

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(WeightsError, match="TorchScript archive, which is a program"):
        read_checkpoint(path)


@pytest.mark.parametrize("shape", [[-1, -1], [-4], [2, -2]])
def test_shapes_that_are_none(tmp_path: Path, shape: list[int]) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    with pytest.raises(WeightsError, match="safetensors"):
        read_checkpoint(path)
