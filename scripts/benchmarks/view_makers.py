"""Views of the same JPEGs, made by this package and by others; for `bench_views.py`, one at a time.

    python scripts/benchmarks/view_makers.py views JPEGS --recipe moco_v2 --images 2000 --workers 2

prints a JSON object: images, seconds from asking for the first batch to having the last (workers'
start included), and processor seconds meanwhile, of all processes. `JPEGS` is a folder of files,
which are read into memory first; every image is asked for in turn, in batches.

- `views` is this package's, uint8; `views, floats` also normalises them in the worker;
- `device` is this package's too, where workers only hand over files, and batches are decoded and
  views made on ``--device``: a GPU, unless one wants to see that it works. One batch is made first:
  a training has started CUDA anyway;
- `torchvision` is the published code's: Pillow's images, Pillow's blur, floats, normalised;
- `torchvision, uint8` is the same without floats and normalisation;
- `torchvision v2` has tensors from the decoder on, and normalises them;
- `albumentations` (2.0) with OpenCV's decoder, uint8;
- `dali` (``nvidia-dali-cuda120``, its operators for CPUs), with as many threads as the others have
  workers, uint8. It has one operator for all of the jitter, and no order of it.

None but this package's give the same views twice.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import (
    ColorJitter,
    Compose,
    InterpolationMode,
    Lambda,
    Normalize,
    PILToTensor,
    RandomApply,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    ToTensor,
    v2,
)

from pass_dataset.torch.rows import collate_rows
from pass_dataset.torch.views import (
    DeviceViews,
    Recipe,
    ViewRecipe,
    Views,
    dino,
    moco_v2,
    normalise,
    swav,
)

RECIPES: dict[str, Recipe] = {"moco_v2": moco_v2(), "swav": swav(), "dino": dino()}
MEAN, STANDARD_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
Transform = Callable[[Any], Any]


class InMemory(Dataset[Any]):
    """JPEGs whose bytes are there already."""

    def __init__(self, jpegs: list[bytes], images: int, transform: Transform) -> None:
        self._jpegs = jpegs
        self._images = images
        self._transform = transform

    def __len__(self) -> int:
        return self._images

    def __getitem__(self, index: int) -> Any:
        return self._transform(self._jpegs[index % len(self._jpegs)])


# --- this package ---------------------------------------------------------------------------------


def ours(recipe: Recipe) -> Transform:
    """This package's views."""
    return Views(recipe)


class Floats:
    """The same, as others hand them over."""

    def __init__(self, recipe: Recipe) -> None:
        self._views = Views(recipe)

    def __call__(self, jpeg: bytes) -> list[torch.Tensor]:
        return [normalise(view) for view in self._views(jpeg)]


def as_row(jpeg: bytes) -> dict[str, Any]:
    """A file as `datasets` has it."""
    return {"image": {"bytes": jpeg}}


def on_device(views: DeviceViews, rows: Iterable[Any]) -> Iterator[Any]:
    """Batches of this package's views, made on a device."""
    made = None
    for batch in rows:
        if made is not None:
            yield made
        made = views(batch["image"])
    if made is not None:
        if views.device.type == "cuda":
            torch.cuda.synchronize(views.device)  # until then they are only asked for
        yield made


# --- torchvision ----------------------------------------------------------------------------------


class PillowBlur:
    """Blur as MoCo's, SwAV's and DINO's code have it."""

    def __init__(self, sigma_px: tuple[float, float]) -> None:
        self._sigma_px = sigma_px

    def __call__(self, image: Image.Image) -> Image.Image:
        return image.filter(ImageFilter.GaussianBlur(random.uniform(*self._sigma_px)))


def pillow_view(view: ViewRecipe) -> Transform:
    """One view of a Pillow image, by torchvision's first transforms."""
    steps: list[Any] = [
        RandomResizedCrop(
            view.size_px,
            scale=view.scale,
            ratio=view.ratio,
            interpolation=InterpolationMode(view.interpolation),
        )
    ]
    if view.jitter is not None:
        jitter = view.jitter
        amounts = (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue)
        steps.append(RandomApply([ColorJitter(*amounts)], jitter.probability))
    steps.append(RandomGrayscale(view.grey))
    steps.append(RandomApply([PillowBlur(view.blur_sigma_px)], view.blur))
    if view.solarise:
        steps.append(RandomApply([Lambda(ImageOps.solarize)], view.solarise))
    steps.append(RandomHorizontalFlip(view.flip))
    transform: Transform = Compose(steps)
    return transform


class OnPillow:
    """Views of a JPEG by torchvision's first transforms."""

    def __init__(self, recipe: Recipe, last: Transform) -> None:
        self._views = [pillow_view(view) for view in recipe.views]
        self._last = last

    def __call__(self, jpeg: bytes) -> list[Any]:
        image = Image.open(io.BytesIO(jpeg)).convert("RGB")
        return [self._last(view(image)) for view in self._views]


def on_pillow(recipe: Recipe) -> Transform:
    """As published."""
    return OnPillow(recipe, Compose([ToTensor(), Normalize(MEAN, STANDARD_DEVIATION)]))


def on_pillow_uint8(recipe: Recipe) -> Transform:
    """Without what can be done on an accelerator."""
    return OnPillow(recipe, PILToTensor())


class OnTensors:
    """Views of a JPEG by torchvision's second transforms."""

    def __init__(self, recipe: Recipe) -> None:
        self._views = [self._view(view) for view in recipe.views]

    @staticmethod
    def _view(view: ViewRecipe) -> Transform:
        mode = InterpolationMode(view.interpolation)
        steps: list[Any] = [
            v2.RandomResizedCrop(view.size_px, view.scale, view.ratio, mode, antialias=True)
        ]
        if view.jitter is not None:
            jitter = view.jitter
            amounts = (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue)
            steps.append(v2.RandomApply([v2.ColorJitter(*amounts)], jitter.probability))
        steps.append(v2.RandomGrayscale(view.grey))
        # As torchvision's and lightly's users take it: a tenth of the side.
        kernel = view.size_px // 10 // 2 * 2 + 1
        steps.append(v2.RandomApply([v2.GaussianBlur(kernel, view.blur_sigma_px)], view.blur))
        if view.solarise:
            steps.append(v2.RandomSolarize(128, view.solarise))
        steps.append(v2.RandomHorizontalFlip(view.flip))
        steps.append(v2.ToDtype(torch.float32, scale=True))
        steps.append(v2.Normalize(MEAN, STANDARD_DEVIATION))
        transform: Transform = v2.Compose(steps)
        return transform

    def __call__(self, jpeg: bytes) -> list[Any]:
        image = v2.functional.pil_to_tensor(Image.open(io.BytesIO(jpeg)).convert("RGB"))
        return [view(image) for view in self._views]


# --- albumentations -------------------------------------------------------------------------------


class Albumentations:
    """Views of a JPEG by albumentations 2.0."""

    def __init__(self, recipe: Recipe) -> None:
        self._views = [self._view(view) for view in recipe.views]

    @staticmethod
    def _view(view: ViewRecipe) -> Any:
        import albumentations as A  # noqa: N812  (as its users do)
        import cv2

        mode = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}[view.interpolation]
        steps: list[Any] = [
            A.RandomResizedCrop(
                (view.size_px, view.size_px), view.scale, view.ratio, interpolation=mode
            )
        ]
        if view.jitter is not None:
            jitter = view.jitter
            steps.append(
                A.ColorJitter(
                    *(
                        (max(0.0, 1 - most), 1 + most)
                        for most in (jitter.brightness, jitter.contrast, jitter.saturation)
                    ),
                    (-jitter.hue, jitter.hue),
                    p=jitter.probability,
                )
            )
        steps.append(A.ToGray(p=view.grey))
        steps.append(A.GaussianBlur(blur_limit=0, sigma_limit=view.blur_sigma_px, p=view.blur))
        if view.solarise:
            steps.append(A.Solarize((0.5, 0.5), p=view.solarise))
        steps.append(A.HorizontalFlip(p=view.flip))
        return A.Compose(steps)

    def __call__(self, jpeg: bytes) -> list[Any]:
        import cv2

        cv2.setNumThreads(0)
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        return [view(image=image)["image"] for view in self._views]


# --- DALI -----------------------------------------------------------------------------------------


def dali(
    recipe: Recipe, jpegs: list[bytes], images: int, workers: int, batch_size: int
) -> Iterator[Any]:
    """Batches of DALI's pipeline on the CPU."""
    from nvidia.dali import fn, pipeline_def, types

    encoded = [np.frombuffer(jpeg, np.uint8) for jpeg in jpegs]

    def batches() -> Iterator[list[Any]]:
        places = iter(range(images))
        while batch := [
            encoded[place % len(encoded)]
            for _, place in zip(range(batch_size), places, strict=False)
        ]:
            yield batch

    def uniform(low: float, high: float) -> Any:
        return fn.random.uniform(range=(low, high))

    def one_view(image: Any, view: ViewRecipe) -> Any:
        interpolation = {"bilinear": types.INTERP_LINEAR, "bicubic": types.INTERP_CUBIC}
        image = fn.random_resized_crop(
            image,
            size=(view.size_px, view.size_px),
            random_area=view.scale,
            random_aspect_ratio=view.ratio,
            interp_type=interpolation[view.interpolation],
            antialias=True,
        )
        grey = fn.random.coin_flip(probability=view.grey)
        saturation = 1.0 - fn.cast(grey, dtype=types.FLOAT)
        jitter = view.jitter
        assert jitter is not None
        changed = fn.cast(fn.random.coin_flip(probability=jitter.probability), dtype=types.FLOAT)

        def factor(most: float) -> Any:
            return 1.0 + changed * (uniform(max(0.0, 1 - most), 1 + most) - 1.0)

        image = fn.color_twist(
            image,
            brightness=factor(jitter.brightness),
            contrast=factor(jitter.contrast),
            saturation=factor(jitter.saturation) * saturation,
            hue=changed * uniform(-360 * jitter.hue, 360 * jitter.hue),
        )
        if fn.random.coin_flip(probability=view.blur, dtype=types.BOOL):
            image = fn.gaussian_blur(image, sigma=uniform(*view.blur_sigma_px))
        return fn.flip(image, horizontal=fn.random.coin_flip(probability=view.flip))

    def views() -> Any:
        source = fn.external_source(source=batches, batch=True, cycle=False)
        image = fn.decoders.image(source, device="cpu", output_type=types.RGB)
        return tuple(one_view(image, view) for view in recipe.views)

    # Not as a decorator, of which nothing is known where DALI is not installed.
    pipeline = pipeline_def(
        views,
        batch_size=batch_size,
        num_threads=workers,
        device_id=None,
        enable_conditionals=True,
        prefetch_queue_depth=2,
    )()
    pipeline.build()
    for _ in range(-(-images // batch_size)):
        # In one array a view, as the others' batches are.
        yield [view.as_array() for view in pipeline.run()]


# --- all of them ----------------------------------------------------------------------------------

TRANSFORMS: dict[str, Callable[[Recipe], Transform]] = {
    "views": ours,
    "views, floats": Floats,
    "torchvision": on_pillow,
    "torchvision, uint8": on_pillow_uint8,
    "torchvision v2": OnTensors,
    "albumentations": Albumentations,
}
MAKERS = (*TRANSFORMS, "device", "dali")


def batches_of(options: argparse.Namespace, recipe: Recipe, jpegs: list[bytes]) -> Any:
    """What a training iterates over."""
    images, workers, batch_size = options.images, options.workers, options.batch_size
    if options.maker == "device":
        views = DeviceViews(recipe, device=options.device)
        views(collate_rows([as_row(jpeg) for jpeg in jpegs[:batch_size]])["image"])
        rows = InMemory(jpegs, images, as_row)
        loader = DataLoader(rows, batch_size, num_workers=workers, collate_fn=collate_rows)
        return on_device(views, loader)
    if options.maker == "dali":
        return dali(recipe, jpegs, images, workers, batch_size)
    dataset = InMemory(jpegs, images, TRANSFORMS[options.maker](recipe))
    return DataLoader(dataset, batch_size, num_workers=workers)


def processor_s() -> float:
    """Processor seconds of this process and of those that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def timed(batches: Iterable[Any]) -> dict[str, float]:
    """How long it takes to have them all."""
    before, started = processor_s(), time.perf_counter()
    images = 0
    seconds = 0.0
    for views in batches:
        images += len(views[0])
        seconds = time.perf_counter() - started
    return {"images": images, "seconds": seconds, "processor_s": processor_s() - before}


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("maker", choices=MAKERS)
    parser.add_argument("jpegs", type=Path, help="folder of JPEGs")
    parser.add_argument("--recipe", choices=RECIPES, default="moco_v2")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=64, help="images (default: 64)")
    parser.add_argument("--device", default="cuda", help="of the maker `device` (default: cuda)")
    options = parser.parse_args(arguments)
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    warnings.filterwarnings("ignore")
    jpegs = [path.read_bytes() for path in sorted(options.jpegs.iterdir())]
    recipe = RECIPES[options.recipe]
    found = timed(batches_of(options, recipe, jpegs))
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
