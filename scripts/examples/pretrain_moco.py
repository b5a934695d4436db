"""Pretraining on PASS by MoCo-v2, SwAV or DINO, read from the tars where they lie.

    pip install 'pass-dataset[views]' lightly timm
    torchrun --nproc-per-node 8 scripts/examples/pretrain_moco.py /data/pass --out runs/moco
    torchrun --nproc-per-node 4 scripts/examples/pretrain_moco.py /data/pass --method swav
    torchrun --nproc-per-node 8 scripts/examples/pretrain_moco.py /data/pass --method dino \\
        --backbone vit_small_patch16_224

trains with the settings of the paper: batches of 256 over all processes, 200 epochs of a ResNet-50
by MoCo-v2 or SwAV, 100 of a ViT-S/16 by DINO; `moco.py`, `swav.py` and `dino.py` have them.
Interrupt it as you like: the same command goes on with the very next batch, on as many GPUs as it
is given then. `--steps` ends it early, to see that it works:

    python scripts/examples/pretrain_moco.py --mini --backbone resnet18 --batch-size 8 --steps 3

`--folder` takes the images of any folder instead, such as one that `passify export` wrote. With
`--device-views` the workers only read, and the GPU decodes and makes the views.

`backbone.pt` is what one wants in the end: weights of the network without its last layer, of DINO
those of the teacher. timm is for its transformers alone.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from dino import DINO
from folderstream import FolderStream
from method import Method, MethodSettings, Moment
from moco import MoCo
from swav import SwAV
from torch import Tensor, distributed, nn
from torch.utils.data import DataLoader

from pass_dataset.archives import mini
from pass_dataset.files.whole import writing_whole
from pass_dataset.torch import PassStream
from pass_dataset.torch.views import DeviceViews, Views, normalise

logger = logging.getLogger("pretrain_moco")

CHECKPOINT_NAME = "checkpoint.pt"
BACKBONE_NAME = "backbone.pt"
#: By their names on the command line.
METHODS: dict[str, type[Method]] = {"moco": MoCo, "swav": SwAV, "dino": DINO}


class Training:
    """All that a checkpoint holds, and the step."""

    def __init__(self, options: argparse.Namespace, device: torch.device, per_epoch: int) -> None:
        self.device = device
        self.name: str = options.method
        self.per_epoch = per_epoch
        self.total = per_epoch * options.epochs
        made = METHODS[options.method](
            MethodSettings(
                options.backbone,
                options.epochs,
                options.batch_size,
                world_size(),
                options.queue,
                options.prototypes,
            )
        )
        if world_size() > 1 and device.type == "cuda" and options.method != "moco":
            # MoCo's batch norm is kept apart on purpose; on CPUs there is none of several.
            made = nn.SyncBatchNorm.convert_sync_batchnorm(made)  # type: ignore[no-untyped-call]
        self.method: Method = made.to(device)
        self.parallel: nn.Module = self.method
        if world_size() > 1:
            self.parallel = nn.parallel.DistributedDataParallel(self.method)
        self.loss = self.method.make_loss().to(device)
        self.optimizer = self.method.optimizer(self.method.rate * options.batch_size / 256)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: self.method.rate_at(min(step / self.total, 1))
        )
        self.steps = 0

    @property
    def moment(self) -> Moment:
        """How far it is."""
        return Moment(self.steps, self.steps / self.per_epoch, min(self.steps / self.total, 1))

    def step(self, views: Sequence[Tensor]) -> float:
        """One step on the views of a batch, N×3×S×S uint8 each; returns the loss."""
        moment = self.moment
        self.method.before(self.optimizer, moment)
        # Bytes go to the device, a quarter of what floats would be.
        there = [normalise(view.to(self.device, non_blocking=True)) for view in views]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            outputs = self.parallel(there)
        cost = self.method.cost(self.loss, outputs, moment)
        self.optimizer.zero_grad()
        cost.backward()  # type: ignore[no-untyped-call]
        self.method.mend_gradients(moment)
        self.optimizer.step()
        self.method.after(moment)
        self.schedule.step()
        self.steps += 1
        return float(cost.detach())

    def state(self, stream: dict[str, Any]) -> dict[str, Any]:
        """A checkpoint."""
        return {
            "method": self.name,
            "model": self.method.state_dict(),
            "queue": self.loss.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "steps": self.steps,
            # As text, which `weights_only` takes in any case.
            "stream": json.dumps(stream),
        }

    def load(self, state: dict[str, Any]) -> dict[str, Any]:
        """Takes a checkpoint over; returns the state of its stream."""
        # The first checkpoints were all of MoCo, and did not say so.
        found = state.get("method", "moco")
        if found != self.name:
            raise SystemExit(f"its checkpoint is of --method {found}: choose another --out")
        self.method.load_state_dict(state["model"])
        self.loss.load_state_dict(state["queue"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.steps = state["steps"]
        stream: dict[str, Any] = json.loads(state["stream"])
        return stream


def world_size() -> int:
    """Number of processes that train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def save(content: object, path: Path) -> None:
    """Writes a file so that its name never stands for half of it, not after a power cut either."""
    with writing_whole(path) as file:
        torch.save(content, file)


def own_batch_size(options: argparse.Namespace) -> int:
    """Images of a batch that this process has."""
    size, rest = divmod(options.batch_size, world_size())
    if rest:
        raise SystemExit(f"--batch-size {options.batch_size}: no multiple of {world_size()}")
    return int(size)


def open_stream(options: argparse.Namespace) -> PassStream | FolderStream:
    """The images, some views each; after a checkpoint the same ones as without."""
    views = Views(METHODS[options.method].recipe(options.image_size), options.seed)
    if options.folder is not None:
        return FolderStream(
            options.folder,
            views,
            batch_size=own_batch_size(options),
            seed=options.seed,
        )
    root, release = options.root, options.release
    if options.mini:
        root, release = mini.ARCHIVES, mini.CHECKSUMS
    if options.device_views:
        given: dict[str, Any] = {"decode": "jpeg", "target": "hash"}
    else:
        given = {"views": views, "target": None}
    return PassStream(
        root,
        release,
        **given,
        keep=options.keep,
        batch_size=own_batch_size(options),
        seed=options.seed,
        equal_shares=True,
    )


def views_of(batch: Any, on_device: DeviceViews | None, epoch: int) -> Sequence[Tensor]:
    """The views of a batch of the stream's."""
    if on_device is None:
        made: Sequence[Tensor] = batch
        return made
    jpegs, hashes = batch
    return on_device(jpegs, hashes, epoch)


def train(options: argparse.Namespace, device: torch.device, is_first: bool) -> None:
    """Trains, from the last checkpoint on if there is one."""
    torch.manual_seed(options.seed)
    stream = open_stream(options)
    per_epoch = len(stream) // own_batch_size(options)
    training = Training(options, device, per_epoch)
    on_device = None
    if options.device_views:
        recipe = METHODS[options.method].recipe(options.image_size)
        on_device = DeviceViews(recipe, options.seed, device=device)
    checkpoint = options.out / CHECKPOINT_NAME
    if checkpoint.exists():
        stream.load_state_dict(
            training.load(torch.load(checkpoint, map_location=device, weights_only=True))
        )
        logger.info("continuing after step %d, epoch %d", training.steps, stream.epoch)

    def keep(batches: int) -> None:
        if is_first:
            save(training.state(stream.state_dict(batches=batches)), checkpoint)

    # Asked again, what has ended does not go on.
    is_over = options.steps is not None and training.steps >= options.steps
    for epoch in range(stream.epoch, 0 if is_over else options.epochs):
        stream.set_epoch(epoch)
        # New workers each epoch: they have to know of a checkpoint, and starting costs little.
        loader = DataLoader(
            stream,
            own_batch_size(options),
            num_workers=options.workers,
            drop_last=True,
            pin_memory=device.type == "cuda",
        )
        started = time.perf_counter()
        batches = 0
        for batch in loader:
            loss = training.step(views_of(batch, on_device, epoch))
            batches += 1
            if training.steps % options.log_every == 0:
                rate = batches * options.batch_size / (time.perf_counter() - started)
                logger.info(
                    "epoch %d, step %d: loss %.4f, %.0f images/s",
                    epoch,
                    training.steps,
                    loss,
                    rate,
                )
            if training.steps == options.steps:
                break
            if batches % options.save_every == 0:
                keep(batches)
        if training.steps == options.steps:
            keep(batches)
            break
        stream.set_epoch(epoch + 1)
        keep(0)
    if is_first:
        save(training.method.encoder_to_keep().state_dict(), options.out / BACKBONE_NAME)
        logger.info("%s after %d steps", options.out / BACKBONE_NAME, training.steps)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("root", nargs="?", type=Path, help="archive folder")
    parser.add_argument("--mini", action="store_true", help="the 64 pictures of the package")
    parser.add_argument("--folder", type=Path, help="a folder with images, at any depth")
    parser.add_argument("--release", help="version or checksum file (default: told by the folder)")
    parser.add_argument("--keep", type=Path, help="file with the hashes of the images to use")
    parser.add_argument("--method", choices=list(METHODS), default="moco")
    parser.add_argument(
        "--out", type=Path, help="folder of the checkpoints (default: the method's name)"
    )
    parser.add_argument(
        "--backbone", default="resnet50", help="a ResNet of torchvision, or a vit_… of timm"
    )
    parser.add_argument("--epochs", type=int, help="(default: as published)")
    parser.add_argument("--steps", type=int, help="end after so many (default: all epochs)")
    parser.add_argument("--batch-size", type=int, default=256, help="over all processes")
    parser.add_argument("--image-size", type=int, default=224, help="pixels of a side")
    parser.add_argument("--queue", type=int, help="keys that MoCo tells apart (default: 65,536)")
    parser.add_argument(
        "--prototypes", type=int, help="of SwAV (default: 3,000); outputs of DINO (65,536)"
    )
    parser.add_argument("--workers", type=int, default=8, help="decoding, of each process")
    parser.add_argument("--device-views", action="store_true", help="made on the GPU, not by them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=500, metavar="BATCHES")
    parser.add_argument("--log-every", type=int, default=50, metavar="STEPS")
    options = parser.parse_args(arguments)
    if options.mini + (options.root is not None) + (options.folder is not None) != 1:
        parser.error("expected an archive folder, or --folder, or --mini")
    if options.device_views and options.folder is not None:
        parser.error("--device-views: expected an archive folder or --mini, found --folder")
    if options.epochs is None:
        options.epochs = METHODS[options.method].epochs
    if options.out is None:
        options.out = Path(options.method)
    return options


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = parse(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    if "RANK" in os.environ:
        distributed.init_process_group()
    try:
        train(options, device, is_first=os.environ.get("RANK", "0") == "0")
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
