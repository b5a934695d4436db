"""Any object detector of transformers with a class of people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pass_dataset.errors import DetectorError, MissingExtraError, WeightsError
from pass_dataset.extras import require
from pass_dataset.files.hashing import read_blocks
from pass_dataset.images.outcomes import ImageReader
from pass_dataset.passify.detectors.batches import like_batches
from pass_dataset.passify.detectors.detections import Detections
from pass_dataset.passify.detectors.libraries.boxes import STORE_THRESHOLD, as_detections
from pass_dataset.passify.detectors.libraries.labels import person_classes
from pass_dataset.passify.detectors.settings import DetectorSettings, Target
from pass_dataset.passify.detectors.torch_setup import check_images, float32_only, prepare_torch
from pass_dataset.shown import shown

__all__ = ["TransformersDetector"]

EXTRA = "transformers"
CUDA_BATCH_SIZE = 16

#: What a model needs: no pickles, and no code.
_WANTED = ["*.json", "*.safetensors"]
_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_CONFIG = "config.json"
#: Weights that transformers adds to a model's where it finds them (with the package peft).
_ADAPTERS = ("adapter_config.json", "adapter_model.safetensors")


@dataclass(frozen=True)
class _Loaded:
    model: Any
    processor: Any
    device: str


class TransformersDetector:
    """A model of the Hugging Face Hub, or of a folder in the same layout.

    Only safetensors files are read, and no code of the repository is run. It computes in float32.

    Args:
      model_id: ``owner/name``, ``owner/name@revision`` to have the same model for ever, or the
        path of a folder.
      settings: how it runs.
    """

    target: Target = "person"
    image_reader: ImageReader = "pillow"
    store_threshold = STORE_THRESHOLD

    def __init__(self, model_id: str, settings: DetectorSettings | None = None) -> None:
        self.model_id = model_id
        self.settings = settings or DetectorSettings()
        self._folder_found: Path | None = None
        self._hash: str | None = None
        self._names: tuple[str, ...] | None = None
        self._loaded: _Loaded | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.model_id, self.settings)

    @property
    def name(self) -> str:
        return f"transformers:{self.model_id}"

    @property
    def class_names(self) -> tuple[str, ...]:
        if self._names is None:
            transformers = self._require("transformers")
            try:
                config = transformers.AutoConfig.from_pretrained(
                    self._folder(), local_files_only=True, trust_remote_code=False
                )
            except (OSError, ValueError) as error:
                raise self._unknown(error) from error
            labels = {int(position): str(name) for position, name in config.id2label.items()}
            count = max(labels, default=-1) + 1
            self._names = tuple(labels.get(position, "") for position in range(count))
        return self._names

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the safetensors file; of several, that of what `sha256sum` prints of them."""
        if self._hash is None:
            hashes = [f"{_sha256(path)}  {path.name}\n" for path in self._weights_files()]
            whole = hashlib.sha256("".join(hashes).encode()).hexdigest()
            self._hash = hashes[0].split()[0] if len(hashes) == 1 else whole
            asked = self.settings.weights_sha256
            if asked is not None and asked.lower() != self._hash:
                found, self._hash = self._hash, None
                raise WeightsError(
                    f"{self._folder()}: expected weights with SHA-256 {asked.lower()}, found "
                    f"{found}; they were not read"
                )
        return self._hash

    def detect(self, images: Sequence[np.ndarray[Any, Any]]) -> list[Detections]:
        """Detections of each image (H×W×3 uint8, BGR), in order.

        Raises:
          MissingExtraError: a package that the model needs is not installed.
          DetectorError: it is no object detector, or has no class of people.
          WeightsError: its weights are not there as safetensors.
        """
        check_images(images)
        if self._loaded is None:
            self._loaded = self._load()
        people = person_classes(self.class_names, self.name)
        batch_size = self.settings.batch_size or (
            1 if self._loaded.device == "cpu" else CUDA_BATCH_SIZE
        )
        found: dict[int, Detections] = {}
        for batch in like_batches([image.shape for image in images], batch_size):
            try:
                answers = _detect(self._loaded, [images[position] for position in batch])
            except ValueError as error:  # of the processor
                height, width, _ = images[batch[0]].shape
                raise DetectorError(
                    f"{self.name} does not take images of {height}×{width} pixels: {error}"
                ) from error
            for position, answer in zip(batch, answers, strict=True):
                found[position] = as_detections(
                    answer["boxes"], answer["scores"], answer["labels"], people
                )
        return [found[position] for position in range(len(images))]

    def _require(self, module: str) -> Any:
        return require(module, feature=f"The detector {self.name}", extra=EXTRA)

    def _unknown(self, error: Exception) -> DetectorError:
        return DetectorError(
            f"{self.name}: expected an object detector that transformers knows without code of "
            f"the model's own: {error}"
        )

    def _folder(self) -> Path:
        """Where the model's files are; fetches them if need be."""
        if self._folder_found is None:
            if self.settings.weights is not None:
                raise DetectorError(
                    f"{self.name}: weights cannot be set apart from the model; name the folder "
                    "that has them: transformers:FOLDER"
                )
            local = Path(self.model_id).expanduser()
            self._folder_found = local if local.is_dir() else self._fetch()
        return self._folder_found

    def _fetch(self) -> Path:
        hub = self._require("huggingface_hub")
        repository, _, revision = self.model_id.partition("@")
        try:
            return Path(
                hub.snapshot_download(repository, revision=revision or None, allow_patterns=_WANTED)
            )
        # Bad names, absent repositories, no network: the library has an exception for each.
        except (OSError, ValueError) as error:
            raise DetectorError(
                f"{self.name}: expected a folder or a model of the Hugging Face Hub, and could "
                f"not get it: {error}"
            ) from error

    def _weights_files(self) -> list[Path]:
        folder = self._folder()
        self._refuse_other_weights(folder)
        names = [_WEIGHTS]
        # As transformers itself chooses: the file that has all, where there is one.
        if not (folder / _WEIGHTS).is_file() and (folder / _INDEX).is_file():
            names = _parts(folder / _INDEX)
        paths = [folder / name for name in names]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise WeightsError(
                f"{folder}: expected the weights as {', '.join(missing)}, found none; other "
                "formats are not read, as they can run code"
            )
        return paths

    def _refuse_other_weights(self, folder: Path) -> None:
        """Sees that transformers loads the file whose hash is taken, and none beside it.

        Raises:
          WeightsError: the folder has it load another one.
        """
        named = _read_json(folder / _CONFIG).get("transformers_weights")
        other = next((folder / name for name in _ADAPTERS if (folder / name).exists()), None)
        if named not in (None, _WEIGHTS):
            raise WeightsError(
                f"{folder / _CONFIG}: has transformers load {shown(named)} and not {_WEIGHTS}, "
                "whose hash is kept; use a folder without transformers_weights"
            )
        if other is not None:
            raise WeightsError(
                f"{other}: has transformers load an adapter beside {_WEIGHTS}, whose hash is "
                "kept; merge it into the model and save that"
            )

    def _load(self) -> _Loaded:
        device = prepare_torch(self.settings, f"The detector {self.name}", EXTRA)
        transformers = self._require("transformers")
        self._require("PIL.Image")
        float32_only(self.settings, self.name)
        person_classes(self.class_names, self.name)
        _ = self.weights_sha256  # verified before it is read
        try:
            safely = {"local_files_only": True, "trust_remote_code": False}
            processor = transformers.AutoImageProcessor.from_pretrained(self._folder(), **safely)
            model = transformers.AutoModelForObjectDetection.from_pretrained(
                self._folder(), use_safetensors=True, **safely
            )
        except ImportError as error:
            raise MissingExtraError(
                f"{self.name} needs a further package: {str(error).strip()}"
            ) from error
        except (OSError, ValueError) as error:
            raise self._unknown(error) from error
        if not hasattr(processor, "post_process_object_detection"):
            raise DetectorError(f"{self.name}: its processor does not give boxes")
        return _Loaded(model.float().to(device).eval(), processor, device)


def _parts(index: Path) -> list[str]:
    """The files that an index of several names.

    Raises:
      WeightsError: it names none, or one that is not beside it.
    """
    parts = _read_json(index).get("weight_map")
    names = set(parts.values()) if isinstance(parts, dict) else set()
    wrong = [name for name in names if not isinstance(name, str) or Path(name).name != name]
    if wrong or not names:
        found = shown(wrong[0]) if wrong else "none"
        raise WeightsError(f"{index}: expected names of files beside it, found {found}")
    return sorted(names)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("no object")
    except FileNotFoundError:
        return {}  # transformers says it better
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: cannot be read: {error}") from error
    return content


def _detect(loaded: _Loaded, images: Sequence[np.ndarray[Any, Any]]) -> list[dict[str, Any]]:
    import torch

    # Torch comes with it.
    from pass_dataset.torch.inference import inference

    inputs = loaded.processor(
        images=[image[:, :, ::-1].copy() for image in images],  # BGR to RGB
        input_data_format="channels_last",
        return_tensors="pt",
    ).to(loaded.device)
    with inference():
        outputs = loaded.model(**inputs)
    sizes = torch.tensor([image.shape[:2] for image in images])
    answers: list[dict[str, Any]] = loaded.processor.post_process_object_detection(
        outputs, threshold=0.0, target_sizes=sizes.to(loaded.device)
    )
    return answers


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for block in read_blocks(path):
        digest.update(block)
    return digest.hexdigest()
