"""Views of a batch of JPEGs, decoded and made on the training's device."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, get_args

import torch
from torch import Tensor

from pass_dataset.errors import ImageError
from pass_dataset.torch.images import OnError
from pass_dataset.torch.jpegs import JpegBatch
from pass_dataset.torch.views import batched
from pass_dataset.torch.views.batched_resizing import CropBatch
from pass_dataset.torch.views.device_decoding import decoded_on
from pass_dataset.torch.views.draws import key_of, shown_key
from pass_dataset.torch.views.parameters import Change, ViewParameters, draw_views
from pass_dataset.torch.views.recipes import Recipe, ViewRecipe, checked_recipe
from pass_dataset.torch.views.sending import sent
from pass_dataset.torch.whole_numbers import whole_number

__all__ = ["DeviceViews"]

logger = logging.getLogger(__name__)

#: Images that a message names.
_NAMED = 5


class DeviceViews:
    """Makes the views of whole batches on a GPU: workers then only read.

        views = DeviceViews(moco_v2(), seed=0, device="cuda")
        stream = PassStream("/data/pass", decode="jpeg", target="hash", batch_size=256)
        for jpegs, hashes in DataLoader(stream, batch_size=256, num_workers=2):
            queries, keys = map(normalise, views(jpegs, hashes, stream.epoch))

    What is random is of seed, epoch, key and number alone, and is what `Views` of the same four
    draws: the same boxes, colours and blurs. The pixels are alike, not equal. nvJPEG decodes
    otherwise than libjpeg-turbo, and always at the full size; steps round otherwise than OpenCV's.

    Attributes:
      recipe: what views are made of.
      seed: of the random numbers, with epoch, key and number.
      device: where views are made.
      upright: images are turned as their EXIF data say.
      on_error: what is done about an image that cannot be decoded: ``raise``, or ``skip``, where
        views of the next one of the batch that can be (the last, behind it) take its place.
      skipped: images whose place was taken so far.
    """

    def __init__(
        self,
        recipe: Recipe,
        seed: int = 0,
        *,
        device: torch.device | str = "cuda",
        upright: bool = True,
        on_error: OnError = "raise",
    ) -> None:
        if on_error not in get_args(OnError):
            raise ValueError(f"on_error: expected 'raise' or 'skip', found {on_error!r}")
        self.recipe = checked_recipe(recipe)
        self.seed = whole_number("seed", seed)
        self.device = torch.device(device)
        self.upright = upright
        self.on_error = on_error
        self.skipped = 0

    def __call__(
        self,
        jpegs: JpegBatch | Sequence[Tensor],
        keys: Sequence[str | bytes] | None = None,
        epoch: int = 0,
    ) -> list[Tensor]:
        """The views of a batch, in the recipe's order.

        Args:
          jpegs: the files: uint8 of one dimension each, in the CPU's memory. Pillow's other formats
            are read too.
          keys: what tells each image from all others; None: the hashes of the files.
          epoch: of the pass.

        Returns:
          For each view a tensor on the device: N×3×S×S uint8, RGB, channels last in memory.

        Raises:
          TypeError: the files are no such tensors.
          ValueError: there are not as many keys as files.
          ImageError: an image cannot be decoded, and is not to be skipped, or none can be.
        """
        whole_number("epoch", epoch, least=0)
        if isinstance(keys, (str, bytes)):
            raise TypeError(f"keys: expected one for each image, found one text: {keys!r}")
        for jpeg in jpegs:
            _check_file(jpeg)
        names = [None] * len(jpegs) if keys is None else keys
        if len(names) != len(jpegs):
            raise ValueError(f"keys: expected {len(jpegs)}, one for each image, found {len(names)}")
        unique = [key_of(jpeg.numpy().data, name) for jpeg, name in zip(jpegs, names, strict=True)]
        kinds = _alike(self.recipe.views)
        drawn, batches = self._crops(kinds, list(jpegs), unique, epoch)
        found: dict[int, Tensor] = {}
        for numbers, batch in zip(kinds, batches, strict=True):
            parameters = [of_image[number] for of_image in drawn for number in numbers]
            views = _changed(batch.crops(), parameters, self.device).to(torch.uint8)
            views = views.view(len(drawn), len(numbers), *views.shape[1:])
            for place, number in enumerate(numbers):
                found[number] = views[:, place].contiguous(memory_format=torch.channels_last)
        return [found[number] for number in range(len(self.recipe))]

    def _crops(
        self, kinds: Sequence[list[int]], files: Sequence[Tensor], keys: Sequence[bytes], epoch: int
    ) -> tuple[list[tuple[ViewParameters, ...]], list[CropBatch]]:
        """Of each image what its views shall be; and of each kind of view the crops of all."""
        drawn: list[tuple[ViewParameters, ...]] = []
        batches = []
        for numbers in kinds:
            recipe = self.recipe.views[numbers[0]]
            batches.append(CropBatch(recipe.size_px, recipe.interpolation, self.device))

        def take(pixels: Tensor, until: int) -> None:
            height, width = pixels.shape[1:]
            for key in keys[len(drawn) : until]:
                wanted = draw_views(
                    self.recipe, width, height, seed=self.seed, epoch=epoch, key=key
                )
                drawn.append(wanted)
                for numbers, batch in zip(kinds, batches, strict=True):
                    batch.add(pixels, [wanted[number].box for number in numbers])

        last: Tensor | None = None
        for place, found in enumerate(decoded_on(self.device, files, upright=self.upright)):
            if isinstance(found, Exception):
                self._see_to(found, keys[place], place)
            else:
                last = found
                take(last, place + 1)
        if files and last is None:
            named = ", ".join(map(shown_key, keys[:_NAMED]))
            raise ImageError(
                f"none of the {len(files)} images of a batch can be decoded: {named}"
                f"{' …' if len(keys) > _NAMED else ''}. Where that was an epoch's last and small "
                "batch, drop_last=True of the loader leaves it out"
            )
        if last is not None:
            take(last, len(keys))
        return drawn, batches

    def _see_to(self, error: Exception, key: bytes, place: int) -> None:
        """What cannot be decoded."""
        said = str(error).rstrip(".")
        message = f"image {shown_key(key)}, number {place} of its batch, cannot be decoded: {said}"
        if self.on_error == "raise":
            raise ImageError(f"{message}. on_error='skip' puts another in its place.") from error
        self.skipped += 1
        logger.warning("%s; another takes its place", message)

    def __repr__(self) -> str:
        return f"DeviceViews({self.recipe!r}, seed={self.seed}, device={str(self.device)!r})"


def _check_file(jpeg: Tensor) -> None:
    if not isinstance(jpeg, Tensor) or jpeg.dtype != torch.uint8 or jpeg.ndim != 1:
        found = (
            f"a tensor of {jpeg.dtype} and {jpeg.ndim} dimensions"
            if isinstance(jpeg, Tensor)
            else type(jpeg).__name__
        )
        raise TypeError(
            "jpegs: expected the files of a batch, each a tensor of uint8 and one dimension, as "
            f"decode='jpeg' gives them, found {found}"
        )


def _alike(recipes: Sequence[ViewRecipe]) -> list[list[int]]:
    """Numbers of the views that are resized alike, and so made together."""
    kinds: dict[tuple[int, str], list[int]] = {}
    for number, recipe in enumerate(recipes):
        kinds.setdefault((recipe.size_px, recipe.interpolation), []).append(number)
    return list(kinds.values())


class _Step(NamedTuple):
    """What is done to some of the crops.

    Attributes:
      do: takes N×3×S×S, and a row for each of them.
      places: which ones.
      rows: of each what it is done by: one number or several.
    """

    do: Callable[[Tensor, Tensor], Tensor]
    places: Sequence[int]
    rows: Tensor


def _changed(crops: Tensor, parameters: Sequence[ViewParameters], device: torch.device) -> Tensor:
    """Crops (N×3×S×S floats, which are written over), recoloured, blurred and so on."""
    steps = _steps(parameters)
    if not steps:
        return crops
    # All that steps need goes to the device at once: each time it would wait for what is sent.
    places = sent(torch.tensor([place for step in steps for place in step.places]), device)
    rows = sent(torch.cat([step.rows.flatten() for step in steps]), device)
    of_places = torch.split(places, [len(step.places) for step in steps])
    of_rows = torch.split(rows, [step.rows.numel() for step in steps])
    for step, chosen, numbers in zip(steps, of_places, of_rows, strict=True):
        crops[chosen] = step.do(crops[chosen], numbers.view(step.rows.shape))
    return crops


def _steps(parameters: Sequence[ViewParameters]) -> list[_Step]:
    """In the order in which they are done."""
    found = []
    for number in range(max((len(wanted.changes) for wanted in parameters), default=0)):
        for change, amounts in _changes_at(parameters, number).items():
            do = partial(_recoloured, change)
            found.append(_Step(do, list(amounts), torch.tensor(list(amounts.values()))))
    greys = [place for place, wanted in enumerate(parameters) if wanted.is_grey]
    found.append(_without_numbers(batched.grey_of, greys))
    sigmas_px = {
        place: wanted.blur_sigma_px
        for place, wanted in enumerate(parameters)
        if wanted.blur_sigma_px is not None
    }
    if sigmas_px:
        kernels = batched.blur_kernels(list(sigmas_px.values()))
        found.append(_Step(batched.blurred, list(sigmas_px), kernels))
    solarised = [place for place, wanted in enumerate(parameters) if wanted.is_solarised]
    found.append(_without_numbers(batched.solarised, solarised))
    flipped = [place for place, wanted in enumerate(parameters) if wanted.is_flipped]
    found.append(_without_numbers(batched.flipped, flipped))
    return [step for step in found if step.places]


def _recoloured(change: Change, views: Tensor, amounts: Tensor) -> Tensor:
    return batched.changed(views, change, amounts)


def _without_numbers(do: Callable[[Tensor], Tensor], places: Sequence[int]) -> _Step:
    return _Step(lambda views, _: do(views), places, torch.empty((len(places), 0)))


def _changes_at(
    parameters: Sequence[ViewParameters], number: int
) -> Mapping[Change, Mapping[int, float]]:
    """The changes of colours that come at a place of the order: in which views, and how much."""
    found: dict[Change, dict[int, float]] = {}
    for place, wanted in enumerate(parameters):
        if number < len(wanted.changes):
            change, amount = wanted.changes[number]
            found.setdefault(change, {})[place] = amount
    return found
