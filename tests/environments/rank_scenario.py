"""Ranking where nothing but `pass-dataset[rank]` is installed.

    python rank_scenario.py IMAGES

IMAGES is the folder of test images. Prints what it did as the last line, `ok …`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from checks import check, check_absent, check_installed_plainly

PHOTOGRAPHS = (
    "astronaut", "chelsea_cat", "china_temple", "coffee", "coins", "exif_orientation_6", "flower",
    "gray", "motorcycle", "rocket",
)  # fmt: skip
SCORES = ["nsfw", "text", "plate", "email", "telephone", "web", "name"]


def run(*arguments):
    """Runs the command as it was installed."""
    command = [Path(sys.executable).with_name("pass-curate"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def main(images):
    check_installed_plainly()
    check_absent("tensorflow", "datasets", "ray", "submitit", "torch", "timm", "transformers")
    source = Path("photographs")
    source.mkdir()
    for name in PHOTOGRAPHS:
        shutil.copyfile(images / f"{name}.jpg", source / f"{name}.jpg")

    done = run("rank", source, "--out", "ranking", "--rankers", "opennsfw,text", "--workers", 1)
    check(done.returncode, 0, f"pass-curate rank: {done.stderr}")
    check(done.stdout.splitlines()[0], "10 images: 10 have scores", "what was said")
    check(run("top", "ranking").stdout.split(), SCORES, "scores")
    for name in SCORES:
        done = run("top", "ranking", "--by", name, "--json")
        check(done.returncode, 0, f"pass-curate top: {done.stderr}")
        found = {entry["image"]: entry["score"] for entry in json.loads(done.stdout)}
        check(sorted(found), [f"{name}.jpg" for name in PHOTOGRAPHS], f"images by {name}")
        check(all(0 <= score <= 1 for score in found.values()), True, f"{name}: {found}")
    done = run("top", "ranking", "--by", "nsfw", "-n", 5, "--sheet", "sheet.html")
    check(Path("sheet.html").read_text().count("<figure>"), 5, f"images on a sheet {done.stderr}")

    # What is not here says how it would come here.
    asked = {"torchvision:resnet18": "'pass-dataset[torch]'", "timm:resnet18": "timm",
             "transformers:a/b": "'pass-dataset[transformers]'"}  # fmt: skip
    for model, extra in asked.items():
        done = run("rank", source, "--out", "classes", "--classes", model)
        check(done.returncode, 1, f"--classes {model}: {done.stderr}")
        check(f"pip install {extra}" in done.stderr, True, f"{extra} in {done.stderr!r}")
    print("ok", len(PHOTOGRAPHS))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
