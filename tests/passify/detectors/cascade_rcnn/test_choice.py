"""Which convolutions go by Winograd's method, with clocks that the tests hold."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("ncnn")
choice = pytest.importorskip("pass_dataset.passify.detectors.cascade_rcnn.choice")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(choice, "TYPICAL_MAPS", {16: (5, 6), 32: (3, 4)})
    choice.winograd_channels.cache_clear()
    yield
    choice.winograd_channels.cache_clear()


def take(monkeypatch: pytest.MonkeyPatch, times: dict[str, float]) -> list[str]:
    """Has each way take so many seconds; the list tells what was measured."""
    measured: list[str] = []

    def seconds(convolution: object, x: object) -> float:
        measured.append(type(convolution).__name__)
        return times["winograd" if "Winograd" in measured[-1] else "direct"]

    monkeypatch.setattr(choice, "_seconds", seconds)
    return measured


@pytest.mark.parametrize(
    ("winograd_s", "chosen"), [(0.4, {16, 32}), (1.05, {16, 32}), (1.2, set())]
)
def test_the_faster_is_chosen_and_remembered(
    winograd_s: float, chosen: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = take(monkeypatch, {"direct": 1.0, "winograd": winograd_s})
    assert choice.winograd_channels() == chosen
    assert len(measured) == 2 * 2 * choice.ROUNDS
    # As in a later process, in which things are otherwise.
    choice.winograd_channels.cache_clear()
    again = take(monkeypatch, {"direct": 1.0, "winograd": 1.6 - winograd_s})
    assert choice.winograd_channels() == chosen
    assert not again


def test_another_machine_measures_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    take(monkeypatch, {"direct": 1.0, "winograd": 2.0})
    assert choice.winograd_channels() == set()
    choice.winograd_channels.cache_clear()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    take(monkeypatch, {"direct": 1.0, "winograd": 0.5})
    assert choice.winograd_channels() == {16, 32}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"winograd_channels": 3}'])
def test_a_spoilt_file_is_written_anew(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(monkeypatch, {"direct": 1.0, "winograd": 0.5})
    choice.winograd_channels()
    [path] = tmp_path.rglob("*.json")
    path.write_bytes(content)
    choice.winograd_channels.cache_clear()
    assert choice.winograd_channels() == {16, 32}
    assert json.loads(path.read_bytes()) == {"winograd_channels": [16, 32]}


def test_a_cache_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "pass_dataset").write_bytes(b"a file where a folder should be")
    take(monkeypatch, {"direct": 1.0, "winograd": 0.5})
    assert choice.winograd_channels() == {16, 32}
    assert "measured anew next time" in caplog.text


def test_without_ncnn_or_where_it_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    from pass_dataset.errors import MissingExtraError
    from pass_dataset.passify.detectors.cascade_rcnn import convolution

    class Missing:
        def __init__(self, weight: object, bias: object) -> None:
            raise MissingExtraError("ncnn is not installed")

    class Wrong:
        def __init__(self, weight: object, bias: object) -> None:
            pass

        def __call__(self, x, **_: object):
            return x

    take(monkeypatch, {"direct": 1.0, "winograd": 0.1})
    for other in (Missing, Wrong):
        monkeypatch.setattr(convolution, "WinogradConvolution", other)
        assert not choice._is_faster(16)


def test_what_another_process_found_meanwhile_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """It measured while this one waited: both compute alike."""

    @contextlib.contextmanager
    def after_the_other(folder: Path, *, is_needed: bool) -> Iterator[None]:
        assert not is_needed
        take(monkeypatch, {"direct": 1.0, "winograd": 0.5})
        (folder / f"convolutions-{choice._machine()}.json").write_text(
            '{"winograd_channels": [32]}'
        )
        yield

    monkeypatch.setattr(choice, "hold", after_the_other)
    assert choice.winograd_channels() == {32}


def test_one_process_measures_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    held = []

    @contextlib.contextmanager
    def held_folder(folder: Path, *, is_needed: bool) -> Iterator[None]:
        held.append(folder)
        yield
        held.append(None)

    monkeypatch.setattr(choice, "hold", held_folder)
    measured = take(monkeypatch, {"direct": 1.0, "winograd": 0.5})
    assert choice.winograd_channels() == {16, 32}
    assert measured and held[0] is not None and held[1:] == [None]
