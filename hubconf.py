"""The published encoders for `torch.hub`, each a network of torchvision that returns features.

    model = torch.hub.load("OWNER/REPOSITORY", "moco_v2_200ep", trust_repo=True)

Files are fetched once, checked by their SHA-256 ever after, and read without running what is in
them. `trust_repo=True` has PyTorch ask nothing, which in a batch job nobody would answer.
"""

from __future__ import annotations

import functools
from typing import Any

from pass_dataset.evaluate.models.published import PUBLISHED

#: What `torch.hub` looks for before it calls anything.
dependencies = ["numpy", "platformdirs", "requests", "torch", "torchvision", "wrapt", "xxhash"]


def _load(name: str, **options: Any) -> Any:
    # It imports PyTorch, and listing the entries needs none.
    from pass_dataset.evaluate import models

    return models.load(name, **options)


for _model in PUBLISHED:
    _entry = functools.partial(_load, _model.name)
    functools.update_wrapper(_entry, _load)
    _entry.__doc__ = (
        f"{_model.method}, {_model.net}, {_model.epochs} epochs on PASS: linear accuracy "
        f"{_model.imagenet} on ImageNet-1k, {_model.places} on Places205."
    )
    globals()[_model.name] = _entry
    if _model.hub_name is not None:
        globals()[_model.hub_name] = _entry
