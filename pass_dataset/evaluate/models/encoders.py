"""What a user names an encoder by: a published model, a file, a factory, or a random network."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from pass_dataset.errors import WeightsError
from pass_dataset.evaluate.models.loading import load_checkpoint
from pass_dataset.evaluate.models.networks import network
from pass_dataset.evaluate.models.published import PUBLISHED, published
from pass_dataset.evaluate.models.store import find_published
from pass_dataset.progress import Progress

__all__ = ["Encoder", "FeatureKind", "load", "open_encoder"]

#: Of a transformer: the class token after the last block, or of the last four blocks together, as
#: DINO's linear layers are trained on.
FeatureKind = Literal["pooled", "last4"]

_LAST_BLOCKS = 4


@dataclass(frozen=True)
class Encoder:
    """A network that returns features, and what tells it from others.

    Attributes:
      name: what it was asked for by.
      module: takes float32 N×3×H×W and returns N×width.
      digest: of the network and all its weights; the same encoder from another file has the same.
    """

    name: str
    module: nn.Module
    digest: str


def load(
    name: str | Path,
    *,
    net: str | None = None,
    prefix: str | None = None,
    ignore: Sequence[str] = (),
    folder: Path | None = None,
    progress: Progress | None = None,
) -> nn.Module:
    """An encoder by the name of a published model, or from a checkpoint.

    Args:
      name: one of `PUBLISHED`, or the path of a checkpoint.
      net, prefix, ignore: of a checkpoint; see `load_checkpoint`.
      folder: where published models are kept; None: ``PASS_WEIGHTS_DIR``, else the user's cache.
      progress: where a download is shown.

    Returns:
      A network of torchvision in evaluation mode. It takes images of float32 N×3×224×224,
      normalised by ImageNet's mean and standard deviation, and returns features of float32
      N×width: 2,048 of a ResNet-50, 512 of a ResNet-18, 384 of a ViT-S.

    Raises:
      WeightsError: the file cannot be had or is not what it should be, or not every weight of it
        can be loaded.
    """
    if str(name) in {model.name for model in PUBLISHED} and not Path(name).exists():
        model = published(str(name))
        found = find_published(model, folder, progress=progress)
        return load_checkpoint(found.path, net=model.net).module
    if not Path(name).is_file():
        raise WeightsError(
            f"{name}: expected a checkpoint, or the name of a published model "
            f"({', '.join(model.name for model in PUBLISHED)}), found neither"
        )
    return load_checkpoint(name, net=net, prefix=prefix, ignore=ignore).module


def open_encoder(
    name: str,
    *,
    net: str | None = None,
    prefix: str | None = None,
    ignore: Sequence[str] = (),
    kind: FeatureKind = "pooled",
    progress: Progress | None = None,
) -> Encoder:
    """An encoder by what a user calls it.

    Args:
      name: as of `load`; or ``random:NET`` or ``random:NET:SEED``, a network that was never
        trained; or ``python:MODULE:FACTORY``, a function of one's own that returns a network.
      net, prefix, ignore: of a checkpoint; see `load_checkpoint`.
      kind: which features of a transformer.
      progress: where a download is shown.

    Raises:
      WeightsError: see `load`.
    """
    scheme, _, rest = name.partition(":")
    if scheme == "random":
        module = _random(name, rest)
    elif scheme == "python":
        module = _made(name, rest)
    else:
        module = load(name, net=net, prefix=prefix, ignore=ignore, progress=progress)
    if kind == "last4":
        module = _LastBlocks(name, module)
    return Encoder(name, module.eval().requires_grad_(False), _digest(module))


def _random(name: str, rest: str) -> nn.Module:
    net, _, seed = rest.partition(":")
    if seed and not seed.isdecimal():
        raise WeightsError(f"{name}: expected random:NET or random:NET:SEED, a number")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(seed or 0))
        return network(net).make()


def _made(name: str, rest: str) -> nn.Module:
    module, _, factory = rest.partition(":")
    try:
        made = getattr(importlib.import_module(module), factory)()
    except (ImportError, AttributeError, ValueError) as error:
        raise WeightsError(f"{name}: expected python:MODULE:FACTORY, found that {error}") from error
    if not isinstance(made, nn.Module):
        raise WeightsError(
            f"{name}: expected a function that returns a torch.nn.Module, found that it returns "
            f"{type(made).__name__}"
        )
    return made


def _digest(module: nn.Module) -> str:
    """SHA-256 of what a network is made of: its layers, and names, shapes and bytes of weights."""
    digest = hashlib.sha256(repr(module).encode())
    for part in module.modules():
        # PyTorch does not show it.
        digest.update(f"{getattr(part, 'num_heads', '')}".encode())
    for name, value in sorted(module.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


class _LastBlocks(nn.Module):
    """Class tokens of the last four blocks side by side, each normalised as the last one is."""

    def __init__(self, name: str, vit: Any) -> None:
        super().__init__()
        if not hasattr(vit, "encoder") or not hasattr(vit.encoder, "layers"):
            raise WeightsError(f"{name}: last4 is of transformers, and this is none")
        self.vit = vit

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Float32 N×3×H×W to N×(4·width)."""
        vit = self.vit
        tokens = vit._process_input(images)
        tokens = torch.cat([vit.class_token.expand(len(tokens), -1, -1), tokens], 1)
        tokens = tokens + vit.encoder.pos_embedding
        kept = []
        for layer in vit.encoder.layers:
            tokens = layer(tokens)
            kept.append(vit.encoder.ln(tokens)[:, 0])
        return torch.cat(kept[-_LAST_BLOCKS:], 1)
