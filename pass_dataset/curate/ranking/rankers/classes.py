"""Classes, by classifiers of torchvision, timm, or the Hugging Face Hub.

What follows the library's name is a model's name, for which the library fetches its own weights;
``torchvision:NAME@FILE`` and ``timm:NAME@FILE`` take a file of weights in their place. Of
``transformers:`` it is OWNER/NAME[@REVISION], or a folder. They see what the library's own
preprocessing makes of the image.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pass_dataset.curate.ranking.ranker import RankerSettings
from pass_dataset.curate.ranking.rankers.onnx import as_pillow
from pass_dataset.errors import CurationError, MissingExtraError, WeightsError
from pass_dataset.extras import require

__all__ = ["Classifier", "timm", "torchvision", "transformers"]

#: Classes that are stored of an image.
_STORED = 5
_CLASS = pa.struct([("name", pa.string()), ("share", pa.float32())])

#: A network of torch, what makes its input of an image of Pillow's, and the names of its classes.
_Opened = tuple[Any, Callable[[Any], Any], Sequence[str]]


class Classifier:
    """A `Ranker` that ranks nothing: the first class and its share, and the first five."""

    columns = pa.schema(
        [
            pa.field("class_name", pa.string()),
            pa.field("class_share", pa.float32()),
            pa.field("classes", pa.list_(_CLASS)),
        ]
    )

    def __init__(self, opens: Callable[[], _Opened], settings: RankerSettings) -> None:
        """Args:
        opens: loads the network.
        settings: where and how fast.
        """
        self._opens = opens
        self._settings = settings
        self._opened: _Opened | None = None

    def _network(self) -> _Opened:
        if self._opened is None:
            # First: what is missing of it is more than torch.
            network, prepare, names = self._opens()
            torch = require("torch", feature="Classes", extra="torch")
            torch.set_num_threads(self._settings.threads)
            self._opened = network.eval().to(self._settings.device or "cpu"), prepare, names
        return self._opened

    @property
    def identity(self) -> str:
        """Of the weights as they were loaded, as libraries store them in several ways."""
        network, _, names = self._network()
        digest = hashlib.sha256("\n".join(names).encode())
        for name, tensor in sorted(network.state_dict().items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(tensor.cpu().numpy()).tobytes())
        return f"1 {digest.hexdigest()}"

    def rank(self, images: Sequence[np.ndarray[Any, Any]]) -> Sequence[Mapping[str, Any]]:
        import torch  # of an extra

        # Torch comes with it.
        from pass_dataset.torch.inference import inference

        network, prepare, names = self._network()
        said: list[Mapping[str, Any]] = []
        for pixels in images:
            batch = prepare(as_pillow(pixels))[None].to(self._settings.device or "cpu")
            with inference():
                found = network(batch)
                logits = getattr(found, "logits", found)[0].float()
            shares = torch.softmax(logits, 0).cpu().numpy()
            first = np.argsort(-shares, kind="stable")[:_STORED]
            classes = [{"name": names[place], "share": float(shares[place])} for place in first]
            said.append(
                {
                    "class_name": classes[0]["name"],
                    "class_share": classes[0]["share"],
                    "classes": classes,
                }
            )
        return said


def torchvision(model: str, settings: RankerSettings) -> Classifier:
    """A classifier of torchvision, with its best weights."""

    def opens() -> _Opened:
        models = require("torchvision.models", feature="torchvision:", extra="torch")
        name, _, file = model.partition("@")
        try:
            weights = models.get_model_weights(name).DEFAULT
        except ValueError as error:
            raise CurationError(f"torchvision:{model}: {error}") from error
        categories = weights.meta.get("categories")
        if categories is None:
            raise CurationError(f"torchvision:{model}: expected a classifier, found none")
        network = models.get_model(name, weights=None)
        if file:
            _load(network, file)
        else:
            try:
                state = weights.get_state_dict(progress=False, check_hash=True)
            except (OSError, RuntimeError) as error:
                raise _not_fetched(f"torchvision:{model}", error) from error
            network.load_state_dict(state)
        return network, weights.transforms(), categories

    return Classifier(opens, settings)


def timm(model: str, settings: RankerSettings) -> Classifier:
    """A classifier of timm, of those for ImageNet."""

    def opens() -> _Opened:
        try:
            library, data = map(importlib.import_module, ("timm", "timm.data"))
        except ModuleNotFoundError as error:
            if error.name != "timm":
                raise
            raise MissingExtraError(
                "timm: needs the package 'timm', which no extra brings. Install it with: "
                "pip install timm",
                name="timm",
            ) from error
        name, _, file = model.partition("@")
        try:
            network = library.create_model(name, pretrained=not file)
        except RuntimeError as error:
            raise CurationError(f"timm:{model}: {error}") from error
        except OSError as error:
            raise _not_fetched(f"timm:{model}", error) from error
        if file:
            _load(network, file)
        prepare = data.create_transform(
            **data.resolve_data_config(network.pretrained_cfg, model=network), is_training=False
        )
        subset = data.infer_imagenet_subset(network)
        if subset is None:
            raise CurationError(f"timm:{model}: its classes have no names in timm")
        names = data.ImageNetInfo(subset)
        return network, prepare, [names.index_to_description(n) for n in range(network.num_classes)]

    return Classifier(opens, settings)


def transformers(model: str, settings: RankerSettings) -> Classifier:
    """A classifier of the Hugging Face Hub, or of a folder. Code of the model's own is not run."""

    def opens() -> _Opened:
        library = require("transformers", feature="transformers:", extra="transformers")
        name, _, revision = (model, "", "") if Path(model).is_dir() else model.partition("@")
        options = {"revision": revision} if revision else {}
        try:
            processor = library.AutoImageProcessor.from_pretrained(name, **options)
            network = library.AutoModelForImageClassification.from_pretrained(
                name, use_safetensors=True, **options
            )
        except (OSError, ValueError) as error:
            raise CurationError(f"transformers:{model}: cannot be loaded: {error}") from error

        def prepare(image: Any) -> Any:
            return processor(images=image, return_tensors="pt")["pixel_values"][0]

        labels = network.config.id2label
        return network, prepare, [labels[number] for number in range(len(labels))]

    return Classifier(opens, settings)


def _not_fetched(name: str, error: Exception) -> WeightsError:
    return WeightsError(
        f"{name}: its weights cannot be fetched: {error}. Try again where there is a network, or "
        f"name a file of them: {name}@FILE"
    )


def _load(network: Any, file: str) -> None:
    """Gives a network the weights of a file, of which nothing is run.

    Raises:
      WeightsError: it cannot be read, or is of another network.
    """
    # Torch comes with it.
    from pass_dataset.torch.checkpoints import read_checkpoint

    state = read_checkpoint(Path(file))
    try:
        network.load_state_dict(state)
    except Exception as error:  # torch's own, and what a network of whatever library says
        raise WeightsError(
            f"{file}: expected weights of this network, as torch.save writes its state_dict(); "
            f"found: {error}"
        ) from error
