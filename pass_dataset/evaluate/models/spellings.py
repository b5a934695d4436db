"""How trainers name the same weights.

A spelling tells how a weight of torchvision's network is called in a file. The weights themselves
are the same in all of them: none is reshaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["SPELLINGS", "Spelling", "is_head", "pair_left"]


@dataclass(frozen=True)
class Spelling:
    """One way to name weights.

    Attributes:
      name: for reports.
      spell: from torchvision's name to that in the file.
    """

    name: str
    spell: Callable[[str], str]


#: Places of the children of torchvision's ResNet, by which ``nn.Sequential(*resnet.children())``
#: names them: so do lightly's examples.
_CHILDREN = {
    "conv1": "0",
    "bn1": "1",
    **{f"layer{number}": str(number + 3) for number in range(1, 5)},
}

#: timm's names of the vision transformer, which are DINO's and MoCo-v3's as well.
_TIMM = (
    (r"^class_token$", "cls_token"),
    (r"^conv_proj\.", "patch_embed.proj."),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^encoder\.ln\.", "norm."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
    (r"\.ln_([12])\.", r".norm\1."),
    (r"\.self_attention\.in_proj_", ".attn.qkv."),
    (r"\.self_attention\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.0\.", ".mlp.fc1."),
    (r"\.mlp\.3\.", ".mlp.fc2."),
)


def _sequential(name: str) -> str:
    first, _, rest = name.partition(".")
    return f"{_CHILDREN[first]}.{rest}"


def _timm(name: str) -> str:
    for pattern, replacement in _TIMM:
        name = re.sub(pattern, replacement, name)
    return name


_PLAIN = Spelling("torchvision", lambda name: name)

#: By family of the network, in the order in which they are tried.
SPELLINGS = {
    "resnet": (_PLAIN, Spelling("numbered children", _sequential)),
    "vit": (Spelling("timm", _timm), _PLAIN),
}

#: First names of what stands beside a backbone and is no part of it: classifiers, projections.
_HEADS = frozenset(
    {
        *("fc", "head", "heads", "classifier", "linear", "mlp_head"),
        *("projection_head", "projector", "predictor", "prediction_head", "prototypes"),
    }
)


def is_head(name: str) -> bool:
    """Whether a weight is of a layer on top of the backbone (`groupDis`: MoCo-v2-CLD's)."""
    first = name.partition(".")[0]
    return first in _HEADS or first.startswith("groupDis")


#: Names of two copies of a network in one file: the one that is evaluated, and the one that is not.
#: MoCo's and solo-learn's code evaluate the encoder that is trained; DINO's and timm's the average.
_PAIRS = (
    ("encoder_q", "encoder_k"),
    ("encoder", "key_encoder"),
    ("base_encoder", "momentum_encoder"),
    ("online_encoder", "target_encoder"),
    ("online_network", "target_network"),
    ("backbone", "momentum_backbone"),
    ("backbone", "backbone_momentum"),
    ("teacher", "student"),
    ("teacher_backbone", "student_backbone"),
    ("state_dict_ema", "state_dict"),
    ("model_ema", "model"),
)

#: Written by wrappers around the network; DINO wraps one of its two copies and not the other.
_WRAPPERS = frozenset({"module", "_orig_mod", ""})


def pair_left(taken: tuple[str, ...], left: tuple[str, ...]) -> bool:
    """Whether two places in a file differ by a known pair, and the first is the one to take."""
    first = [name for name in taken if name not in _WRAPPERS]
    second = [name for name in left if name not in _WRAPPERS]
    if len(first) != len(second):
        return False
    differing = [pair for pair in zip(first, second, strict=True) if pair[0] != pair[1]]
    return len(differing) == 1 and differing[0] in _PAIRS
