from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ncnn")
convolution = pytest.importorskip("pass_dataset.passify.detectors.cascade_rcnn.convolution")

CPU = torch.device("cpu")


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def both_ways(channels: int) -> tuple[object, object]:
    rng = np.random.default_rng(channels)
    weight = rng.standard_normal((channels, channels, 3, 3), np.float32) / (3 * channels**0.5)
    bias = rng.standard_normal(channels, np.float32)
    direct, winograd = (
        convolution.Convolutions({}, CPU, torch.float32, chosen).of(weight, bias)
        for chosen in ((), {channels})
    )
    assert type(winograd).__name__ == "WinogradConvolution" != type(direct).__name__
    return direct, winograd


@pytest.mark.parametrize("channels", [16, 64])
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (7, 3), (45, 61)])
@pytest.mark.parametrize("images", [1, 2])
def test_gives_what_the_other_way_gives(channels: int, size: tuple[int, int], images: int) -> None:
    direct, winograd = both_ways(channels)
    generator = torch.Generator().manual_seed(0)
    x, added = torch.randn(2, images, channels, *size, generator=generator)
    x, added = (t.contiguous(memory_format=torch.channels_last) for t in (x, added))
    with torch.inference_mode():
        for relu in (False, True):
            found = winograd(x, relu=relu)
            assert found.is_contiguous(memory_format=torch.channels_last)
            torch.testing.assert_close(found, direct(x, relu=relu), atol=1e-4, rtol=1e-4)
            found = winograd(x, relu=relu, added=added.clone())
            expected = direct(x, relu=relu, added=added.clone())
            torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_bands_change_no_bit(
    threads: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other bands and numbers of threads; the later ones with memory that has been used."""
    from pass_dataset.passify.detectors.cascade_rcnn import winograd

    _, convolve = both_ways(64)
    x = torch.randn(1, 64, 45, 61).contiguous(memory_format=torch.channels_last)
    threads(1)
    whole = convolve(x)
    for count, band_bytes in ((1, 1), (2, 3_000_000), (3, 50_000)):
        threads(count)
        monkeypatch.setattr(winograd, "BAND_BYTES", band_bytes)
        assert torch.equal(convolve(x), whole)


def test_what_is_not_a_number_stays_so() -> None:
    _, convolve = both_ways(16)
    x = torch.zeros(1, 16, 20, 20).contiguous(memory_format=torch.channels_last)
    x[0, 3, 2, 2] = float("nan")
    assert convolve(x, relu=True)[0, :, 2, 2].isnan().all()


#: What a process does first, many times: threads that begin together have no memory yet.
BEGINNING = """
import sys
import numpy as np, torch
from pass_dataset.passify.detectors.cascade_rcnn import winograd
sys.setswitchinterval(1e-6)
torch.set_num_threads(4)
weight, bias = np.ones((64, 64, 3, 3), np.float32), np.zeros(64, np.float32)
x = torch.ones(1, 64, 40, 40).contiguous(memory_format=torch.channels_last)
with torch.inference_mode():
    for _ in range(300):
        winograd._memory.cache_clear()
        y = winograd.WinogradConvolution(weight, bias)(x)
print(float(y[0, 0, 1, 1]))
"""


@pytest.mark.slow
def test_memory_outlives_what_lies_in_it() -> None:
    """Where each thread made its own at first, the process ended now and then."""
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) == pytest.approx(576, rel=1e-3)
