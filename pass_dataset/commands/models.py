"""`pass-dataset models`: the encoders that were pretrained on PASS, and checkpoints converted."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pass_dataset.commands.arguments import add_json
from pass_dataset.commands.command_line import print_json
from pass_dataset.commands.parser import CommandParser, examples
from pass_dataset.evaluate.models.published import PUBLISHED, PublishedModel, published
from pass_dataset.progress import on_terminal

if TYPE_CHECKING:
    from pass_dataset.passify.detectors.weights.store import WeightsState

__all__ = ["add_arguments"]


def add_arguments(parser: CommandParser) -> None:
    """Adds the arguments of the command."""
    parser.epilog = examples(
        "pass-dataset models",
        "pass-dataset models moco_v2_200ep --fetch --dir weights/",
        "pass-dataset models convert moco_v2_200ep --to detectron2 --out moco.pkl",
    )
    parser.add_argument(
        "names",
        metavar="NAME",
        nargs="*",
        help="only these (default: all); or convert, and a model or checkpoint",
    )
    parser.add_argument(
        "--dir",
        metavar="DIR",
        type=Path,
        help="folder to look at and to fetch into (default: $PASS_WEIGHTS_DIR, else the cache)",
    )
    parser.add_argument("--fetch", action="store_true", help="fetch what is missing, verified")
    parser.add_argument(
        "--to", choices=("detectron2", "torchvision"), help="names that convert gives the weights"
    )
    parser.add_argument("--out", metavar="FILE", type=Path, help="file that convert writes")
    parser.add_argument("--net", help="network of a checkpoint (default: the one that fits)")
    add_json(parser)

    def check(options: argparse.Namespace) -> None:
        converts = options.names[:1] == ["convert"]
        if converts and (len(options.names) != 2 or not options.to or not options.out):
            parser.error("convert needs a model or checkpoint, --to and --out")
        if not converts and (options.to or options.out):
            parser.error("--to and --out are for: convert MODEL")

    parser.checks.append(check)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from pass_dataset.passify.detectors.weights.store import examine, weights_folder

    if options.names[:1] == ["convert"]:
        return _convert(options)
    models = [published(name) for name in options.names] or list(PUBLISHED)
    folder = options.dir or weights_folder()
    if options.fetch:
        from pass_dataset.evaluate.models.store import find_published

        with on_terminal() as progress:
            for model in models:
                find_published(model, folder, progress=progress)
    found = [(model, examine(model.file, folder)) for model in models]
    if options.json:
        print_json([_as_json(model, state) for model, state in found])
    else:
        for model, state in found:
            print(_as_text(model, state))
    return 1 if any(state.state == "wrong" for _, state in found) else 0


def _convert(options: argparse.Namespace) -> int:
    import io

    import torch

    from pass_dataset.evaluate.models import load
    from pass_dataset.evaluate.models.detectron2 import convert_to_detectron2
    from pass_dataset.files.whole import write_whole

    with on_terminal() as progress:
        module = load(options.names[1], net=options.net, folder=options.dir, progress=progress)
    if options.to == "detectron2":
        convert_to_detectron2(module, options.out)
    else:
        buffer = io.BytesIO()
        torch.save(module.state_dict(), buffer)
        write_whole(options.out, buffer.getvalue())
    print(f"{options.out}: written, with {options.to}'s names")
    return 0


def _as_json(model: PublishedModel, state: WeightsState) -> dict[str, object]:
    return {
        **asdict(model),
        "url": model.url,
        "licence": model.file.licence,
        "path": str(state.path),
        "state": state.state,
        "found_sha256": state.sha256,
    }


def _as_text(model: PublishedModel, state: WeightsState) -> str:
    notes = "".join(f"\n    note     {note}" for note in model.notes)
    hashed = f" (SHA-256 {state.sha256})" if state.sha256 else ""
    return (
        f"{model.name}  {model.method}, {model.net}, {model.epochs} epochs; linear layer: "
        f"ImageNet-1k {model.imagenet:.1f}, Places205 {model.places:.1f}\n"
        f"    source   {model.url}\n"
        f"    licence  {model.file.licence}{notes}\n"
        f"    {state.state:8} {state.path}{hashed}"
    )
