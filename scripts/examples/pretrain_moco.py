"""MoCo-v2 pretraining on PASS, read from the tars where they lie.

    pip install 'pass-dataset[torch]' lightly
    torchrun --nproc-per-node 8 scripts/examples/pretrain_moco.py /data/pass --out runs/moco

trains a ResNet-50 with the settings of MoCo-v2 (Chen et al., 2020): 200 epochs, batches of 256 over
all processes, learning rate 0.03 with a cosine schedule, weight decay 1e-4, a queue of 65,536 keys,
momentum 0.999, temperature 0.2.
Interrupt it as you like: the same command goes on with the very next batch, on as many GPUs as it
is given then. `--steps` ends it early, to see that it works:

    python scripts/examples/pretrain_moco.py --mini --backbone resnet18 --batch-size 8 --steps 3

`--folder` takes the images of any folder instead, such as one that `passify export` wrote.

Projection head, loss, queue and augmentations are lightly's. `backbone.pt` is what one wants in the
end: weights of torchvision's ResNet without its last layer.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torchvision
from folderstream import FolderStream
from lightly.loss import NTXentLoss
from lightly.models.modules import MoCoProjectionHead
from lightly.models.utils import (
    batch_shuffle,
    batch_unshuffle,
    deactivate_requires_grad,
    update_momentum,
)
from lightly.transforms import MoCoV2Transform
from torch import Tensor, distributed, nn
from torch.utils.data import DataLoader

from pass_dataset.archives import mini
from pass_dataset.files.whole import writing_whole
from pass_dataset.torch import PassStream

logger = logging.getLogger("pretrain_moco")

CHECKPOINT_NAME = "checkpoint.pt"
BACKBONE_NAME = "backbone.pt"
# Of MoCo-v2: Chen, Fan, Girshick, He: Improved baselines with momentum contrastive learning, 2020.
OUTPUT_DIM, QUEUE, MOMENTUM, TEMPERATURE = 128, 65_536, 0.999, 0.2
LEARNING_RATE_OF_256, WEIGHT_DECAY = 0.03, 1e-4


class MoCo(nn.Module):
    """Encoder, and the slowly following copy of it that makes the keys."""

    def __init__(self, backbone: str) -> None:
        super().__init__()
        encoder = torchvision.models.get_model(backbone, weights=None)
        width = encoder.fc.in_features
        encoder.fc = nn.Identity()
        self.encoder = encoder
        self.head = MoCoProjectionHead(width, width, OUTPUT_DIM)
        self.key_encoder = copy.deepcopy(self.encoder)
        self.key_head = copy.deepcopy(self.head)
        deactivate_requires_grad(self.key_encoder)
        deactivate_requires_grad(self.key_head)

    def forward(self, queries: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings of two views, N×128 each; the second without gradient."""
        query = self.head(self.encoder(queries).flatten(1))
        with torch.no_grad():
            # Shuffled over all processes, so that batch norm does not tell which belong together.
            keys, order = batch_shuffle(keys, distributed=world_size() > 1)
            key = self.key_head(self.key_encoder(keys).flatten(1))
            key = batch_unshuffle(key, order, distributed=world_size() > 1)
        return query, key

    def follow(self) -> None:
        """Moves the copy a little towards the encoder."""
        update_momentum(self.encoder, self.key_encoder, m=MOMENTUM)
        update_momentum(self.head, self.key_head, m=MOMENTUM)


class Training:
    """All that a checkpoint holds, and the step."""

    def __init__(self, options: argparse.Namespace, device: torch.device, total: int) -> None:
        self.device = device
        self.model = MoCo(options.backbone).to(device)
        self.parallel: nn.Module = self.model
        if world_size() > 1:
            self.parallel = nn.parallel.DistributedDataParallel(self.model)
        self.loss = NTXentLoss(
            temperature=TEMPERATURE,
            memory_bank_size=(options.queue, OUTPUT_DIM),
            gather_distributed=world_size() > 1,
        ).to(device)
        rate = LEARNING_RATE_OF_256 * options.batch_size / 256
        self.optimizer = torch.optim.SGD(
            [weight for weight in self.model.parameters() if weight.requires_grad],
            lr=rate,
            momentum=0.9,
            weight_decay=WEIGHT_DECAY,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * min(step / total, 1)))
        )
        self.steps = 0

    def step(self, queries: Tensor, keys: Tensor) -> float:
        """One step on two views of a batch, N×3×S×S each; returns the loss."""
        self.model.follow()
        views = (view.to(self.device, non_blocking=True) for view in (queries, keys))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            query, key = self.parallel(*views)
        loss: Tensor = self.loss(query.float(), key.float())
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        self.steps += 1
        return float(loss.detach())

    def state(self, stream: dict[str, Any]) -> dict[str, Any]:
        """A checkpoint."""
        return {
            "model": self.model.state_dict(),
            "queue": self.loss.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "steps": self.steps,
            # As text, which `weights_only` takes in any case.
            "stream": json.dumps(stream),
        }

    def load(self, state: dict[str, Any]) -> dict[str, Any]:
        """Takes a checkpoint over; returns the state of its stream."""
        self.model.load_state_dict(state["model"])
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
    """The images, two views each."""
    if options.folder is not None:
        return FolderStream(
            options.folder,
            MoCoV2Transform(input_size=options.image_size),
            batch_size=own_batch_size(options),
            seed=options.seed,
        )
    root, release = options.root, options.release
    if options.mini:
        root, release = mini.ARCHIVES, mini.CHECKSUMS
    return PassStream(
        root,
        release,
        MoCoV2Transform(input_size=options.image_size),
        keep=options.keep,
        target=None,
        batch_size=own_batch_size(options),
        seed=options.seed,
        equal_shares=True,
    )


def train(options: argparse.Namespace, device: torch.device, is_first: bool) -> None:
    """Trains, from the last checkpoint on if there is one."""
    torch.manual_seed(options.seed)
    stream = open_stream(options)
    per_epoch = len(stream) // own_batch_size(options)
    training = Training(options, device, per_epoch * options.epochs)
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
        for queries, keys in loader:
            loss = training.step(queries, keys)
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
        save(training.model.encoder.state_dict(), options.out / BACKBONE_NAME)
        logger.info("%s after %d steps", options.out / BACKBONE_NAME, training.steps)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("root", nargs="?", type=Path, help="archive folder")
    parser.add_argument("--mini", action="store_true", help="the 64 pictures of the package")
    parser.add_argument("--folder", type=Path, help="a folder with images, at any depth")
    parser.add_argument("--release", help="version or checksum file (default: told by the folder)")
    parser.add_argument("--keep", type=Path, help="file with the hashes of the images to use")
    parser.add_argument("--out", type=Path, default=Path("moco"), help="folder of the checkpoints")
    parser.add_argument("--backbone", default="resnet50", help="a ResNet of torchvision")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--steps", type=int, help="end after so many (default: all epochs)")
    parser.add_argument("--batch-size", type=int, default=256, help="over all processes")
    parser.add_argument("--image-size", type=int, default=224, help="pixels of a side")
    parser.add_argument("--queue", type=int, default=QUEUE, help="keys to tell apart")
    parser.add_argument("--workers", type=int, default=8, help="decoding, of each process")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-every", type=int, default=500, metavar="BATCHES")
    parser.add_argument("--log-every", type=int, default=50, metavar="STEPS")
    options = parser.parse_args(arguments)
    if options.mini + (options.root is not None) + (options.folder is not None) != 1:
        parser.error("expected an archive folder, or --folder, or --mini")
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
