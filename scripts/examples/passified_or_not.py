"""What PASSifying costs, from a folder of photographs to a sentence.

    pip install 'pass-dataset[passify,evaluate]' lightly
    python scripts/examples/passified_or_not.py photographs/ labelled/ --out comparison/

filters a folder with `passify`, puts what is kept in a place of its own, pretrains a network on
both with the same settings and the same number of steps (`pretrain_moco.py`; `--method` of its
three), and compares the two while they are frozen (`pass-evaluate compare`). Interrupt it as you
like: the same command goes on.

As it is, it is small enough for a CPU: a ResNet-18 on images of 64 pixels, some steps. The same at
full size: `--backbone resnet50 --image-size 224 --batch-size 256 --steps 1000000 --crop 224
--resize 256`. `--detectors`, `--face-detector` and `--person-detector` go to `passify run`.
"""

from __future__ import annotations

import argparse
import logging
import subprocess
import sys
from pathlib import Path

logger = logging.getLogger("passified_or_not")

HERE = Path(__file__).parent


def run(*command: object) -> None:
    """A step; the first that fails ends the program."""
    words = [str(word) for word in command]
    logger.info("%s", " ".join(words))
    done = subprocess.run([sys.executable, *words])
    if done.returncode:
        raise SystemExit(done.returncode)


def passify(options: argparse.Namespace) -> Path:
    """The folder with the photographs that are kept."""
    filtered: Path = options.out / "passify"
    kept: Path = options.out / "kept"
    detectors = ["--detectors", options.detectors]
    for name in ("face", "person"):
        chosen = getattr(options, f"{name}_detector")
        detectors += [f"--{name}-detector", chosen] if chosen else []
    run("-m", "pass_dataset.passify", "run", options.photographs, "--out", filtered, *detectors)
    run("-m", "pass_dataset.passify", "export", filtered, "--to", kept, "--as", "symlink")
    return kept


def pretrain(folder: Path, out: Path, options: argparse.Namespace) -> Path:
    """The file of the encoder that is trained on a folder."""
    run(
        HERE / "pretrain_moco.py",
        *("--folder", folder, "--out", out),
        *("--method", options.method, "--backbone", options.backbone),
        *("--image-size", options.image_size, "--batch-size", options.batch_size),
        *("--steps", options.steps, "--epochs", options.steps, "--queue", options.queue),
        *("--workers", options.workers, "--seed", options.seed),
        *(["--prototypes", options.prototypes] if options.prototypes else []),
    )
    return out / "backbone.pt"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photographs", type=Path, help="folder of photographs to train on")
    parser.add_argument("labelled", type=Path, help="folder with train/ and test/, by classes")
    parser.add_argument(
        "--out", type=Path, default=Path("comparison"), help="folder of all results"
    )
    parser.add_argument("--detectors", default="face,person", help="of `passify run`")
    parser.add_argument("--face-detector", help="of `passify run`")
    parser.add_argument("--person-detector", help="of `passify run`")
    parser.add_argument("--method", choices=("moco", "swav", "dino"), default="moco")
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--queue", type=int, default=1024)
    parser.add_argument("--prototypes", type=int, help="of SwAV, and outputs of DINO")
    parser.add_argument("--steps", type=int, default=50, help="of each of both trainings")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resize", type=int, default=72)
    parser.add_argument("--crop", type=int, default=64)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    options.out.mkdir(parents=True, exist_ok=True)
    passified = pretrain(passify(options), options.out / "passified", options)
    original = pretrain(options.photographs, options.out / "original", options)
    run(
        *("-m", "pass_dataset.evaluate", "compare", "--a", passified, "--b", original),
        *("--data", options.labelled, "--resize", options.resize, "--crop", options.crop),
        *("--cache", options.out / "features", "--out", options.out / "page.html"),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
