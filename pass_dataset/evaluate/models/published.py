"""The checkpoints that were published with PASS, and what is known of them.

Numbers and addresses: README of https://github.com/yukimasano/PASS at e91b4fc. It states no size,
no hash, and no licence of the weights; the code is under MIT.
"""

from __future__ import annotations

from dataclasses import dataclass

from pass_dataset.errors import WeightsError
from pass_dataset.passify.detectors.weights.files import WeightsFile

__all__ = ["PUBLISHED", "PublishedModel", "published"]

_BASE = "https://www.robots.ox.ac.uk/~vgg/research/pass/pretrained_models/"
_LICENCE = "not stated (code: MIT)"
_PAGE = "https://github.com/yukimasano/PASS/blob/e91b4fc9daf219c765ec5816610e76306de0150c/README.md"


@dataclass(frozen=True)
class PublishedModel:
    """A checkpoint.

    Attributes:
      name: what it is asked for by.
      filename: name it is published and cached under.
      method: of the pretraining.
      net: name of the network in `networks`.
      epochs: of pretraining on PASS.
      imagenet: top-1 accuracy of a linear layer on ImageNet-1k, per cent, as published.
      places: the same on Places205.
      hub_name: entry of the published ``hubconf.py``; None: it has none.
      notes: what misleads about it, in sentences.
    """

    name: str
    filename: str
    method: str
    net: str
    epochs: int
    imagenet: float
    places: float
    hub_name: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where it is published; there is one host, and no mirror."""
        return _BASE + self.filename

    @property
    def file(self) -> WeightsFile:
        """It as a weights file: nothing is known to check it by before it is first seen."""
        return WeightsFile(
            name=self.name,
            filename=self.filename,
            used_by="pass_dataset.evaluate",
            licence=_LICENCE,
            source=_PAGE,
            url=self.url,
            size_bytes=None,
            sha256=None,
        )


#: In the order of the published table.
PUBLISHED = (
    PublishedModel(
        "moco_v2_180ep",
        "moco_v2_180ep_of200ep.pth.tar",
        "MoCo-v2",
        "resnet50",
        180,
        59.1,
        52.8,
        notes=("After 180 of 200 epochs; Table 7's 59.1 is this file's number.",),
    ),
    PublishedModel(
        "moco_v2_200ep",
        "moco_v2_200ep.pth.tar",
        "MoCo-v2",
        "resnet50",
        200,
        59.5,
        52.8,
        "moco_resnet50_200ep",
        ("The one of the paper's Table 2.",),
    ),
    PublishedModel(
        "moco_v2_800ep",
        "moco_v2_800ep.pth.tar",
        "MoCo-v2",
        "resnet50",
        800,
        61.2,
        54.0,
        "moco_resnet50",
        ("Not the one of the paper's Table 2, which has 200 epochs.",),
    ),
    PublishedModel(
        "moco_v2_r18_800ep",
        "moco_v2_r18_800ep.pth.tar",
        "MoCo-v2",
        "resnet18",
        800,
        45.3,
        44.4,
    ),
    PublishedModel(
        "moco_v2_cld_200ep",
        "moco_v2_CLD_200ep.pth.tar",
        "MoCo-v2-CLD",
        "resnet50",
        200,
        60.2,
        53.1,
        "moco_cld_resnet50",
    ),
    PublishedModel(
        "swav_200ep",
        "swav_200ep.pth.tar",
        "SwAV",
        "resnet50",
        200,
        60.8,
        55.5,
        "swav_resnet50",
        (
            "60.8 in Table 4; 60.4 with SwAV's own code (Table 8), 57.5 with MoCo's (Table 7).",
            "The published network pads by 1 and then 2 where torchvision's pads by 3: the same.",
        ),
    ),
    PublishedModel(
        "dino_vits16_100ep",
        "dino_deit_100ep.pth.tar",
        "DINO",
        "vit_small_patch16",
        100,
        61.3,
        54.6,
        "dino_100ep_vits16",
        ("Appendix D.1 speaks of ViT-B; Table 4 and the file are ViT-S/16.",),
    ),
    PublishedModel(
        "dino_vits16_300ep",
        "dino_deit_300ep_ttemp0o07_warumup30ep_normlayerF.pth.tar",
        "DINO",
        "vit_small_patch16",
        300,
        65.0,
        55.7,
        "dino_vits16",
    ),
)


def published(name: str) -> PublishedModel:
    """A checkpoint by its name.

    Raises:
      WeightsError: there is none.
    """
    for model in PUBLISHED:
        if model.name == name:
            return model
    raise WeightsError(
        f"no published model is named {name!r}: expected one of "
        f"{', '.join(model.name for model in PUBLISHED)}"
    )
