"""What the tests of views share; without OpenCV they are left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

pytest.importorskip("cv2", reason="needs the extra `views`")

PHOTOGRAPHS = Path(__file__).parents[4] / "shared" / "images"


@pytest.fixture(scope="session")
def photographs() -> list[npt.NDArray[np.uint8]]:
    """Some real photographs, 224×224×3."""
    names = ("astronaut", "china_temple", "flower", "motorcycle")
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("needs real photographs in ../shared/images")
    return [
        np.array(Image.open(PHOTOGRAPHS / f"{name}.jpg").convert("RGB").resize((224, 224)))
        for name in names
    ]
