"""Both detectors where nothing but `pass-dataset[passify]` is installed.

    python passify_scenario.py SHARED CASCADE_WEIGHTS

SHARED has images, weights and golden data. Prints what it did as the last line, `ok …`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from checks import check, check_absent, check_installed_plainly

#: One with faces, and the smallest ones with people and without either.
IMAGES = {"astronaut.jpg": "face", "motorcycle.jpg": "person", "chelsea_cat.jpg": None}


def run(*arguments):
    """Runs the command as it was installed."""
    command = [Path(sys.executable).with_name("passify"), "run", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def main(shared, cascade_weights):
    check_installed_plainly()
    check_absent("tensorflow", "tensorflow_datasets", "datasets", "ray", "submitit", "transformers")
    Path("list.txt").write_text("".join(f"{name}\n" for name in IMAGES))
    weights = ("--face-weights", shared / "weights" / "mobilenet0.25_Final.pth")
    weights += ("--person-weights", cascade_weights)
    collection = ("list.txt", "--root", shared / "images", *weights)

    done = run(*collection, "--out", "run", "--workers", "1")
    check(done.returncode, 0, f"passify run: {done.stderr}")
    check(Path("run/kept.txt").read_text(), "chelsea_cat.jpg\n", "kept")

    from pass_dataset.passify.runs.results import Results
    from pass_dataset.passify.runs.run_folder import RunFolder

    (rows,) = (table.to_pylist() for table in Results(RunFolder("run")).tables())
    check({row["path"]: row["reason"] for row in rows}, IMAGES, "verdicts")
    golden = {
        name: json.loads((shared / "golden" / f"{name}.json").read_text())
        for name in ("retinaface_mobilenet025", "cascade_rcnn_detections")
    }
    for row in rows:
        face = golden["retinaface_mobilenet025"][row["path"]]["max_score"]
        check(abs(row["face_max_score"] - face) < 1e-4, True, f"face score of {row['path']}")
        if row["reason"] != "face":
            expected = golden["cascade_rcnn_detections"]["images"][row["path"]]
            off = abs(row["person_max_score"] - expected["max_person_score"])
            check(off < 1e-3, True, f"person score of {row['path']}")

    # What is not here says how it would come here.
    for executor in ("ray", "slurm"):
        done = run(*collection, "--out", executor, "--executor", executor)
        check(done.returncode, 1, f"--executor {executor}: {done.stderr}")
        line = f"pip install 'pass-dataset[{executor}]'"
        check(line in done.stderr.splitlines()[-1], True, f"{line} in {done.stderr!r}")
    print("ok", *(row["reason"] for row in rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
