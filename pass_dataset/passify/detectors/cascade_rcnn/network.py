"""The whole network: images in, detections out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torchvision.ops import batched_nms

from pass_dataset.passify.detectors.cascade_rcnn.backbone import Backbone
from pass_dataset.passify.detectors.cascade_rcnn.boxes import clipped, nonempty
from pass_dataset.passify.detectors.cascade_rcnn.choice import winograd_channels
from pass_dataset.passify.detectors.cascade_rcnn.convolution import Convolutions
from pass_dataset.passify.detectors.cascade_rcnn.frames import Frame
from pass_dataset.passify.detectors.cascade_rcnn.heads import Heads
from pass_dataset.passify.detectors.cascade_rcnn.parameters import PIXEL_MEAN
from pass_dataset.passify.detectors.cascade_rcnn.pooling import AlignedRois, WeightedRows
from pass_dataset.passify.detectors.cascade_rcnn.proposals import Proposals
from pass_dataset.passify.detectors.coco import PERSON
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.settings import Precision
from pass_dataset.torch.inference import inference

__all__ = ["Network", "Regions"]

# TEST.DETECTIONS_PER_IMAGE and ROI_HEADS.NMS_THRESH_TEST of the published configuration.
MAX_DETECTIONS = 100
NMS_IOU = 0.5


class Regions(NamedTuple):
    """What the network knows of the images of a batch, before boxes are chosen.

    Attributes:
      scores: one R×80 float32 for each image.
      boxes: one R×4 float32 for each image, in pixels of the network's input.
    """

    scores: tuple[torch.Tensor, ...]
    boxes: tuple[torch.Tensor, ...]


class Network:
    """The network on one device, in one arithmetic.

    Args:
      parameters: as `parameters.needed_parameters` gives them; not kept.
      device: ``cpu`` or ``cuda:N``.
      precision: arithmetic of convolutions and fully connected layers; all else is float32.
    """

    def __init__(
        self,
        parameters: Mapping[str, np.ndarray[Any, Any]],
        device: str,
        precision: Precision = "float32",
    ) -> None:
        self._device = torch.device(device)
        self._dtype = getattr(torch, precision)
        on_cpu = self._device.type == "cpu" and precision == "float32"
        with torch.inference_mode():
            convolutions = Convolutions(
                parameters,
                self._device,
                self._dtype,
                winograd_channels() if on_cpu else frozenset(),
            )
            self._mean = torch.tensor(PIXEL_MEAN, device=self._device)
            self._backbone = Backbone(convolutions)
            self._proposals = Proposals(convolutions)
            self._heads = Heads(
                convolutions,
                WeightedRows if on_cpu else partial(AlignedRois, dtype=self._dtype),
            )
        if self._device.type == "cuda":
            # What is laid out anew is so before another stream reads it.
            torch.cuda.synchronize(self._device)

    def detect(
        self,
        images: Sequence[np.ndarray[Any, Any]],
        frames: Sequence[Frame],
        store_threshold: float,
    ) -> list[Detections]:
        """Detections of images that are all padded to the same size.

        Args:
          images: H×W×3 uint8, BGR, resized as `frames` say.
          store_threshold: lower scores are left out.
        """
        with inference():
            regions = self.regions(self._batch(images, frames[0].padded), frames)
            return [
                self._detections(scores, boxes, frame, store_threshold)
                for scores, boxes, frame in zip(*regions, frames, strict=True)
            ]

    def _batch(
        self, images: Sequence[np.ndarray[Any, Any]], padded: tuple[int, int]
    ) -> torch.Tensor:
        """Images N×3×H×W without the mean, padded with zeros, `channels_last`."""
        batch = torch.zeros((len(images), *padded, 3), device=self._device)
        for row, image in zip(batch, images, strict=True):
            height, width, _ = image.shape
            pixels = torch.from_numpy(image).to(self._device)
            torch.sub(pixels, self._mean, out=row[:height, :width])
        batch = batch.permute(0, 3, 1, 2)
        return batch.to(self._dtype)

    def regions(self, batch: torch.Tensor, frames: Sequence[Frame]) -> Regions:
        """Scores and boxes of all regions of the images of a batch (N×3×H×W)."""
        pyramid = self._backbone(batch)
        sizes = [(width, height) * 2 for height, width in (frame.resized for frame in frames)]
        limits = torch.tensor(sizes, dtype=torch.float32, device=self._device)
        proposals = self._proposals(pyramid, limits)
        counts = [len(boxes) for boxes in proposals]
        image_of = torch.repeat_interleave(torch.tensor(counts)).to(self._device)
        scores, boxes = self._heads(pyramid[:-1], torch.cat(proposals), image_of, limits[image_of])
        return Regions(torch.split(scores[:, :-1], counts), torch.split(boxes, counts))

    def _detections(
        self, scores: torch.Tensor, boxes: torch.Tensor, frame: Frame, store_threshold: float
    ) -> Detections:
        """The distinct ones of an image's regions, in pixels of the image as it was given."""
        max_score = float(scores[:, PERSON].max()) if len(scores) else 0.0
        region, label = (scores > store_threshold).nonzero().unbind(1)
        score, box = scores[region, label], boxes[region]
        best = batched_nms(box, score, label, NMS_IOU)[:MAX_DETECTIONS]
        # The rest is little, and a GPU would be waited for at each step of it.
        box, score, label = (of_all[best].cpu() for of_all in (box, score, label))
        (height, width), (network_height, network_width) = frame.given, frame.resized
        scale = (width / network_width, height / network_height) * 2
        box = clipped(box * box.new_tensor(scale), box.new_tensor((width, height) * 2))
        sound = nonempty(box)
        return Detections(
            boxes=box[sound].numpy(),
            scores=score[sound].numpy(),
            classes=label[sound].numpy(),
            max_score=max_score,
        )
