"""Any object detector of torchvision with a class of people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from pass_dataset.errors import DetectorError, WeightsError
from pass_dataset.extras import require
from pass_dataset.images.outcomes import ImageReader
from pass_dataset.passify.detectors.batches import like_batches
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.libraries.boxes import STORE_THRESHOLD, as_detections
from pass_dataset.passify.detectors.libraries.labels import person_classes
from pass_dataset.passify.detectors.settings import DetectorSettings, Target
from pass_dataset.passify.detectors.torch_setup import check_images, float32_only, prepare_torch
from pass_dataset.passify.detectors.weights.files import WeightsFile
from pass_dataset.passify.detectors.weights.store import VerifiedWeights, resolve

__all__ = ["TorchvisionDetector"]

CUDA_BATCH_SIZE = 16

#: Models make no boxes of lower scores.
LOWEST_SCORE = 0.01

#: Models whose first weights were trained with batch norms that add nothing to the variance;
#: torchvision sets it to 0 for just these.
_WITHOUT_EPSILON = frozenset(
    (
        "FasterRCNN_ResNet50_FPN_Weights.COCO_V1",
        "MaskRCNN_ResNet50_FPN_Weights.COCO_V1",
        "KeypointRCNN_ResNet50_FPN_Weights.COCO_V1",
        "RetinaNet_ResNet50_FPN_Weights.COCO_V1",
    )
)


class TorchvisionDetector:
    """A detection model of torchvision with the weights that torchvision has as its default.

    It computes in float32. `Detections.max_score` is 0.0 where no person has a score over 0.01.

    Args:
      model_name: as `torchvision.models.list_models` has it: ``fasterrcnn_resnet50_fpn_v2`` …
      settings: how it runs; `weights` names a file with another state of the same model.
    """

    target: Target = "person"
    image_reader: ImageReader = "pillow"
    store_threshold = STORE_THRESHOLD

    def __init__(self, model_name: str, settings: DetectorSettings | None = None) -> None:
        self.model_name = model_name
        self.settings = settings or DetectorSettings()
        self._resolved: VerifiedWeights | None = None
        self._loaded: tuple[Any, str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.model_name, self.settings)

    @property
    def name(self) -> str:
        return f"torchvision:{self.model_name}"

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(self._published().meta["categories"])

    @property
    def weights_sha256(self) -> str:
        return self._weights().sha256

    def detect(self, images: Sequence[np.ndarray[Any, Any]]) -> list[Detections]:
        """Detections of each image (H×W×3 uint8, BGR), in order.

        Raises:
          MissingExtraError: torch or torchvision is not installed.
          DetectorError: torchvision has no such detector, or it has no class of people.
          WeightsError: the weights are missing, wrong or unsafe.
        """
        check_images(images)
        if self._loaded is None:
            self._loaded = self._load()
        model, device = self._loaded
        people = person_classes(self.class_names, self.name)
        batch_size = self.settings.batch_size or (1 if device == "cpu" else CUDA_BATCH_SIZE)
        found: dict[int, Detections] = {}
        for batch in like_batches([image.shape for image in images], batch_size):
            answers = _detect(model, device, [images[position] for position in batch])
            for position, answer in zip(batch, answers, strict=True):
                found[position] = as_detections(
                    answer["boxes"], answer["scores"], answer["labels"], people
                )
        return [found[position] for position in range(len(images))]

    def _published(self) -> Any:
        """What torchvision says of the model's default weights."""
        feature = f"The detector {self.name}"
        require("torch", feature=feature, extra="passify")
        models = require("torchvision.models", feature=feature, extra="passify")
        known = models.list_models(module=models.detection)
        if self.model_name not in known:
            raise DetectorError(
                f"{self.name}: expected a detection model of torchvision "
                f"({', '.join(sorted(known))}), found {self.model_name!r}"
            )
        return models.get_model_weights(self.model_name).DEFAULT

    def _weights(self) -> VerifiedWeights:
        if self._resolved is None:
            self._resolved = resolve(_weights_file(self._published()), self.settings)
        return self._resolved

    def _load(self) -> tuple[Any, str]:
        device = prepare_torch(self.settings, f"The detector {self.name}")
        float32_only(self.settings, self.name)
        import torch
        from torchvision import models

        person_classes(self.class_names, self.name)
        published = self._published()
        model = models.get_model(
            self.model_name,
            weights=None,
            weights_backbone=None,
            num_classes=len(published.meta["categories"]),
        )
        if str(published) in _WITHOUT_EPSILON:
            for module in model.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.eps = 0.0
        _fill(model, self._weights())
        # A lower score suppresses no higher one, so this adds boxes and changes none.
        (model.roi_heads if hasattr(model, "roi_heads") else model).score_thresh = LOWEST_SCORE
        return model.eval().to(device), device


def _weights_file(published: Any) -> WeightsFile:
    """torchvision's default weights as one of our files; names end in digits of their SHA-256."""
    filename = published.url.rpartition("/")[2]
    digits = re.search(r"-([0-9a-f]{8})\.pth$", filename)
    return WeightsFile(
        name=str(published),
        filename=filename,
        used_by="torchvision",
        licence="BSD 3-Clause",
        source=published.meta.get("recipe", "https://github.com/pytorch/vision"),
        url=published.url,
        size_bytes=None,
        sha256=None,
        digits=digits[1] if digits else None,
    )


def _fill(model: Any, verified: VerifiedWeights) -> None:
    # Torch comes with it.
    from pass_dataset.torch.checkpoints import read_checkpoint

    state = read_checkpoint(verified.path)
    try:
        missing, unexpected = model.load_state_dict(state, strict=False)
    except (RuntimeError, TypeError) as error:
        raise WeightsError(
            f"{verified.path}: expected the state of {type(model).__name__}: {error}"
        ) from error
    # Published states have frozen batch norms, which count no batches; counts are for training.
    wrong = [name for name in missing if not name.endswith("num_batches_tracked")] + unexpected
    if wrong:
        raise WeightsError(
            f"{verified.path}: expected the state of {type(model).__name__}, found another: "
            f"{', '.join(wrong[:5])} missing or unknown"
        )


def _detect(
    model: Any, device: str, images: Sequence[np.ndarray[Any, Any]]
) -> list[dict[str, Any]]:
    import torch

    # Torch comes with it.
    from pass_dataset.torch.inference import inference

    inputs = [
        # BGR to RGB, 0 to 1
        torch.from_numpy(image[:, :, ::-1].copy()).to(device).permute(2, 0, 1).float().div_(255)
        for image in images
    ]
    with inference():
        answers: list[dict[str, Any]] = model(inputs)
    return answers
