"""What is done to TFDS and Hugging Face `datasets` for them to know `pass` and `pass_mini`.

Neither library is imported here: hooks run when the user imports them, or at once where they are
imported already.
"""

from __future__ import annotations

import functools
import importlib
import logging
import sys
from types import ModuleType
from typing import Any

import wrapt

__all__ = ["register"]

logger = logging.getLogger(__name__)

#: Dataset name to the module of its builder class `Builder`.
TFDS_BUILDERS = {
    "pass": "pass_dataset.tfds.pass_dataset_builder",
    "pass_mini": "pass_dataset.tfds.mini.pass_mini_dataset_builder",
}

#: Dataset name to the module of its builder for `datasets`.
HUGGINGFACE_BUILDERS = {
    "pass": "pass_dataset.huggingface.builder",
    "pass_mini": "pass_dataset.huggingface.mini",
}

#: Part of the folder name of data that `datasets` has prepared. It is no hash of the source, as
#: that of the library's own modules is: not every edit is worth preparing 180 GB again. Change it
#: when the features or the records change.
_HUGGINGFACE_CACHE_KEY = "pass-dataset-1"


def register() -> None:
    """Arranges for both libraries to know the datasets, now or when they are imported."""
    wrapt.register_post_import_hook(_register_with_tfds, "tensorflow_datasets")
    wrapt.register_post_import_hook(
        _wrap_reader_of_tfds, "tensorflow_datasets.core.read_only_builder"
    )
    wrapt.register_post_import_hook(_register_with_datasets, "datasets")
    for name in ("TorchFormatter", "TFFormatter", "JaxFormatter"):
        hook = functools.partial(_wrap_formatter, name=name)
        module = f"datasets.formatting.{name.removesuffix('Formatter').lower()}_formatter"
        wrapt.register_post_import_hook(hook, module)
    # The first of torchvision's own modules to be imported; those after it may end the process.
    wrapt.register_post_import_hook(_warn_of_order, "torchvision.extension")


def _warn_of_order(module: ModuleType) -> None:
    """With TensorFlow first, torchvision's libraries may find others than those they need."""
    if "tensorflow" in sys.modules:
        logger.warning(
            "torchvision is imported after tensorflow: with some of their versions the process "
            "ends here (segmentation fault). Import torchvision first: "
            "`import torchvision, tensorflow`"
        )


class _TfdsProvider:
    """Answers for our names before TFDS's own `pass` is asked for."""

    def has_dataset(self, name: str) -> bool:
        return name in TFDS_BUILDERS

    def get_builder_cls(self, name: str) -> Any:
        return importlib.import_module(TFDS_BUILDERS[name]).Builder


def _register_with_tfds(module: ModuleType) -> None:
    try:
        registered = importlib.import_module("tensorflow_datasets.core.registered")
        registered.add_dataset_builder_provider(_TfdsProvider(), index=0)
    except (ImportError, AttributeError) as error:
        # An import of another library must never fail because of ours.
        logger.warning("this tensorflow_datasets does not take our builders: %s", error)


def _wrap_reader_of_tfds(module: ModuleType) -> None:
    """Removal lists count also for builds that TFDS opens without our builders."""
    try:
        reader = module.ReadOnlyBuilder
        _ = reader._as_dataset, reader.as_data_source
    except AttributeError as error:
        logger.warning("this tensorflow_datasets reads our builds without removal lists: %s", error)
        return

    # Imported with the first read: the module needs TFDS, which is being imported.
    @wrapt.decorator
    def as_dataset(wrapped: Any, builder: Any, args: Any, kwargs: Any) -> Any:
        if not _is_ours(builder):
            return wrapped(*args, **kwargs)
        return _kept().read_examples(wrapped, builder, *args, **kwargs)

    @wrapt.decorator
    def as_data_source(wrapped: Any, builder: Any, args: Any, kwargs: Any) -> Any:
        found = wrapped(*args, **kwargs)
        if not _is_ours(builder):
            return found
        return _kept().read_source(found, builder)

    reader._as_dataset = as_dataset(reader._as_dataset)
    reader.as_data_source = as_data_source(reader.as_data_source)


def _kept() -> Any:
    return importlib.import_module("pass_dataset.tfds.kept")


def _is_ours(builder: Any) -> bool:
    return str(builder.__module__).startswith("pass_dataset.") and builder.name in TFDS_BUILDERS


def _register_with_datasets(module: ModuleType) -> None:
    # Many projects have a `datasets` of their own.
    if not hasattr(module, "load_dataset"):
        return
    try:
        packaged = importlib.import_module("datasets.packaged_modules")
        load = importlib.import_module("datasets.load")
        names = packaged._PACKAGED_DATASETS_MODULES
        for name, builder in HUGGINGFACE_BUILDERS.items():
            names[name] = (builder, _HUGGINGFACE_CACHE_KEY)
        load.PackagedDatasetModuleFactory.get_module = _without_data_files(
            load.PackagedDatasetModuleFactory.get_module
        )
    except (ImportError, AttributeError) as error:
        logger.warning("this version of datasets does not take our builders: %s", error)


def _wrap_formatter(module: ModuleType, name: str) -> None:
    """Dates go into tensors; see `pass_dataset.huggingface.dates`."""
    try:
        formatter = getattr(module, name)
        formatter._tensorize = _with_dates(formatter._tensorize)
    except AttributeError as error:
        logger.warning("this version of datasets makes no tensors of dates: %s", error)


@wrapt.decorator
def _with_dates(wrapped: Any, formatter: Any, args: Any, kwargs: Any) -> Any:
    try:
        return wrapped(*args, **kwargs)
    except (TypeError, ValueError, RuntimeError):
        # Only what the library cannot do itself is done here.
        dates = importlib.import_module("pass_dataset.huggingface.dates")
        (value,) = args
        if not dates.is_date(value):
            raise
    if type(formatter).__name__ == "JaxFormatter":
        return value
    return wrapped(dates.microseconds(value), **kwargs)


@wrapt.decorator
def _without_data_files(wrapped: Any, factory: Any, args: Any, kwargs: Any) -> Any:
    """For our names, leaves out the search for data files.

    The library's own packaged modules are readers of files of some format: for them it lists the
    working folder, however large, and fails where that is empty. Ours know where their data is.
    """
    if factory.name not in HUGGINGFACE_BUILDERS:
        return wrapped(*args, **kwargs)
    if getattr(factory, "data_files", None) is not None:
        raise ValueError(
            f"data_files= is not taken for {factory.name!r}, which knows its files. Name the "
            "folder of the archives with data_dir=, tars with parts=, a collection of your own "
            "with release=; files of another format are read by 'parquet' or 'webdataset'"
        )
    from datasets.data_files import DataFilesDict
    from datasets.load import DatasetModule

    # Not None, which would be refused as forgotten data files.
    builder_kwargs = {"data_files": DataFilesDict(), "dataset_name": factory.name}
    return DatasetModule(HUGGINGFACE_BUILDERS[factory.name], _HUGGINGFACE_CACHE_KEY, builder_kwargs)
