"""Checkpoint files, read without running what is in them."""

from __future__ import annotations

import argparse
import json
import math
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pass_dataset.errors import WeightsError

__all__ = ["is_program", "read_checkpoint"]

#: Dtypes of the format safetensors that weights have.
_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
#: The format's own bound of its header.
_MAX_HEADER_BYTES = 100_000_000


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """What is in a checkpoint: of PyTorch, or safetensors (by the name's ending).

    Of a pickle nothing is run but what makes tensors, plain containers and numbers, and
    `argparse.Namespace`, as which many trainers keep their settings.

    Raises:
      WeightsError: it cannot be read, is cut, or calls for anything else.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: expected a checkpoint, found no file there")
    content = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    if not isinstance(content, Mapping):
        raise WeightsError(
            f"{path}: expected weights by name, found {type(content).__name__}. Save the "
            "network's state_dict()"
        )
    return content


def _pickled(path: Path) -> object:
    # In a file of the former format torch would look for a pickle, and fail less clearly.
    if path.stat().st_size == 0:
        raise WeightsError(f"{path}: expected a checkpoint, found an empty file")
    if is_program(path):
        raise WeightsError(
            f"{path}: expected weights, found a TorchScript archive, which is a program. Nothing "
            "of it was run. Save the network's state_dict()"
        )
    try:
        with (
            torch.serialization.safe_globals([argparse.Namespace]),
            warnings.catch_warnings(),
        ):
            # Of TorchScript's archives, and of old pickles.
            warnings.simplefilter("ignore")
            content: object = torch.load(path, map_location="cpu", weights_only=True)
            return content
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{path}: {_refusal(str(error))}") from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except MemoryError:
        raise
    # Cut and foreign files raise almost anything: EOFError, RuntimeError, KeyError, ValueError …
    except Exception as error:
        raise WeightsError(
            f"{path}: expected a checkpoint of PyTorch, found a file that cannot be read as one "
            f"({_line(str(error)) or type(error).__name__}): it is cut, or another kind of file. "
            "Get it anew"
        ) from error


def is_program(path: Path) -> bool:
    """True of an archive of TorchScript, which some versions of torch run, whatever is asked."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
    return any(name.endswith("/constants.pkl") or "/code/" in name for name in names)


def _refusal(message: str) -> str:
    named = re.search(
        r"(?:GLOBAL|Unsupported (?:class|global):?)\s*(?:GLOBAL\s*)?([\w.]+)", message
    )
    if named is None:
        # PyTorch's own words advise to load it with no safeguard.
        return (
            "expected a checkpoint of PyTorch, found another kind of file, or a pickle that is "
            "none. Nothing of it was run"
        )
    return (
        f"the file calls for {named[1]}. Weights need none of it, so it was refused and nothing "
        "of it was run. If you trust where it is from, load it there and save its state_dict() "
        "alone"
    )


def _line(text: str) -> str:
    return text.strip().partition("\n")[0][:200]


def _safetensors(path: Path) -> dict[str, torch.Tensor]:
    """The format of https://huggingface.co/docs/safetensors: a header in JSON, then the bytes."""
    data = path.read_bytes()
    try:
        length = int.from_bytes(data[:8], "little")
        if len(data) < 8 or length > min(len(data) - 8, _MAX_HEADER_BYTES):
            raise ValueError("its header is longer than the file")
        header = json.loads(data[8 : 8 + length])
        header.pop("__metadata__", None)
        body = bytearray(data[8 + length :])
        return {name: _tensor(body, **entry) for name, entry in header.items()}
    # RuntimeError: of torch, which is given whatever shape the header says.
    except (ValueError, TypeError, AttributeError, KeyError, RuntimeError) as error:
        raise WeightsError(
            f"{path}: expected weights in the format safetensors, found a file that is cut or "
            f"another kind of file ({_line(str(error))}). Get it anew"
        ) from error


def _tensor(body: bytearray, dtype: str, shape: list[int], data_offsets: list[int]) -> torch.Tensor:
    kind = _DTYPES[dtype]
    start, end = data_offsets
    if not 0 <= start <= end <= len(body):
        raise ValueError("a weight lies beyond the file's end")
    if math.prod(shape) * kind.itemsize != end - start:
        raise ValueError("a weight has another size than its shape says")
    if start == end:
        return torch.empty(shape, dtype=kind)
    count = (end - start) // kind.itemsize
    return torch.frombuffer(body, dtype=kind, count=count, offset=start).reshape(shape).clone()
