"""Importing the filter costs nothing until it works."""

from __future__ import annotations

import subprocess
import sys


def test_import_loads_nothing_heavy() -> None:
    code = (
        "import sys; import pass_dataset.passify, pass_dataset.images, "
        "pass_dataset.passify.detectors.retinaface, pass_dataset.passify.detectors.weights; "
        "print(sorted({'torch', 'onnxruntime', 'onnx', 'PIL', 'numpy', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
