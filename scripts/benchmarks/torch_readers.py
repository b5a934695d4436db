"""Readers of the same images, for `bench_torch.py`: one of them, for one epoch or a part of it.

    python scripts/benchmarks/torch_readers.py stream FOLDER --workers 0,1,2 --images 4000 --decode

prints one JSON object for each number of workers, a line each: workers, images, bytes, seconds from
asking the loader for its first batch to having the last, and processor seconds meanwhile, of all
processes.

What is measured without `--decode` is the way of all bytes to the training's own process: there
those of each image are copied into one buffer, as for an upload to a GPU, and counted. With it, an
example is a tensor of 3x224x224 after RandomResizedCrop and a flip, from Pillow's decoding for all.

Readers, in the order of a shuffle, in batches of 64, each as its documentation has it:

- `stream` and `map` are this package's; their batches of bytes are `JpegBatch`;
- `ImageFolder` is torchvision's, on extracted files; its batches of bytes are lists of them, as
  PyTorch's collation makes them, and so are those of all others;
- `ImageFolder packed` is the same with a collation that puts a batch into one tensor, which PyTorch
  hands over in shared memory: what one can do about its pipe without this package;
- `webdataset` reads shards, shuffled among them and through a buffer of 1,000, batched by itself;
- `datasets` reads an Arrow copy, as a map-style dataset and, shuffled in the same way as
  webdataset, as a stream;
- `memory` has all bytes in memory, and only decodes: the limit of decoding.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, Subset, default_collate
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

BATCH_SIZE = 64
BUFFER = 1000
STAGING_BYTES = 16 << 20

crop = v2.Compose(
    [v2.PILToTensor(), v2.RandomResizedCrop(224, antialias=True), v2.RandomHorizontalFlip()]
)


def read_file(path: str) -> bytes:
    """A file's bytes."""
    with open(path, "rb") as file:  # noqa: PTH123  (as torchvision does)
        return file.read()


def open_rgb(data: bytes) -> Image.Image:
    """An image, as torchvision's default loader gives it, and as webdataset's users do it."""
    return Image.open(io.BytesIO(data)).convert("RGB")


class InMemory(Dataset[Any]):
    """Images whose bytes are there already, decoded as this package's readers do it."""

    def __init__(self, jpegs: list[bytes]) -> None:
        from pass_dataset.torch.images import Decoder

        self._jpegs = jpegs
        self._decode = Decoder("pil")

    def __len__(self) -> int:
        return len(self._jpegs)

    def __getitem__(self, index: int) -> Any:
        return crop(self._decode(self._jpegs[index]))


def ours(options: argparse.Namespace) -> dict[str, Any]:
    """Settings of this package's readers."""
    return {
        "root": options.folder,
        "release": options.folder / "checksums.tsv",
        "transform": crop if options.decode else None,
        "decode": "pil" if options.decode else "jpeg",
        "target": None,
        "keep": None if options.images is None else range(options.images),
    }


def load_map(options: argparse.Namespace, workers: int) -> Iterable[Any]:
    from pass_dataset.torch import PASS

    return DataLoader(PASS(**ours(options)), BATCH_SIZE, shuffle=True, num_workers=workers)


def load_stream(options: argparse.Namespace, workers: int) -> Iterable[Any]:
    from pass_dataset.torch import PassStream

    stream = PassStream(
        **ours(options),
        batch_size=BATCH_SIZE,
        block_records=options.block,
        window_records=options.window,
    )
    return DataLoader(stream, BATCH_SIZE, num_workers=workers)


def load_memory(options: argparse.Namespace, workers: int) -> Iterable[Any]:
    from pass_dataset import PassArchive

    archive = PassArchive(options.folder, options.folder / "checksums.tsv")
    jpegs = [record.jpeg for record in archive[: options.images]]
    return DataLoader(InMemory(jpegs), BATCH_SIZE, shuffle=True, num_workers=workers)


def _some(dataset: Any, options: argparse.Namespace) -> Any:
    """The first images of a map-style dataset."""
    return dataset if options.images is None else Subset(dataset, range(options.images))


def load_image_folder(
    options: argparse.Namespace, workers: int, collate: Callable[[Any], Any] = default_collate
) -> Iterable[Any]:
    folder = str(options.folder)
    if options.decode:
        dataset = ImageFolder(folder, transform=crop)
    else:
        dataset = ImageFolder(folder, loader=read_file)
    loader = DataLoader(
        _some(dataset, options), BATCH_SIZE, shuffle=True, num_workers=workers, collate_fn=collate
    )
    return (images for images, *_ in loader)


def packed(examples: list[Any]) -> tuple[tuple[torch.Tensor, list[int]]]:
    """Bytes of a batch as one tensor, and their sizes."""
    data = torch.frombuffer(bytearray().join(jpeg for jpeg, _ in examples), dtype=torch.uint8)
    return ((data, [len(jpeg) for jpeg, _ in examples]),)


def load_image_folder_packed(options: argparse.Namespace, workers: int) -> Iterable[Any]:
    batches = load_image_folder(options, workers, packed)
    return (data.split(sizes) for data, sizes in batches)


def load_webdataset(options: argparse.Namespace, workers: int) -> Iterable[Any]:
    import webdataset

    shards = sorted(map(str, options.folder.glob("*.tar")))
    stream = webdataset.WebDataset(shards, shardshuffle=len(shards), seed=0, empty_check=False)
    stream = stream.shuffle(BUFFER).to_tuple("jpg").map(_decoded if options.decode else _first)
    stream = stream.batched(BATCH_SIZE, collation_fn=default_collate)
    loader: Iterable[Any] = webdataset.WebLoader(stream, batch_size=None, num_workers=workers)
    return loader


def _first(example: tuple[bytes]) -> bytes:
    return example[0]


def _decoded(example: tuple[bytes]) -> Any:
    return crop(open_rgb(example[0]))


def _arrow(options: argparse.Namespace) -> Any:
    import datasets

    rows = datasets.load_from_disk(str(options.folder)).select_columns(["image"])
    return rows.cast_column("image", datasets.Image(decode=options.decode))


def _cropped(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {"image": [crop(image.convert("RGB")) for image in rows["image"]]}


def _bytes_of(rows: list[dict[str, Any]]) -> list[bytes]:
    return [row["image"]["bytes"] for row in rows]


def _tensors_of(rows: list[dict[str, Any]]) -> Any:
    return default_collate([row["image"] for row in rows])


def load_datasets(options: argparse.Namespace, workers: int) -> Iterable[Any]:
    rows = _arrow(options)
    if options.images is not None:
        rows = rows.select(range(options.images))
    if options.decode:
        rows = rows.with_transform(_cropped)
    collate = _tensors_of if options.decode else _bytes_of
    return DataLoader(rows, BATCH_SIZE, shuffle=True, num_workers=workers, collate_fn=collate)


def load_datasets_stream(options: argparse.Namespace, workers: int) -> Iterable[Any]:
    stream = _arrow(options).to_iterable_dataset(num_shards=32).shuffle(seed=0, buffer_size=BUFFER)
    if options.decode:
        stream = stream.map(_cropped, batched=True, batch_size=16)
    collate = _tensors_of if options.decode else _bytes_of
    return DataLoader(stream, BATCH_SIZE, num_workers=workers, collate_fn=collate)


LOADERS: dict[str, Callable[[argparse.Namespace, int], Iterable[Any]]] = {
    "map": load_map,
    "stream": load_stream,
    "ImageFolder": load_image_folder,
    "ImageFolder packed": load_image_folder_packed,
    "webdataset": load_webdataset,
    "datasets": load_datasets,
    "datasets stream": load_datasets_stream,
    "memory": load_memory,
}

staging = np.empty(STAGING_BYTES, np.uint8)


def upload(batch: Iterable[Any]) -> int:
    """Copies the images of a batch one behind the other, as for an upload; their bytes."""
    end = 0
    for image in batch:
        data = np.frombuffer(image, np.uint8) if isinstance(image, bytes) else image.numpy()
        start, end = end, end + len(data)
        staging[start:end] = data
    return end


def processor_s() -> float:
    """Processor seconds of this process, and of those that it has started and seen end."""
    every = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in every)


def read(options: argparse.Namespace, workers: int) -> dict[str, float]:
    """Reads, and says how long it took."""
    loader = LOADERS[options.reader](options, workers)
    images = size_bytes = 0
    processor = processor_s()
    started = time.perf_counter()
    batches = iter(loader)
    for batch in batches:
        if not options.decode:
            size_bytes += upload(batch)
        images += len(batch)
        if options.images is not None and images >= options.images:
            break
    seconds = time.perf_counter() - started
    del batches, loader, batch  # workers end
    return {
        "workers": workers,
        "images": images,
        "bytes": size_bytes,
        "seconds": seconds,
        "processor_s": processor_s() - processor,
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("reader", choices=LOADERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", default="2", help="numbers of workers, commas between them")
    parser.add_argument("--images", type=int, help="stop after so many (default: an epoch)")
    parser.add_argument("--decode", action="store_true")
    parser.add_argument("--block", type=int, default=8, help="of the stream")
    parser.add_argument("--window", type=int, default=8192, help="of the stream")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # more workers than cores is the caller's choice
    for workers in options.workers.split(","):
        print(json.dumps(read(options, int(workers))), flush=True)
    # What is left of an epoch that was not finished need not be taken apart.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
