"""The ranker `nsfw` beside TensorFlow.js in Node, which the weights were made for.

    npm install @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0 nsfwjs@4.4.0
    python scripts/tools/compare_nsfwjs.py PHOTOGRAPHS --modules . --count 200

Prints the largest difference of any output, and whether the 50 photographs with the highest scores
come in the same order by each class; exits with 1 where they differ by more than 1e-3 or come in
another order. Scores that are nearer to each other than twice the largest difference have no order.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.curate.ranking.rankers.nsfw import NSFW, prepared
from pass_dataset.images.decoding import decode

_TOLERANCE, _TOP = 1e-3, 50


def main() -> None:
    """Compares them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--modules", type=Path, default=Path(), help="folder of node_modules")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    pixels: list[npt.NDArray[np.uint8]] = []
    for path in sorted(options.photographs.rglob("*.jpg")):
        found = decode(path.read_bytes()).pixels if len(pixels) < options.count else None
        if found is not None:
            pixels.append(found)
    ranker = NSFW(RankerSettings())
    names = ranker.columns.names
    ours = np.array([[said[name] for name in names] for said in ranker.rank(pixels)])
    with tempfile.TemporaryDirectory() as folder:
        images, outputs = Path(folder) / "images.raw", Path(folder) / "outputs.json"
        small = [np.round(prepared(one) * 255).astype(np.uint8).tobytes() for one in pixels]
        images.write_bytes(b"".join(small))
        script = Path(__file__).with_name("nsfwjs_outputs.js")
        subprocess.run(["node", script, options.modules, images, outputs], check=True)
        theirs = np.array(json.loads(outputs.read_text()))
    largest = float(np.abs(ours - theirs).max())
    print(f"{len(pixels)} photographs: outputs differ by {largest:.2e} at most")
    same = [_same_order(ours[:, place], theirs[:, place], largest) for place in range(len(names))]
    for name, is_same in zip(names, same, strict=True):
        print(f"{name}: the first {_TOP} come in {'the same' if is_same else 'another'} order")
    sys.exit(0 if largest <= _TOLERANCE and all(same) else 1)


def _same_order(
    ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64], largest: float
) -> bool:
    """Whether the first come in one order, but for those too near each other to have one."""
    first, second = (np.argsort(-scores, kind="stable")[:_TOP] for scores in (ours, theirs))
    return bool((np.abs(theirs[first] - theirs[second]) <= 2 * largest).all())


if __name__ == "__main__":
    main()
