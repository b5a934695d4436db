"""Encoders: those that were published with PASS, and any checkpoint.

    models.load("moco_v2_200ep")                   # fetched, verified
    models.load("runs/moco/backbone.pt")           # a checkpoint of one's own
    models.load_checkpoint("a.pth", net="resnet50").report

published   the eight checkpoints of PASS: what is known of each
store       where their files are, and whether they are the right ones
networks    the networks, as torchvision makes them
spellings   how trainers name the same weights
candidates  where in a checkpoint a whole network lies, and which of several is meant
loading     weights into a network: all of them, or none
encoders    what a user names an encoder by
detectron2  a ResNet with detectron2's names
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pass_dataset.extras import require

if TYPE_CHECKING:
    from pass_dataset.evaluate.models.encoders import Encoder, load, open_encoder
    from pass_dataset.evaluate.models.loading import Loaded, LoadReport, load_checkpoint
    from pass_dataset.evaluate.models.published import PUBLISHED, PublishedModel

__all__ = [
    "PUBLISHED",
    "Encoder",
    "LoadReport",
    "Loaded",
    "PublishedModel",
    "load",
    "load_checkpoint",
    "open_encoder",
]

#: Public name to the module that has it, loaded on first use: PyTorch takes seconds.
_HOMES = {
    "PUBLISHED": "published",
    "Encoder": "encoders",
    "LoadReport": "loading",
    "Loaded": "loading",
    "PublishedModel": "published",
    "load": "encoders",
    "load_checkpoint": "loading",
    "open_encoder": "encoders",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOMES[name] != "published":
        for package in ("torch", "torchvision"):
            require(package, feature="pass_dataset.evaluate.models", extra="evaluate")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
