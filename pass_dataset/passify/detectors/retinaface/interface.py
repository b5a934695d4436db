"""What goes into the graphs of the network and comes out, by name and number."""

from __future__ import annotations

__all__ = ["INPUT_NAME", "MEAN_BGR", "OUTPUT_NAMES"]

INPUT_NAME = "image"
#: Of the outputs at strides 8, 16 and 32, where they have names.
OUTPUT_NAMES = ("fine", "middle", "coarse")

#: Subtracted from the pixels, which are not scaled (published code, ``main_face_detector.py``).
MEAN_BGR = (104, 117, 123)
