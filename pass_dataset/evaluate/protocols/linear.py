"""A linear layer on frozen features, as MoCo's main_lincls.py trains it.

https://github.com/facebookresearch/moco/blob/3631be0/main_lincls.py: weights from N(0, 0.01),
SGD with a learning rate of 30, momentum 0.9, no weight decay, batches of 256, 100 epochs, a tenth
of the rate after 60 and 80. There every epoch has new random views; here as many as were embedded,
one after the other. There the best epoch on the test set is reported; here the last, and the best
beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from pass_dataset.errors import EvaluationError
from pass_dataset.evaluate.features.cache import Features
from pass_dataset.evaluate.protocols.statistics import Correct, Outcome

__all__ = ["linear", "train_layer", "trained_layers"]

RATE, MOMENTUM, BATCH, EPOCHS, DROPS = 30.0, 0.9, 256, 100, (60, 80)
#: Standard deviation of the first weights.
_FIRST = 0.01
SEEDS = (0, 1, 2)
_TEST_ROWS = 16_384
#: Numbers of all views that are held in memory as float32 (256 MB); of more, batches are read.
_HELD = 1 << 26

Ints = np.ndarray[Any, Any]


def linear(
    views: Sequence[Features],
    labels: Ints,
    test: Features,
    test_labels: Ints,
    *,
    seeds: Sequence[int] = SEEDS,
    epochs: int = EPOCHS,
) -> Outcome:
    """Top-1 accuracy after the last epoch.

    Args:
      views: features of the training images, float16 N×width each: of random views, or of the
        middles alone.
      labels, test_labels: int64 of shape (N,).
      test: features of the test images.
      seeds: of the first weights and of the order; the paper has one.
      epochs: 100 as published; drops lie at 60 and 80 per cent of them.
    """
    if labels.ndim != 1:
        raise EvaluationError("linear: expected one label an image, found several")
    classes = int(max(labels.max(), test_labels.max())) + 1
    correct, bests = [], []
    for seed in seeds:
        told = train_layer(views, labels, test, classes, seed=seed, epochs=epochs)
        right = [epoch == test_labels for epoch in told]
        correct.append(right[-1])
        bests.append(100 * max(float(each.mean()) for each in right))
    statistic = Correct(np.stack(correct).astype(np.float64))
    return Outcome(
        "linear lr 30",
        "top-1",
        statistic,
        tuple(100 * float(each.mean()) for each in correct),
        (f"best epoch on the test set, as published: {np.mean(bests):.1f}",),
    )


def train_layer(
    views: Sequence[Features],
    labels: Ints,
    test: Features,
    classes: int,
    *,
    seed: int,
    epochs: int = EPOCHS,
) -> list[Ints]:
    """Classes that each test image is given after each epoch from the last drop on."""
    layers = trained_layers(views, labels, classes, seed=seed, epochs=epochs)
    first = min(epochs * DROPS[-1] // EPOCHS, epochs - 1)
    return [_told(layer, test) for epoch, layer in enumerate(layers) if epoch >= first]


def trained_layers(
    views: Sequence[Features], labels: Ints, classes: int, *, seed: int, epochs: int = EPOCHS
) -> Iterator[nn.Linear]:
    """The layer after each epoch: one and the same, which is trained further when asked for more.

    Args:
      views, labels, epochs: see `linear`.
      classes: their number.
      seed: of the first weights, and then of the order of each epoch, by one generator.
    """
    generator = torch.Generator().manual_seed(seed)
    layer = nn.Linear(views[0].shape[1], classes)
    with torch.no_grad():
        layer.weight.normal_(0, _FIRST, generator=generator)
        layer.bias.zero_()
    drops = [epochs * drop // EPOCHS for drop in DROPS]
    weights = (layer.weight, layer.bias)
    paces = [torch.zeros_like(weight) for weight in weights]
    targets = torch.from_numpy(np.asarray(labels))
    is_held = sum(view.size for view in views) <= _HELD
    read = [_reader(view, is_held) for view in views]
    for epoch in range(epochs):
        rows = read[epoch % len(views)]
        rate = RATE * 0.1 ** sum(epoch >= drop for drop in drops)
        order = torch.randperm(len(targets), generator=generator)
        for batch in torch.split(order, BATCH):
            # In the order in which they lie: the file is read forwards.
            places = batch.sort().values
            loss = nn.functional.cross_entropy(layer(rows(places)), targets[places])
            slopes = torch.autograd.grad(loss, weights)
            # As torch.optim.SGD does; importing that takes longer than all epochs of a small set.
            with torch.no_grad():
                for weight, pace, slope in zip(weights, paces, slopes, strict=True):
                    weight.sub_(pace.mul_(MOMENTUM).add_(slope), alpha=rate)
        yield layer


def _reader(view: Features, is_held: bool) -> Callable[[torch.Tensor], torch.Tensor]:
    """Reads rows of a view as float32, by their positions."""
    if not is_held:
        return lambda places: torch.from_numpy(np.asarray(view[places.numpy()], np.float32))
    held = torch.from_numpy(np.asarray(view, np.float32))
    return lambda places: held[places]


def _told(layer: nn.Linear, test: Features) -> Ints:
    with torch.no_grad():
        pieces = [
            layer(torch.from_numpy(np.asarray(test[start : start + _TEST_ROWS], np.float32)))
            .argmax(1)
            .numpy()
            for start in range(0, len(test), _TEST_ROWS)
        ]
    return np.concatenate(pieces)
