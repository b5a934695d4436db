"""The weights files that the published code used, and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ALL_WEIGHTS",
    "CASCADE_RCNN",
    "RETINAFACE_MOBILENET",
    "RETINAFACE_RESNET50",
    "WeightsFile",
]


@dataclass(frozen=True)
class WeightsFile:
    """One published weights file.

    Attributes:
      name: what the command line calls it.
      filename: name it is published and cached under.
      used_by: name of the detector.
      licence: of the weights, not of the code that made them.
      source: page to read about it.
      url: where the file itself is, or None if it cannot be fetched.
      size_bytes: exact size, or None if not known.
      sha256: lower-case hexadecimal SHA-256, or None if not known.
      digits: where `sha256` is not known: first digits of the file's MD5 or SHA-256, or None.
      package: that has the file, which is installed with an extra; None: it is in a folder.
    """

    name: str
    filename: str
    used_by: str
    licence: str
    source: str
    url: str | None
    size_bytes: int | None
    sha256: str | None
    digits: str | None = None
    package: str | None = None


#: Repository of PASS, folder ``PASSify/face/weights``.
RETINAFACE_MOBILENET = WeightsFile(
    name="retinaface",
    filename="mobilenet0.25_Final.pth",
    used_by="retinaface",
    licence="MIT",
    source="https://github.com/yukimasano/PASS",
    url=(
        "https://raw.githubusercontent.com/yukimasano/PASS/"
        "e91b4fc9daf219c765ec5816610e76306de0150c/PASSify/face/weights/mobilenet0.25_Final.pth"
    ),
    size_bytes=1_789_735,
    sha256="2979b33ffafda5d74b6948cd7a5b9a7a62f62b949cef24e95fd15d2883a65220",
)

#: Published on a web drive that has no lasting address for the file, and with no hash.
RETINAFACE_RESNET50 = WeightsFile(
    name="retinaface-resnet50",
    filename="Resnet50_Final.pth",
    used_by="retinaface-resnet50",
    licence="MIT",
    source="https://github.com/biubug6/Pytorch_Retinaface",
    url=None,
    size_bytes=None,
    sha256=None,
)

#: detectron2's model zoo. The six digits in its file names begin the MD5 of the file
#: (``MODEL_ZOO.md``, "How to Read the Tables"); of those files of the zoo whose SHA-256 is known,
#: that begins otherwise.
CASCADE_RCNN = WeightsFile(
    name="cascade-rcnn",
    filename="model_final_480dd8.pkl",
    used_by="cascade-rcnn, detectron2",
    licence="CC-BY-SA 3.0",
    source="https://github.com/facebookresearch/detectron2/blob/main/MODEL_ZOO.md",
    url=(
        "https://dl.fbaipublicfiles.com/detectron2/Misc/cascade_mask_rcnn_R_50_FPN_3x/144998488/"
        "model_final_480dd8.pkl"
    ),
    size_bytes=None,
    sha256=None,
    digits="480dd8",
)

ALL_WEIGHTS = (RETINAFACE_MOBILENET, RETINAFACE_RESNET50, CASCADE_RCNN)
