"""The model zoo's checkpoint: a pickle of NumPy arrays, read without running what is in it.

A pickle is a program: it may call any function of any module by name. This reader knows only the
few names by which NumPy writes an array, and puts its own inert classes in their place, so that
not even NumPy's code runs until the whole file has been read and the arrays' dtypes, shapes and
sizes agree. Any other name ends the reading before anything of it is imported.

Nor may it hold the reader up: a tuple of tuples that a few lines double forty times takes years to
be the key of a dictionary, and the number of a note (memo) gigabytes. So names alone are keys, the
number of steps is bounded, and notes are kept by number, which the reader in C does not do.
"""

from __future__ import annotations

import math
import pickle
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

from pass_dataset.errors import WeightsError

__all__ = ["MAX_SIZE_BYTES", "read_checkpoint"]

#: The published file has 0.29 GB; a larger one is not this network.
MAX_SIZE_BYTES = 1_000_000_000

#: Steps of a pickle, and sides of an array. The published file has some thousands of steps.
_MAX_STEPS = 1_000_000
_MAX_SIDES = 32

#: Types of numbers that a checkpoint may hold: none that can refer to Python objects.
_DTYPES = frozenset(f"{kind}{size}" for kind in "fiu" for size in (1, 2, 4, 8)) | {"b1"}


def read_checkpoint(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays of a checkpoint by their names.

    Args:
      path: a pickle of ``{"model": {name: array}, ...}``, of any protocol, or of the inner
        dictionary alone. Pickles of Python 2 are understood.

    Returns:
      Read-only arrays that share the memory of what was read.

    Raises:
      WeightsError: the file cannot be read, is too large, is no such checkpoint, or calls for
        anything but arrays; the message names what it called for.
    """
    try:
        size_bytes = path.stat().st_size
        if size_bytes > MAX_SIZE_BYTES:
            raise WeightsError(
                f"{path}: expected a checkpoint of at most {MAX_SIZE_BYTES:,} bytes, "
                f"found {size_bytes:,}; it was not read"
            )
        with path.open("rb") as file:
            content = _Reader(file, path).load()
    except WeightsError:
        raise
    except OSError as error:
        raise WeightsError(f"{path}: the weights cannot be read: {error}") from error
    # Whatever damage makes of a pickle, down to overflows and bad keys.
    except Exception as error:
        raise WeightsError(
            f"{path}: expected a pickle of NumPy arrays, as detectron2's model zoo has them, "
            f"found a damaged one or another format ({type(error).__name__}: {error})"
        ) from error
    return _arrays(content, path)


def _arrays(content: object, path: Path) -> dict[str, np.ndarray[Any, Any]]:
    model = content.get("model", content) if isinstance(content, dict) else content
    if not isinstance(model, dict) or not model:
        raise WeightsError(
            f'{path}: expected a dictionary with arrays by name under "model", '
            f"found {type(model).__name__}"
        )
    arrays = {}
    for name, stored in model.items():
        if not isinstance(name, str) or not isinstance(stored, _Array):
            raise WeightsError(
                f"{path}: expected arrays by name, found {type(stored).__name__} for "
                f"{reprlib.repr(name)}"
            )
        try:
            arrays[name] = stored.array()
        except (TypeError, ValueError) as error:
            raise WeightsError(f"{path}: {name}: {error}") from error
    return arrays


class _DType:
    """Stands for `numpy.dtype`."""

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        self.code = code
        self.byte_order = "|"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        # Version, byte order, then what only structured types have.
        if state[2:5] != (None, None, None):
            raise ValueError("expected an array of plain numbers, found a structured one")
        self.byte_order = state[1]

    def dtype(self) -> np.dtype[Any]:
        texts = isinstance(self.code, str) and isinstance(self.byte_order, str)
        if not texts or self.code not in _DTYPES or self.byte_order not in ("<", ">", "|", "="):
            raise ValueError(f"expected numbers, found dtype {reprlib.repr(self.code)}")
        return np.dtype(self.byte_order.strip("|") + self.code)


class _Array:
    """Stands for an array: what is needed to make one later."""

    def __init__(self) -> None:
        self.shape: tuple[Any, ...] = (0,)
        self.dtype: object = None
        self.fortran = False
        self.data: object = b""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.dtype, self.fortran, self.data = state

    def array(self) -> np.ndarray[Any, Any]:
        if not isinstance(self.dtype, _DType):
            raise ValueError("expected an array, found one without a dtype")
        dtype = self.dtype.dtype()
        data = self.data
        if isinstance(data, str):  # bytes of Python 2
            data = data.encode("latin-1")
        if not isinstance(data, (bytes, bytearray)):
            raise ValueError(f"expected the bytes of an array, found {type(data).__name__}")
        if (
            not isinstance(self.shape, tuple)
            or len(self.shape) > _MAX_SIDES
            or not all(isinstance(side, int) and 0 <= side < 1 << 63 for side in self.shape)
        ):
            raise ValueError(f"expected the shape of an array, found {reprlib.repr(self.shape)}")
        expected_bytes = math.prod(self.shape) * dtype.itemsize
        if len(data) != expected_bytes:
            raise ValueError(
                f"expected {expected_bytes:,} bytes for shape {self.shape}, found {len(data):,}"
            )
        shape = tuple(reversed(self.shape)) if self.fortran else self.shape
        made: np.ndarray[Any, Any] = np.frombuffer(data, dtype).reshape(shape)
        return made.T if self.fortran else made


def _reconstruct(kind: object, shape: object, code: object) -> _Array:
    return _Array()


def _from_buffer(data: object, dtype: object, shape: tuple[Any, ...], order: str) -> _Array:
    array = _Array()
    array.__setstate__((1, shape, dtype, order == "F", data))
    return array


def _bytes_of(text: str, encoding: str) -> bytes:
    """How protocols 0 to 2 write bytes in Python 3: as text, and a call that encodes it."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        found = reprlib.repr(encoding)
        raise ValueError(f"expected text and bytes written as latin1, found {found}")
    return text.encode("latin-1")


def _no_bytes() -> bytes:
    """How protocols 0 to 2 write the bytes of an empty array."""
    return b""


class _Named:
    """What a name stands for: it can be called, and nothing else be done to it."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise ValueError("expected the state of an array, found that of a function")


def _ndarray(*arguments: object) -> None:
    """Stands for `numpy.ndarray`, which an array's pickle names but never calls."""
    raise ValueError("expected an array with its bytes, found one without")


#: Names that an array's pickle may call for, with what stands in their place. NumPy 2 renamed
#: `numpy.core`; the model zoo's files are older.
_KNOWN = {
    ("numpy", "ndarray"): _Named(_ndarray),
    ("numpy", "dtype"): _Named(_DType),
    ("numpy.core.multiarray", "_reconstruct"): _Named(_reconstruct),
    ("numpy._core.multiarray", "_reconstruct"): _Named(_reconstruct),
    ("numpy.core.numeric", "_frombuffer"): _Named(_from_buffer),
    ("numpy._core.numeric", "_frombuffer"): _Named(_from_buffer),
    ("_codecs", "encode"): _Named(_bytes_of),
    ("builtins", "bytes"): _Named(_no_bytes),
    ("__builtin__", "bytes"): _Named(_no_bytes),
}


def _counted(step: Callable[[Any], None]) -> Callable[[Any], None]:
    def take(reader: _Reader) -> None:
        reader.steps += 1
        if reader.steps > _MAX_STEPS:
            raise WeightsError(
                f"{reader.path}: expected a pickle of arrays, found one of over {_MAX_STEPS:,} "
                "steps; it was not read on"
            )
        step(reader)

    return take


def _refuse_sets(reader: _Reader) -> None:
    raise ValueError("expected arrays by name, found a set")


#: Of the standard library's two readers the one in Python, whose steps can be counted.
_InPython: Any = pickle._Unpickler


class _Reader(_InPython):  # type: ignore[misc]
    def __init__(self, file: IO[bytes], path: Path) -> None:
        super().__init__(file, encoding="latin1")
        self.path = path
        self.steps = 0

    def _require_names(self, keys: list[Any]) -> None:
        for key in keys:
            if not isinstance(key, (str, bytes, int, float)):
                raise ValueError(f"expected arrays by name, found a {type(key).__name__} as name")

    def load_setitem(self) -> None:
        self._require_names(self.stack[-2:-1])
        super().load_setitem()

    def load_setitems(self) -> None:
        self._require_names(self.stack[::2])
        super().load_setitems()

    def load_dict(self) -> None:
        self._require_names(self.stack[::2])
        super().load_dict()

    _steps: ClassVar[dict[int, Callable[[Any], None]]] = {
        **_InPython.dispatch,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
        **dict.fromkeys(
            (pickle.EMPTY_SET[0], pickle.ADDITEMS[0], pickle.FROZENSET[0]), _refuse_sets
        ),
    }
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(
        zip(_steps, map(_counted, _steps.values()), strict=True)
    )

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise WeightsError(
                f"{self.path}: the pickle calls for {module}.{name}. Weights need NumPy arrays "
                "only, so it was refused and nothing of it was run. If the file is not from a "
                "source that you trust, delete it."
            ) from None
