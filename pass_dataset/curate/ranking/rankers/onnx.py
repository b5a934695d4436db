"""A network of ONNX, loaded when it is first asked, and images as networks ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.curate.ranking.weights import verified
from pass_dataset.extras import require
from pass_dataset.passify.detectors.weights.files import WeightsFile

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Network", "as_pillow"]


class Network:
    """One input, one output, one image at a time: what it says hangs on no other image."""

    def __init__(self, file: WeightsFile, settings: RankerSettings) -> None:
        """Args:
        file: the network.
        settings: where and how fast.
        """
        self._file = file
        self._settings = settings
        self._session: Any = None

    @property
    def sha256(self) -> str:
        """Of the file, which is looked for and verified.

        Raises:
          WeightsError: it is not there, or another.
        """
        return verified(self._file).sha256

    def __call__(self, batch: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The output for an input, float32."""
        if self._session is None:
            self._session = self._open()
        given = {self._session.get_inputs()[0].name: batch}
        found: np.ndarray[Any, Any] = self._session.run(None, given)[0]
        return found

    def _open(self) -> Any:
        runtime = require("onnxruntime", feature="Ranking", extra="rank")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self._settings.threads
        options.log_severity_level = 3
        # Threads that wait for the next part of a network would otherwise use their core up, which
        # doubles the processor time of small ones.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        if (self._settings.device or "cpu").startswith("cuda"):
            providers.insert(0, "CUDAExecutionProvider")
        return runtime.InferenceSession(
            str(verified(self._file).path), sess_options=options, providers=providers
        )


def as_pillow(pixels: np.ndarray[Any, Any]) -> Image.Image:
    """H×W×3 uint8 in BGR order as Pillow has it.

    Raises:
      MissingExtraError: Pillow is not installed.
    """
    require("PIL", feature="Ranking", extra="rank")
    from PIL import Image

    size = (pixels.shape[1], pixels.shape[0])
    # Read where it is, which takes half the time of a copy: 43 ms of 12 megapixels.
    return Image.frombuffer("RGB", size, np.ascontiguousarray(pixels), "raw", "BGR", 0, 1)
