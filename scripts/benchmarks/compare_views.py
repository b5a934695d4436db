"""Whether this package's views are those of the published recipe on torchvision and Pillow.

    python scripts/benchmarks/compare_views.py photographs/ --images 2000 --steps 200

makes both of the same photographs, each with random numbers of its own, and prints of all of them,
side by side:

- mean and spread of the values of each channel;
- the spectrum: power by spatial frequency, in octaves;
- with `--steps`, the losses of a small network that is trained by contrast (SimCLR's loss) for so
  many steps with either, and what its features are worth then: accuracy of the nearest neighbour's
  label, where the photographs lie in a folder for each label.

The difference between two halves of torchvision's own views is printed beside: what chance does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from measurement import format_table, machine_line
from torch import nn
from view_makers import RECIPES, on_pillow_uint8

from pass_dataset.torch.views import Views, normalise

OCTAVES = ((1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 112))
SMALL_SIZE_PX = 64
Floats = npt.NDArray[np.float64]
Maker = Callable[[bytes, int], Any]


def makers(recipe: str, seed: int) -> dict[str, Maker]:
    """Views of a JPEG, by its number or by chance."""
    views, theirs = Views(RECIPES[recipe], seed), on_pillow_uint8(RECIPES[recipe])
    return {
        "views": lambda jpeg, number: views(jpeg, str(number)),
        "torchvision": lambda jpeg, _: theirs(jpeg),
    }


def facts(view: torch.Tensor) -> Floats:
    """Of one view: means and spreads of three channels, then log power of each octave."""
    values = view.numpy().astype(np.float64) / 255
    grey = values.mean(0)
    side = grey.shape[0]
    window = np.hanning(side)
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window[:, None] * window)) ** 2
    steps = np.fft.fftfreq(side) * side
    radius = np.hypot(steps[:, None], steps)
    spectrum = [
        np.log10(power[(radius >= low) & (radius < high)].mean() + 1e-12)
        for low, high in OCTAVES
        if low < side / 2
    ]
    return np.array([*values.mean((1, 2)), *values.std((1, 2)), *spectrum])


def statistics(recipe: str, jpegs: list[bytes], images: int, seed: int) -> str:
    """The table of both, for the first view and the last."""
    torch.manual_seed(seed)
    found: dict[str, dict[int, list[Floats]]] = {}
    for name, make in makers(recipe, seed).items():
        found[name] = {0: [], len(RECIPES[recipe]) - 1: []}
        for number in range(images):
            made = make(jpegs[number % len(jpegs)], number)
            for place, some in found[name].items():
                some.append(facts(made[place]))
    tables = []
    for place in found["views"]:
        ours, theirs = (np.array(found[name][place]) for name in ("views", "torchvision"))
        names = [f"{what}, {colour}" for what in ("mean", "spread") for colour in ("R", "G", "B")]
        names += [f"power, {low} to {high}" for low, high in OCTAVES][: ours.shape[1] - 6]
        lines = [[f"{recipe}, view {place}", "views", "torchvision", "apart", "standard error"]]
        error = np.sqrt(ours.var(0) / len(ours) + theirs.var(0) / len(theirs))
        for name, one, other, noise in zip(names, ours.mean(0), theirs.mean(0), error, strict=True):
            lines.append([name, f"{one:.4f}", f"{other:.4f}", f"{one - other:+.4f}"])
            lines[-1].append(f"{noise:.4f}")
        tables.append(format_table(lines))
    return "\n\n".join(tables)


# --- training -------------------------------------------------------------------------------------


def network(width: int = 32) -> nn.Module:
    """Four convolutions, and a head that is taken off afterwards."""
    layers: list[nn.Module] = []
    channels = 3
    for level in range(4):
        wide = width << min(level, 2)
        layers += [nn.Conv2d(channels, wide, 3, 2, 1), nn.BatchNorm2d(wide), nn.ReLU()]
        channels = wide
    features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(features, nn.Linear(channels, 64))


def contrast_loss(one: torch.Tensor, other: torch.Tensor, temperature: float = 0.2) -> torch.Tensor:
    """Each view is to be told from all others in the batch by its pair."""
    both = nn.functional.normalize(torch.cat([one, other]))
    alike = both @ both.T / temperature
    alike.fill_diagonal_(-torch.inf)
    count = len(one)
    pairs = torch.arange(2 * count).roll(count)
    return nn.functional.cross_entropy(alike, pairs)


def batches(jpegs: list[bytes], size: int, steps: int) -> Iterator[list[int]]:
    """Numbers of images, each epoch in an order of its own, the same for both."""
    rng = np.random.default_rng(0)
    order: list[int] = []
    for _ in range(steps):
        if len(order) < size:
            order = rng.permutation(len(jpegs)).tolist()
        yield order[:size]
        order = order[size:]


def trained(
    make: Maker, jpegs: list[bytes], steps: int, batch_size: int
) -> tuple[list[float], nn.Module]:
    """Losses of all steps, and the network without its head."""
    torch.manual_seed(0)
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    losses = []
    for step, numbers in enumerate(batches(jpegs, batch_size, steps)):
        made = [make(jpegs[number], step * len(jpegs) + number) for number in numbers]
        pair = []
        for place in (0, 1):
            views = normalise(torch.stack([views[place] for views in made]))
            pair.append(nn.functional.interpolate(views, (SMALL_SIZE_PX, SMALL_SIZE_PX)))
        loss = contrast_loss(net(pair[0]), net(pair[1]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    features = net[0]  # type: ignore[index]
    assert isinstance(features, nn.Module)
    return losses, features.eval()


def neighbours(features: nn.Module, jpegs: list[bytes], labels: list[str]) -> float:
    """How often the most similar other image has the same label."""
    from pass_dataset.torch.images import Decoder

    decoder = Decoder("tensor", SMALL_SIZE_PX)
    embedded = []
    with torch.no_grad():
        for jpeg in jpegs:
            image = normalise(decoder(jpeg))[None]
            small = nn.functional.interpolate(image, (SMALL_SIZE_PX, SMALL_SIZE_PX), mode="area")
            embedded.append(features(small)[0])
    every = nn.functional.normalize(torch.stack(embedded))
    alike = (every @ every.T).fill_diagonal_(-torch.inf)
    nearest = alike.argmax(1).tolist()
    return float(np.mean([labels[place] == labels[near] for place, near in enumerate(nearest)]))


def training(
    recipe: str, jpegs: list[bytes], labels: list[str], options: argparse.Namespace
) -> str:
    """The table of two trainings with each."""
    quarter = max(1, options.steps // 4)
    lines = [["training", *(f"loss, quarter {number}" for number in (1, 2, 3, 4))]]
    lines[0] += ["nearest has the label", "s"]
    for name in ("views", "torchvision"):
        for seed in range(options.trainings):
            torch.manual_seed(seed)
            make = makers(recipe, seed)[name]
            started = time.perf_counter()
            losses, features = trained(make, jpegs, options.steps, options.batch_size)
            seconds = time.perf_counter() - started
            means = [
                np.mean(losses[start : start + quarter]) for start in range(0, 4 * quarter, quarter)
            ]
            lines.append([f"{name}, {seed}", *(f"{mean:.4f}" for mean in means)])
            lines[-1] += [f"{neighbours(features, jpegs, labels):.3f}", f"{seconds:.0f}"]
    return format_table(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photographs", type=Path, help="folder with JPEGs, at any depth")
    parser.add_argument("--recipe", choices=RECIPES, default="moco_v2")
    parser.add_argument("--images", type=int, default=2000, help="for statistics; 0 for none")
    parser.add_argument("--steps", type=int, default=0, help="of a training (default: none)")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--trainings", type=int, default=2, help="with each (default: 2)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    paths = sorted(options.photographs.rglob("*.jpg"))
    if not paths:
        raise SystemExit(f"{options.photographs}: expected JPEGs, found none")
    jpegs = [path.read_bytes() for path in paths]
    print(machine_line())
    print(f"{len(jpegs):,} photographs")
    if options.images:
        print(statistics(options.recipe, jpegs, options.images, options.seed), flush=True)
    if options.steps:
        labels = [path.parent.name for path in paths]
        print(training(options.recipe, jpegs, labels, options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
