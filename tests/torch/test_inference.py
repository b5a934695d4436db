"""What keeps float32 whole is taken back, by whichever thread is last. On GPUs: `tests/cuda`."""

from __future__ import annotations

import threading

import pytest
import torch

from pass_dataset.torch import inference as module
from pass_dataset.torch.inference import full_float32, inference, sizes_of_all_kinds


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
