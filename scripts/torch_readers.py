"""Readers of the same images, for `bench_torch.py`: one of them, for one epoch or a part of it.

    python scripts/torch_readers.py stream FOLDER --workers 2 --images 4000 --decode

prints one JSON object: images, bytes, seconds from asking the loader for the first batch to having
the last, and seconds from opening the folder to having the first.

Readers: `map` and `stream` are this package's, in the order of a shuffle; `ImageFolder` is
torchvision's, on extracted files; `webdataset` reads shards, shuffled among them and through a
buffer of 1,000; `datasets` reads an Arrow copy, as a map-style dataset and, shuffled in the same
way as webdataset, as a stream; `memory` has all bytes in memory, and only decodes.

Without `--decode` an example is the size of its bytes, so that reading is measured and not how
PyTorch hands bytes from process to process; with it, a tensor of 3x224x224 after
RandomResizedCrop and a flip, from Pillow's decoding for all.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

BATCH_SIZE = 64
BUFFER = 1000

crop = v2.Compose(
    [v2.PILToTensor(), v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip()]
)


def read_file(path: str) -> bytes:
    """A file's bytes."""
    with open(path, "rb") as file:  # noqa: PTH123  (as torchvision does)
        return file.read()


def open_rgb(data: bytes) -> Image.Image:
    """An image, as torchvision's default loader gives it."""
    return Image.open(io.BytesIO(data)).convert("RGB")


class InMemory(Dataset[Any]):
    """Images whose bytes are there already."""

    def __init__(self, jpegs: list[bytes], transform: Callable[[Any], Any]) -> None:
        self._jpegs = jpegs
        self._transform = transform

    def __len__(self) -> int:
        return len(self._jpegs)

    def __getitem__(self, index: int) -> Any:
        return self._transform(open_rgb(self._jpegs[index]))


def open_map(folder: Path, options: argparse.Namespace) -> Any:
    from pass_dataset.torch import PASS

    return PASS(
        folder,
        folder / "checksums.tsv",
        crop if options.decode else len,
        decode="pil" if options.decode else "bytes",
        target=None,
    )


def open_stream(folder: Path, options: argparse.Namespace) -> Any:
    from pass_dataset.torch import PassStream

    return PassStream(
        folder,
        folder / "checksums.tsv",
        crop if options.decode else len,
        decode="pil" if options.decode else "bytes",
        target=None,
        batch_size=BATCH_SIZE,
        block_records=options.block,
        window_records=options.window,
    )


def open_memory(folder: Path, options: argparse.Namespace) -> Any:
    from pass_dataset import PassArchive

    archive = PassArchive(folder, folder / "checksums.tsv")
    return InMemory([record.jpeg for record in archive[: options.images]], crop)


def open_image_folder(folder: Path, options: argparse.Namespace) -> Any:
    if options.decode:
        return ImageFolder(str(folder), transform=crop)
    return ImageFolder(str(folder), loader=read_file, transform=len)


def open_webdataset(folder: Path, options: argparse.Namespace) -> Any:
    import webdataset

    shards = sorted(map(str, folder.glob("*.tar")))
    stream = webdataset.WebDataset(shards, shardshuffle=len(shards), seed=0, empty_check=False)
    step = (lambda data: crop(open_rgb(data))) if options.decode else len
    return stream.shuffle(BUFFER).to_tuple("jpg").map(lambda example: step(example[0]))


def _arrow(folder: Path, options: argparse.Namespace) -> Any:
    import datasets

    return datasets.load_from_disk(str(folder)).cast_column(
        "image", datasets.Image(decode=options.decode)
    )


def _arrow_example(decode: bool) -> Callable[[Any], Any]:
    if decode:
        return lambda row: crop(row["image"].convert("RGB"))
    return lambda row: len(row["image"]["bytes"])


class ArrowMap(Dataset[Any]):
    """`datasets.Dataset` with a transform for each example."""

    def __init__(self, rows: Any, example: Callable[[Any], Any]) -> None:
        self._rows, self._example = rows, example

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Any:
        return self._example(self._rows[index])


def open_datasets(folder: Path, options: argparse.Namespace) -> Any:
    return ArrowMap(
        _arrow(folder, options).select_columns(["image"]), _arrow_example(options.decode)
    )


def open_datasets_stream(folder: Path, options: argparse.Namespace) -> Any:
    example = _arrow_example(options.decode)
    stream = _arrow(folder, options).select_columns(["image"])
    stream = stream.to_iterable_dataset(num_shards=32).shuffle(seed=0, buffer_size=BUFFER)
    return stream.map(lambda row: {"x": example(row)}, remove_columns=["image"])


READERS: dict[str, Callable[[Path, argparse.Namespace], Any]] = {
    "map": open_map,
    "stream": open_stream,
    "ImageFolder": open_image_folder,
    "webdataset": open_webdataset,
    "datasets": open_datasets,
    "datasets stream": open_datasets_stream,
    "memory": open_memory,
}
MAP_STYLE = ("map", "ImageFolder", "datasets", "memory")


def values(batch: Any) -> Any:
    """The examples of a batch, without names or labels."""
    if isinstance(batch, dict):
        return batch["x"]
    return batch[0] if isinstance(batch, (list, tuple)) else batch


def batches(reader: Any, name: str, workers: int) -> Iterator[Any]:
    """What a loader gives."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # more workers than cores is the caller's choice
        loader = DataLoader(
            reader, batch_size=BATCH_SIZE, shuffle=name in MAP_STYLE or None, num_workers=workers
        )
        yield from map(values, loader)


def read(options: argparse.Namespace) -> dict[str, float]:
    """Reads, and says how long it took."""
    torch.set_num_threads(1)
    opened = time.perf_counter()
    reader = READERS[options.reader](options.folder, options)
    started = time.perf_counter()
    images = size_bytes = 0
    first = 0.0
    for batch in batches(reader, options.reader, options.workers):
        first = first or time.perf_counter()
        images += len(batch)
        if not options.decode:
            size_bytes += int(batch.sum())
        if options.images is not None and images >= options.images:
            break
    ended = time.perf_counter()
    return {
        "images": images,
        "bytes": size_bytes,
        "seconds": ended - started,
        "first_s": first - opened,
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--images", type=int, help="stop after so many (default: an epoch)")
    parser.add_argument("--decode", action="store_true")
    parser.add_argument("--block", type=int, default=8, help="of the stream")
    parser.add_argument("--window", type=int, default=8192, help="of the stream")
    print(json.dumps(read(parser.parse_args())), flush=True)
    # What is left of workers and of an epoch that was not finished need not be taken apart.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
