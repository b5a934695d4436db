"""RetinaFace, the face detector that made PASS, at the same scores and many times the speed.

network    the two published networks in PyTorch, and their checkpoints
graph      the same as an ONNX graph, which ONNX Runtime computes several times faster
graph_cache  where that is kept
runtimes   a network that is ready to run: ONNX Runtime or PyTorch, in some precision
boxes      from the network's output to scores and boxes
detector   the detector
"""

from __future__ import annotations

from pass_dataset.passify.detectors.retinaface.detector import RetinaFace

__all__ = ["RetinaFace"]
