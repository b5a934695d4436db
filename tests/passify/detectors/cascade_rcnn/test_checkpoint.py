from __future__ import annotations

import collections
import os
import pickle
import re
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pass_dataset.errors import WeightsError
from pass_dataset.passify.detectors.cascade_rcnn import checkpoint
from pass_dataset.passify.detectors.cascade_rcnn.checkpoint import read_checkpoint

ARRAYS = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(3, 2)),
    "c": np.arange(3, dtype=">i8"),
    "d": np.float16([[[1.5]]]),
    "none": np.empty((0, 4), np.float32),
}


def dumped(folder: Path, content: object, protocol: int = 4) -> Path:
    path = folder / "model.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def check(arrays: dict[str, np.ndarray[Any, Any]]) -> None:
    assert arrays.keys() == ARRAYS.keys()
    for name, expected in ARRAYS.items():
        assert arrays[name].dtype == expected.dtype
        np.testing.assert_array_equal(arrays[name], expected)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_of_every_protocol(tmp_path: Path, protocol: int) -> None:
    check(read_checkpoint(dumped(tmp_path, {"model": ARRAYS, "__author__": "me"}, protocol)))
    check(read_checkpoint(dumped(tmp_path, ARRAYS, protocol)))


def test_names_of_numpy_1(tmp_path: Path) -> None:
    """The model zoo's files are older than `numpy._core`, and written by protocol 2."""
    path = dumped(tmp_path, {"model": ARRAYS}, 2)
    data = path.read_bytes()
    assert b"cnumpy._core.multiarray\n_reconstruct\n" in data
    path.write_bytes(data.replace(b"cnumpy._core.", b"cnumpy.core."))
    check(read_checkpoint(path))


def test_bytes_of_python_2(tmp_path: Path) -> None:
    """There bytes were strings; a file of Python 2 has them as such, to be read as latin1."""
    raw = np.float32([1, -2.5]).tobytes()
    text = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntU\x01btR(I1\n(I2\nt"
    text += b"cnumpy\ndtype\n(U\x02f4I0\nI1\ntR(I3\nU\x01<NNNI-1\nI-1\nI0\ntbI00\n"
    text += b"U" + bytes([len(raw)]) + raw + b"tb"
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02}(U\x01w" + text + b"u.")
    np.testing.assert_array_equal(read_checkpoint(tmp_path / "a.pkl")["w"], np.float32([1, -2.5]))


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (os.system, "system"),
        (eval, "eval"),
        (subprocess.check_output, "check_output"),
        (np.load, "load"),
        (np.frombuffer, "frombuffer"),
        (collections.OrderedDict, "OrderedDict"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_calls_a_function_is_refused_with_its_name(
    tmp_path: Path, function: Any, name: str, protocol: int
) -> None:
    mark = tmp_path / "it ran"
    path = dumped(
        tmp_path, {"model": {**ARRAYS, "x": Calls(function, f"touch '{mark}'")}}, protocol
    )
    with pytest.raises(WeightsError) as caught:
        read_checkpoint(path)
    # Old protocols have old names of modules.
    assert re.search(rf"the pickle calls for [\w.]+\.{name}\. ", str(caught.value))
    assert str(path) in str(caught.value)
    assert "nothing of it was run" in str(caught.value)
    assert not mark.exists()


def test_refused_before_it_is_imported(tmp_path: Path) -> None:
    module = types.ModuleType("a_module_that_is_not_there")
    module.function = lambda: None  # type: ignore[attr-defined]
    module.function.__module__ = module.__name__
    module.function.__qualname__ = "function"
    sys.modules[module.__name__] = module
    try:
        path = dumped(tmp_path, Calls(module.function))
    finally:
        del sys.modules[module.__name__]
    with pytest.raises(WeightsError, match=r"calls for a_module_that_is_not_there\.function"):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.array([print, {}], dtype=object), "found dtype 'O8'"),
        (np.zeros(2, dtype=[("a", "f4")]), "structured"),
        (np.array(["text"]), "found dtype 'U4'"),
    ],
    ids=["objects", "structured", "text"],
)
def test_arrays_of_anything_but_numbers_are_refused(
    tmp_path: Path, array: np.ndarray[Any, Any], found: str
) -> None:
    with pytest.raises(WeightsError, match=rf"{found}|calls for builtins\.print"):
        read_checkpoint(dumped(tmp_path, {"model": {"w": array}}))


def test_state_of_a_function_is_refused(tmp_path: Path) -> None:
    """A pickle may set attributes of what it names; here nothing outlives the reading."""
    (tmp_path / "a.pkl").write_bytes(b"\x80\x02cnumpy\nndarray\nN}U\x01aK\x01s\x86b.")
    with pytest.raises(WeightsError, match="found that of a function"):
        read_checkpoint(tmp_path / "a.pkl")


def test_shape_that_does_not_fit_the_bytes(tmp_path: Path) -> None:
    data = pickle.dumps({"model": {"w": np.zeros(3, np.float32)}}, protocol=2)
    whole = data.replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85")
    assert whole != data
    (tmp_path / "a.pkl").write_bytes(whole)
    with pytest.raises(WeightsError, match="expected 8,589,934,588 bytes"):
        read_checkpoint(tmp_path / "a.pkl")


@pytest.mark.parametrize(
    "data",
    [b"", b"<html>not found</html>", pickle.dumps(ARRAYS)[:-20], b"\x80\x04K\x01.", b"PK\x03\x04"],
    ids=["empty", "html", "cut", "number", "zip"],
)
def test_damaged_or_other_files(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.pkl").write_bytes(data)
    with pytest.raises(WeightsError, match=rf"{tmp_path}/a.pkl: expected"):
        read_checkpoint(tmp_path / "a.pkl")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_checkpoint(tmp_path / "absent.pkl")


def test_content_that_is_no_array(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="expected arrays by name, found int for 'a'"):
        read_checkpoint(dumped(tmp_path, {"model": {"a": 1}}))
    with pytest.raises(WeightsError, match="found list"):
        read_checkpoint(dumped(tmp_path, [1]))


def test_file_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = dumped(tmp_path, ARRAYS)
    monkeypatch.setattr(checkpoint, "MAX_SIZE_BYTES", 100)
    with pytest.raises(WeightsError, match=r"at most 100 bytes, found [0-9]+; it was not read"):
        read_checkpoint(path)


def _doubled(times: int) -> bytes:
    """Steps that leave a tuple of tuples whose leaves are doubled so often."""
    return b")" + b"".join(b"q%c" % 0 + b"h\x00\x86" for _ in range(times))


@pytest.mark.parametrize(
    ("pickled", "found"),
    [
        (b"\x80\x02}" + _doubled(60) + b"K\x01s.", "a tuple as name"),
        (b"\x80\x02}(" + _doubled(60) + b"K\x01u.", "a tuple as name"),
        (b"\x80\x02(" + _doubled(60) + b"K\x01d.", "a tuple as name"),
        (b"\x80\x04\x8f(" + _doubled(60) + b"\x90.", "a set"),
        (b"\x80\x04(" + _doubled(60) + b"\x91.", "a set"),
        # Of the dtype, the shape and an argument that messages tell of.
        (b"\x80\x02}X\x01\0\0\0acnumpy\ndtype\n" + _doubled(60) + b"\x85Rs.", "found _DType"),
    ],
)
def test_pickle_that_would_never_end(tmp_path: Path, pickled: bytes, found: str) -> None:
    """Two to the sixtieth leaves are hashed by none, and shown to nobody."""
    path = tmp_path / "model.pkl"
    path.write_bytes(pickled)
    with pytest.raises(WeightsError, match=found) as caught:
        read_checkpoint(path)
    assert len(str(caught.value)) < 1000


def test_note_of_a_huge_number_takes_no_memory(tmp_path: Path) -> None:
    """The reader in C makes room for all numbers below."""
    path = dumped(tmp_path, {"model": ARRAYS}, 2)
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"Nr\xff\xff\xff\x7f0" + data[2:])
    check(read_checkpoint(path))


def test_steps_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "_MAX_STEPS", 100)
    with pytest.raises(WeightsError, match="of over 100 steps; it was not read on"):
        read_checkpoint(dumped(tmp_path, {"model": ARRAYS}))


@pytest.mark.parametrize("shape", [(1 << 70,), (1,) * 33, ((1,),), [2, 3], "ab"])
def test_shape_that_is_none(tmp_path: Path, shape: object) -> None:
    state = types.SimpleNamespace(shape=shape)
    array = checkpoint._Array()
    dtype = checkpoint._DType("f4")
    array.__setstate__((1, state.shape, dtype, False, b""))
    with pytest.raises(ValueError, match="expected the shape of an array"):
        array.array()
