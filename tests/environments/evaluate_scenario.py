"""Comparing encoders where nothing but `pass-dataset[evaluate]` is installed.

    python evaluate_scenario.py LABELLED

LABELLED is a folder of labelled photographs. Ten of them are compared by a network that was never
trained and by a checkpoint. Prints what it did as the last line, `ok …`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from checks import check, check_absent, check_installed_plainly


def run(*arguments):
    """Runs the command as it was installed."""
    command = [Path(sys.executable).with_name("pass-evaluate"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def main(labelled):
    check_installed_plainly()
    check_absent("tensorflow", "datasets", "ray", "submitit", "timm", "lightly", "transformers")

    for split, number in (("train", 3), ("test", 2)):
        for name in sorted(path.name for path in (labelled / split).iterdir())[:2]:
            own = Path("few") / split / name
            own.mkdir(parents=True)
            for path in sorted((labelled / split / name).iterdir())[:number]:
                shutil.copyfile(path, own / path.name)

    import torch
    import torchvision

    torch.save(torchvision.models.resnet18().state_dict(), "checkpoint.pt")
    small = ("--resize", 72, "--crop", 64, "--out", "page.html", "--json")
    done = run("compare", "--a", "random:resnet18", "--b", "checkpoint.pt", "--data", "few", *small)
    check(done.returncode, 0, f"pass-evaluate compare: {done.stderr}")
    (told,) = json.loads(done.stdout)["sets"]
    check((told["train"], told["test"], told["classes"]), (6, 4, 2), "photographs")
    check({row["metric"] for row in told["rows"]}, {"NMI", "aRI", "top-1"}, "metrics")
    check("A against B" in Path("page.html").read_text(), True, "the page")
    print("ok", len(told["rows"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
