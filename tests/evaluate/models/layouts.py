"""Checkpoints as their trainers write them, around the weights of one network."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn

Weights = dict[str, torch.Tensor]


def random_resnet(name: str = "resnet18", seed: int = 0) -> Any:
    """A ResNet without classifier, whose statistics of batches are random as well."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = torchvision.models.get_model(name, weights=None)
        made.fc = nn.Identity()
        for layer in made.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(0, 0.1)
                layer.running_var.uniform_(0.5, 1.5)
    return made.eval()


def under(prefix: str, weights: Weights) -> Weights:
    return {prefix + name: value for name, value in weights.items()}


def others(weights: Weights) -> Weights:
    """Other weights of the same shapes: of the copy that must not be taken."""
    return {name: value + 1 for name, value in weights.items()}


def linear(prefix: str, width: int = 8) -> Weights:
    return {f"{prefix}weight": torch.randn(width, width), f"{prefix}bias": torch.randn(width)}


def moco(weights: Weights) -> dict[str, Any]:
    return {
        "epoch": 200,
        "arch": "resnet50",
        "state_dict": {
            **under("module.encoder_q.", weights),
            **linear("module.encoder_q.fc.0."),
            **linear("module.encoder_q.fc.2."),
            **under("module.encoder_k.", others(weights)),
            **linear("module.encoder_k.fc.0."),
            "module.queue": torch.randn(128, 16),
            "module.queue_ptr": torch.zeros(1, dtype=torch.long),
        },
        "optimizer": {"state": {0: {"momentum_buffer": torch.randn(3)}}, "param_groups": [{}]},
    }


def cld(weights: Weights) -> dict[str, Any]:
    content = moco(weights)
    content["state_dict"].update(linear("module.encoder_q.groupDis."))
    content["state_dict"].update(linear("module.encoder_k.groupDis."))
    return content


def swav(weights: Weights) -> dict[str, Any]:
    return {
        "epoch": 200,
        "state_dict": {
            **under("module.", weights),
            **linear("module.projection_head.0."),
            "module.prototypes.weight": torch.randn(30, 8),
        },
    }


def lightly(weights: Weights) -> dict[str, Any]:
    """Lightning's checkpoint of its examples, whose backbone is a `Sequential` of children."""
    places = {"conv1": 0, "bn1": 1, "layer1": 4, "layer2": 5, "layer3": 6, "layer4": 7}
    numbered = {}
    for name, value in weights.items():
        first, _, rest = name.partition(".")
        numbered[f"{places[first]}.{rest}"] = value
    return {
        "epoch": 3,
        "global_step": 7,
        "state_dict": {
            **under("backbone.", numbered),
            **under("backbone_momentum.", others(numbered)),
            **linear("projection_head.layers.0."),
            "criterion.memory_bank.bank": torch.randn(8, 8),
        },
    }


def ours(weights: Weights) -> dict[str, Any]:
    """The checkpoint of scripts/examples/pretrain_moco.py."""
    return {
        "model": {
            **under("encoder.", weights),
            **linear("head.layers.0."),
            **under("key_encoder.", others(weights)),
        },
        "queue": {"memory_bank.bank": torch.randn(8, 8)},
        "steps": 3,
        "stream": "{}",
    }


def solo(weights: Weights) -> dict[str, Any]:
    return {
        "state_dict": {
            **under("backbone.", weights),
            **under("momentum_backbone.", others(weights)),
            **linear("classifier."),
            **linear("projector.0."),
            "queue": torch.randn(8, 8),
        }
    }


def vissl(weights: Weights) -> dict[str, Any]:
    return {
        "classy_state_dict": {
            "base_model": {
                "model": {
                    "trunk": under("_feature_blocks.", weights),
                    "heads": linear("0.clf.0."),
                },
                "meters": {},
            }
        },
        "phase_idx": 3,
    }


def torchvision_file(weights: Weights) -> dict[str, Any]:
    return {**weights, **linear("fc.")}


def compiled(weights: Weights) -> dict[str, Any]:
    return under("module._orig_mod.", torchvision_file(weights))


def timm_train(weights: Weights) -> dict[str, Any]:
    """timm's train.py: settings as a Namespace, and an average, which timm evaluates."""
    return {
        "arch": "resnet18",
        "args": argparse.Namespace(lr=0.1),
        "state_dict": torchvision_file(others(weights)),
        "state_dict_ema": torchvision_file(weights),
    }


#: Of a ResNet.
RESNET_LAYOUTS: dict[str, Callable[[Weights], dict[str, Any]]] = {
    "moco": moco,
    "cld": cld,
    "swav": swav,
    "lightly": lightly,
    "pretrain_moco": ours,
    "solo-learn": solo,
    "vissl": vissl,
    "torchvision": torchvision_file,
    "compiled": compiled,
    "timm": timm_train,
}


def dino(weights: Weights) -> dict[str, Any]:
    """DINO's, of a transformer with timm's names; settings as a Namespace."""
    return {
        "student": {**under("module.backbone.", others(weights)), **linear("module.head.mlp.0.")},
        "teacher": {**under("backbone.", weights), **linear("head.mlp.0.")},
        "epoch": 100,
        "args": argparse.Namespace(arch="vit_small", patch_size=16),
        "dino_loss": {"center": torch.randn(1, 8)},
    }


def dino_without_backbone(weights: Weights) -> dict[str, Any]:
    return {
        "teacher": {**under("module.", weights), **linear("module.head.mlp.0.")},
        "student": {**under("module.", others(weights)), **linear("module.head.mlp.0.")},
    }


def timm_file(weights: Weights) -> dict[str, Any]:
    return {**weights, **linear("head.")}


def lightly_vit(weights: Weights) -> dict[str, Any]:
    return {
        "state_dict": {
            **under("teacher_backbone.vit.", weights),
            **under("student_backbone.vit.", others(weights)),
            **linear("student_head.layers.0."),
        }
    }


#: Of a transformer.
VIT_LAYOUTS: dict[str, Callable[[Weights], dict[str, Any]]] = {
    "dino": dino,
    "dino without backbone": dino_without_backbone,
    "timm": timm_file,
    "lightly": lightly_vit,
}


def save(content: dict[str, Any], path: Path) -> Path:
    torch.save(content, path)
    return path
