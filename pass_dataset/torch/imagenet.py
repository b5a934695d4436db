"""What networks that saw ImageNet's photographs take: values from 0 to 1, normalised by these."""

from __future__ import annotations

__all__ = ["MEAN", "STANDARD_DEVIATION"]

#: Of red, green and blue. (SwAV's code has 0.228 in the place of the first 0.229.)
MEAN = (0.485, 0.456, 0.406)
STANDARD_DEVIATION = (0.229, 0.224, 0.225)
