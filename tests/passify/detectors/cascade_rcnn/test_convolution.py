from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
convolution = pytest.importorskip("pass_dataset.passify.detectors.cascade_rcnn.convolution")


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize(("side", "stride"), [(1, 1), (1, 2), (3, 1), (7, 2)])
def test_folded_batch_norm(
    packs: bool, side: int, stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if packs and not convolution._packing_works():
        pytest.skip("this torch has not oneDNN's fused operations")
    monkeypatch.setattr(convolution, "_packing_works", lambda: packs)
    rng = np.random.default_rng(0)
    parameters = {
        "c.weight": rng.standard_normal((16, 8, side, side)),
        "c.norm.weight": rng.standard_normal(16),
        "c.norm.bias": rng.standard_normal(16),
        "c.norm.running_mean": rng.standard_normal(16),
        "c.norm.running_var": rng.uniform(0.5, 2, 16),
    }
    parameters = {name: array.astype(np.float32) for name, array in parameters.items()}
    tensors = {name: torch.from_numpy(array) for name, array in parameters.items()}
    x = torch.from_numpy(rng.standard_normal((2, 8, 20, 24)).astype(np.float32))
    y = torch.nn.functional.conv2d(x, tensors["c.weight"], None, stride, side // 2)
    mean, variance = tensors["c.norm.running_mean"], tensors["c.norm.running_var"]
    gain, shift = tensors["c.norm.weight"], tensors["c.norm.bias"]
    y = torch.nn.functional.batch_norm(y, mean, variance, gain, shift, eps=1e-5)
    added = torch.randn_like(y)

    made = convolution.Convolutions(parameters, torch.device("cpu"), torch.float32)
    convolve = made.named("c", stride)
    x = x.contiguous(memory_format=torch.channels_last)
    last = added.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        for found, expected in (
            (convolve(x), y),
            (convolve(x, relu=True), y.relu()),
            (convolve(x, added=last.clone()), y + added),
            (convolve(x, relu=True, added=last.clone()), (y + added).relu()),
        ):
            assert found.is_contiguous(memory_format=torch.channels_last)
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("packs", "together"), [(True, 80), (True, 30), (False, 80)])
@pytest.mark.parametrize("regions", [0, 1, 37, 1000])
def test_fully_connected(
    packs: bool, together: int, regions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if packs and not convolution._packing_works():
        pytest.skip("this torch has not oneDNN's fused operations")
    monkeypatch.setattr(convolution, "_packing_works", lambda: packs)
    monkeypatch.setattr(convolution, "PART_INPUTS", together)
    rng = np.random.default_rng(1)
    weight, bias = rng.standard_normal((48, 80)), rng.standard_normal(48)
    weight, bias = weight.astype(np.float32), bias.astype(np.float32)
    x = torch.from_numpy(rng.standard_normal((80, regions)).astype(np.float32)).T
    made = convolution.Convolutions({}, torch.device("cpu"), torch.float32).linear(weight, bias)
    expected = torch.nn.functional.linear(x, torch.from_numpy(weight), torch.from_numpy(bias))
    with torch.inference_mode():
        for relu, wanted in ((False, expected), (True, expected.relu())):
            found = made(x, relu=relu)
            assert found.shape == (regions, 48)
            torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
