"""Views: the random crops of a photograph, recoloured and blurred, that self-supervised training
compares.

    from torch.utils.data import DataLoader

    from pass_dataset.torch import PassStream
    from pass_dataset.torch.views import Views, moco_v2, normalise

    stream = PassStream("/data/pass", views=Views(moco_v2(), seed=0), target=None, batch_size=256)
    for queries, keys in DataLoader(stream, batch_size=256, num_workers=8):
        queries, keys = normalise(queries.to("cpu")), normalise(keys.to("cpu"))  # or "cuda"

recipes     what a view is made of; those of MoCo-v2, SwAV and DINO
draws       the random numbers of a view, from seed, epoch, image and number alone
parameters  what they decide of one view: box, colours, blur
decoding    from a JPEG's bytes to pixels, not larger than the views need
operations  each step on pixels, by torchvision's definitions
making      Views: a JPEG's bytes in, its views out
batches     views of many images in one tensor, handed over in memory that is used again

device      DeviceViews: the views of a batch of JPEGs, made where the training is
batched_resizing  crops of a whole batch, resized at once
batched     the steps of `operations` for many views at once
device_decoding  a batch's pixels, by nvJPEG
"""

from __future__ import annotations

from pass_dataset.extras import require

for _package in ("torch", "PIL", "cv2"):  # what is missing is said first
    require(_package, feature="pass_dataset.torch.views", extra="views")

from pass_dataset.torch.views.batches import ViewList, normalise  # noqa: E402
from pass_dataset.torch.views.device import DeviceViews  # noqa: E402
from pass_dataset.torch.views.making import Views  # noqa: E402
from pass_dataset.torch.views.recipes import (  # noqa: E402
    ColourJitter,
    Recipe,
    ViewRecipe,
    dino,
    moco_v2,
    swav,
)

__all__ = [
    "ColourJitter",
    "DeviceViews",
    "Recipe",
    "ViewList",
    "ViewRecipe",
    "Views",
    "dino",
    "moco_v2",
    "normalise",
    "swav",
]
