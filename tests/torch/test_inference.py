"""What keeps float32 whole is taken back, by whichever thread is last. On GPUs: `tests/cuda`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from pass_dataset.torch import inference as module
from pass_dataset.torch.inference import full_float32, inference, sizes_of_all_kinds

BACKENDS: Any = torch.backends  # parts of it have no types


def switches() -> list[object]:
    return [getattr(owner, name) for owner, name, _ in module._precisions()]


def full() -> list[object]:
    return [value for _, _, value in module._precisions()]


def test_settings_are_those_of_before() -> None:
    before = switches()
    assert before != full()
    with full_float32():
        assert switches() == full()
        with inference():
            assert switches() == full() and torch.is_inference_mode_enabled()
        assert switches() == full() and not torch.is_inference_mode_enabled()
    assert switches() == before
    with pytest.raises(KeyError), inference():
        raise KeyError
    assert switches() == before


def everything() -> dict[str, object]:
    """What any name, older or newer, says of precisions; None: it raises."""
    cudnn, products, others = BACKENDS.cudnn, BACKENDS.cuda.matmul, BACKENDS.mkldnn
    found: dict[str, object] = {}
    for what, read in (
        ("cudnn.allow_tf32", lambda: cudnn.allow_tf32),
        ("matmul.allow_tf32", lambda: products.allow_tf32),
        ("float32_matmul_precision", torch.get_float32_matmul_precision),
    ):
        try:
            found[what] = read()
        except RuntimeError:
            found[what] = None
    if hasattr(cudnn, "conv"):
        parts = (cudnn, cudnn.conv, cudnn.rnn, products, others, others.conv, others.matmul)
        found |= {str(number): part.fp32_precision for number, part in enumerate(parts)}
    return found


@pytest.fixture
def as_it_comes() -> Iterator[None]:
    """PyTorch's precisions, whatever a test sets."""
    before = everything()
    yield
    torch.backends.cudnn.allow_tf32 = True
    torch.set_float32_matmul_precision("highest")
    if hasattr(torch.backends.cudnn, "conv"):
        torch.backends.cuda.matmul.fp32_precision = "none"
        BACKENDS.mkldnn.matmul.fp32_precision = "none"
    assert everything() == before


@pytest.mark.usefixtures("as_it_comes")
@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
@pytest.mark.parametrize("allowed", [True, False])
def test_older_names_can_be_read(precision: str, allowed: bool) -> None:
    """By whatever runs meanwhile: `cudnn.flags` and torch.compile do."""
    torch.set_float32_matmul_precision(precision)
    torch.backends.cudnn.allow_tf32 = allowed
    before = everything()
    with full_float32():
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
        assert torch.get_float32_matmul_precision() == "highest"
        with torch.backends.cudnn.flags(enabled=True):
            pass
        assert "tf32" not in everything().values()
    assert everything() == before


@pytest.mark.usefixtures("as_it_comes")
@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="of PyTorch since 2.9")
@pytest.mark.parametrize("one", ["conv", "rnn", "matmul"])
def test_newer_names_are_as_they_were_set(one: str) -> None:
    """Then some older ones raise, before and afterwards."""
    part = BACKENDS.cuda.matmul if one == "matmul" else getattr(BACKENDS.cudnn, one)
    part.fp32_precision = "tf32" if one == "matmul" else "ieee"
    before = everything()
    assert None in before.values()
    with full_float32():
        assert BACKENDS.cudnn.conv.fp32_precision == "ieee"
        assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    assert everything() == before


def test_cudnn_is_back_again() -> None:
    assert torch.backends.cudnn.enabled
    with sizes_of_all_kinds(), sizes_of_all_kinds():
        assert not torch.backends.cudnn.enabled
    assert torch.backends.cudnn.enabled


def test_a_training_that_wants_less_has_it_again() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        before = switches()
        with full_float32():
            assert switches() == full()
        assert switches() == before
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.backends.cudnn.allow_tf32  # no complaint of the newer names
    finally:
        torch.set_float32_matmul_precision("highest")


def test_of_several_threads_the_last_one_turns_them_back() -> None:
    before = switches()
    has_both, may_end = threading.Event(), threading.Event()

    def other() -> None:
        with full_float32():
            has_both.set()
            may_end.wait(60)

    thread = threading.Thread(target=other)
    with full_float32():
        thread.start()
        assert has_both.wait(60)
    assert switches() == full()
    may_end.set()
    thread.join()
    assert switches() == before
