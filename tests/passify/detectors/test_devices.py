from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pass_dataset.errors import DetectorError
from pass_dataset.passify.detectors.catalogue import open_detector
from pass_dataset.passify.detectors.devices import require_device
from pass_dataset.passify.detectors.settings import DetectorSettings
from pass_dataset.passify.steps.execution import Execution


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:0", "cuda:12", None])
def test_devices(device: str | None) -> None:
    assert DetectorSettings(device=device).device == device


@pytest.mark.parametrize(
    "device", ["gpu", "", "mps", "CPU", "cpu:0", "cuda:", "cuda:-1", "cuda:01"]
)
def test_what_is_no_device(device: str) -> None:
    """Before anything is done with it, by whatever way it comes."""
    for settings in (DetectorSettings, Execution):
        with pytest.raises(DetectorError) as raised:
            settings(device=device)
        assert str(raised.value) == f"device: expected cpu, cuda or cuda:N, found {device!r}"


@pytest.mark.parametrize(
    ("device", "count"), [("cuda", 0), ("cuda:1", 1), ("cuda:256", 1), ("cuda:300", 64)]
)
def test_a_device_that_is_not_there(
    device: str, count: int, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTorch itself takes cuda:256 for the first one."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    message = rf"device: {device} was asked for, .* finds {count} CUDA devices; use device cpu"
    with pytest.raises(DetectorError, match=message):
        require_device(device)
    weights = shared / "weights" / "mobilenet0.25_Final.pth"
    for name in ("retinaface", "cascade-rcnn"):
        detector = open_detector(name, DetectorSettings(device=device, weights=weights))
        with pytest.raises(DetectorError, match=message):
            detector.detect([np.zeros((8, 8, 3), np.uint8)])


def test_a_device_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for device in ("cpu", "cuda", "cuda:0", "cuda:1"):
        require_device(device)
