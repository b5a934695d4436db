"""ncnn's networks as all detectors use them: float32, one thread each, memory that is kept."""

from __future__ import annotations

import tempfile
import threading
from typing import Any

__all__ = ["NcnnMemory", "load_net"]

#: Options of ncnn that would compute with less than float32; not every version has all.
_LOSSY = (
    "use_bf16_packed",
    "use_bf16_storage",
    "use_fp16_arithmetic",
    "use_fp16_packed",
    "use_fp16_storage",
    "use_int8_arithmetic",
    "use_int8_inference",
    "use_int8_packed",
    "use_int8_storage",
)


def load_net(ncnn: Any, text: str, weights: bytes, without: tuple[str, ...] = ()) -> Any:
    """A network in float32, whose runs take one thread each; threads may share it.

    Args:
      ncnn: the module.
      text: the layers, as ncnn reads them.
      weights: theirs.
      without: further options to turn off, where this version has them.

    Raises:
      RuntimeError: ncnn does not read it.
    """
    net = ncnn.Net()
    # Threads of ncnn's own wait in a loop: two of them, where others computed too, took five
    # times the processor time of one.
    net.opt.num_threads = 1
    net.opt.use_vulkan_compute = False
    for name in (*_LOSSY, *without):
        if hasattr(net.opt, name):
            setattr(net.opt, name, False)
    # From memory it would neither copy the weights nor keep them alive.
    with tempfile.NamedTemporaryFile(prefix="pass-dataset-") as file:
        file.write(weights)
        file.flush()
        if net.load_param_mem(text) or net.load_model(file.name):
            raise RuntimeError("ncnn does not read the network")
    return net


class NcnnMemory(threading.local):
    """Memory that ncnn computes in, kept for the next run; of each thread its own.

    What another thread has used lies in another core's cache: on two cores, images took an eighth
    longer in memory that threads shared.
    """

    def __init__(self, ncnn: Any) -> None:
        self.blobs = ncnn.UnlockedPoolAllocator()
        self.workspace = ncnn.UnlockedPoolAllocator()

    def lend(self, extractor: Any) -> None:
        """Has an extractor compute in this memory."""
        extractor.set_blob_allocator(self.blobs)
        extractor.set_workspace_allocator(self.workspace)

    def give_back(self) -> None:
        """Frees what is not in use."""
        self.blobs.clear()
        self.workspace.clear()
