"""Weights into a network: all of them, or none.

No weight of the network keeps a random value, and no weight of the file that may be the network's
is passed over in silence: either every one is loaded, or the file is refused, and those that are
missing or left over are named.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from pass_dataset.errors import WeightsError
from pass_dataset.evaluate.models.candidates import Candidate, candidates, preferred
from pass_dataset.evaluate.models.networks import NETWORKS, Network, network
from pass_dataset.evaluate.models.spellings import is_head
from pass_dataset.torch.checkpoints import read_checkpoint

__all__ = ["LoadReport", "Loaded", "load_checkpoint", "load_classifier"]

logger = logging.getLogger(__name__)

_SHOWN = 8
#: Of MoCo-v3, whose small transformer has 12 heads where others have 6: no weight tells.
_MOCO_V3 = frozenset({"base_encoder", "momentum_encoder"})


@dataclass(frozen=True)
class LoadReport:
    """What was loaded.

    Attributes:
      path: of the file.
      net: name of the network.
      place: where in the file it lay: keys, and the prefix of the names.
      spelling: how the weights were named there.
      loaded: number of tensors that were loaded; all that the network has.
      heads: weights of layers on top, which an encoder has not, without the prefix.
      outside: number of tensors beside the network, such as queues and projections.
    """

    path: Path
    net: str
    place: str
    spelling: str
    loaded: int
    heads: tuple[str, ...]
    outside: int


@dataclass(frozen=True)
class Loaded:
    """A network with its weights, in evaluation mode, and what was loaded."""

    module: nn.Module
    network: Network
    report: LoadReport


def load_checkpoint(
    path: str | Path,
    *,
    net: str | None = None,
    prefix: str | None = None,
    ignore: Sequence[str] = (),
) -> Loaded:
    """An encoder from a checkpoint of any trainer.

    Args:
      path: the file.
      net: name of the network, one of `networks.NETWORKS`; None: the one that fits.
      prefix: which of several networks in the file, as an error names them.
      ignore: first names of layers on top that are not known here, to be left out.

    Returns:
      A network whose weights are all from the file.

    Raises:
      WeightsError: the file cannot be read, or does not have every weight of the network, or has
        weights that may be the network's and have no place in it.
    """
    return _filled(Path(path), *_located(Path(path), net, prefix, ignore))


def load_classifier(
    path: str | Path, *, net: str | None = None, prefix: str | None = None
) -> nn.Module:
    """A network with the linear layer on top that tells classes apart; see `load_checkpoint`.

    Returns:
      A network of torchvision that returns scores of float32 N×classes.

    Raises:
      WeightsError: as of `load_checkpoint`, or the file has no such layer.
    """
    chosen, place = _located(Path(path), net, prefix, ())
    stems = {name.rpartition(".")[0] for name in place.others}
    weight, bias = (
        place.others.get(f"{next(iter(stems), '')}.{kind}") for kind in ("weight", "bias")
    )
    if len(stems) != 1 or weight is None or bias is None or weight.shape[1:] != (chosen.width,):
        raise WeightsError(
            f"{path}: expected one linear layer on top of the network, found "
            f"{', '.join(sorted(stems)) or 'none'}"
        )
    layer = nn.Linear(chosen.width, len(weight))
    layer.load_state_dict({"weight": weight.float(), "bias": bias.float()})
    module = _filled(Path(path), chosen, place).module
    setattr(module, "fc" if chosen.family == "resnet" else "heads", layer)
    return module.eval().requires_grad_(False)


def _located(
    path: Path, net: str | None, prefix: str | None, ignore: Sequence[str]
) -> tuple[Network, Candidate]:
    """The network that a file holds, and where in it. Raises WeightsError."""
    content = read_checkpoint(path)
    networks = [network(net)] if net is not None else list(NETWORKS.values())
    try:
        found = [
            (each, place)
            for each in networks
            for place in _meant(candidates(content, each), prefix)
        ]
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from None
    if not found:
        raise WeightsError(f"{path}: {_nothing(networks, prefix)}")
    fitting = [pair for pair in found if _problem(pair[1], ignore) is None]
    if not fitting:
        each, place = min(found, key=lambda pair: len(pair[1].missing) + len(pair[1].others))
        raise WeightsError(
            f"{path}: expected every weight of a {each.name}, and no other, under "
            f"{place.place!r}, found that {_problem(place, ignore)}. Nothing was loaded. Name the "
            "right network with net; layers on top that are to be left out, with ignore"
        )
    return _choose(path, fitting, guessed=net is None)


def _meant(places: list[Candidate], prefix: str | None) -> list[Candidate]:
    """Those that the user names; without, all but copies that are not evaluated."""
    if prefix is None:
        return preferred(places)
    return [place for place in places if prefix in (place.place, place.prefix)]


def _choose(
    path: Path, fitting: Sequence[tuple[Network, Candidate]], *, guessed: bool
) -> tuple[Network, Candidate]:
    """The one network that is meant. Raises WeightsError where there are several."""
    pairs = [pair for pair in fitting if _heads_fit(*pair)] if guessed else fitting
    places = sorted({place.place for _, place in pairs})
    if len(places) > 1:
        raise WeightsError(
            f"{path}: expected one network, found several: {', '.join(map(repr, places))}. Name "
            "one of them with prefix"
        )
    chosen, place = pairs[0]
    if not _heads_fit(chosen, place):
        raise WeightsError(
            f"{path}: expected weights of a transformer with 6 heads, found them under "
            f"{place.place!r}, as MoCo-v3 keeps those with 12. No weight tells one from the other; "
            "name the network vit_small_patch16_heads12"
        )
    return chosen, place


def _heads_fit(each: Network, place: Candidate) -> bool:
    """Whether the number of heads is that of the trainer, where weights do not tell."""
    is_moco_v3 = not _MOCO_V3.isdisjoint(place.words)
    if each.name == "vit_small_patch16_heads12":
        return is_moco_v3
    return not (each.name == "vit_small_patch16" and is_moco_v3)


def _problem(place: Candidate, ignore: Sequence[str]) -> str | None:
    """Why weights are not loaded, in words; None: they are."""
    others = [
        name for name in place.others if not is_head(name) and name.partition(".")[0] not in ignore
    ]
    said = []
    if place.missing:
        said.append(f"{len(place.missing)} are missing ({_some(place.missing)})")
    if place.wrong_shapes:
        said.append(f"{len(place.wrong_shapes)} have another shape ({_some(place.wrong_shapes)})")
    if others:
        said.append(f"{len(others)} have no place in it ({_some(others)})")
    if said:
        return "; ".join(said)
    bad = [name for name, value in place.weights.items() if not _is_sound(value)]
    return f"{len(bad)} are not plain, finite numbers ({_some(bad)})" if bad else None


def _is_sound(value: torch.Tensor) -> bool:
    if value.layout is not torch.strided or value.is_quantized or value.is_meta:
        return False
    return bool(torch.isfinite(value).all()) and not value.is_complex()


def _some(names: Sequence[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f", and {rest} more" if rest > 0 else "")


def _nothing(networks: Sequence[Network], prefix: str | None) -> str:
    under = "" if prefix is None else f" under {prefix!r}"
    if len(networks) == 1:
        return f"expected the weights of a {networks[0].name}{under}, found nothing like them"
    names = ", ".join(each.name for each in networks)
    return f"expected the weights of one of {names}{under}, found nothing like them"


def _filled(path: Path, chosen: Network, place: Candidate) -> Loaded:
    module = chosen.hollow()
    own = module.state_dict()
    weights = {
        # Not a piece of the whole file's memory.
        name: value.to(own[name].dtype, copy=True).contiguous()
        for name, value in place.weights.items()
    }
    # Strict: whatever is said above, PyTorch has the last word.
    module.load_state_dict(weights, assign=True)
    module.eval()
    module.requires_grad_(False)
    report = LoadReport(
        path=path,
        net=chosen.name,
        place=place.place,
        spelling=place.spelling.name,
        loaded=len(weights),
        heads=tuple(place.others),
        outside=len(place.outside),
    )
    logger.info(
        "%s: %d weights of a %s loaded from %r; left out: %d of layers on top, %d beside it",
        path,
        report.loaded,
        report.net,
        report.place,
        len(report.heads),
        report.outside,
    )
    return Loaded(module, chosen, report)
