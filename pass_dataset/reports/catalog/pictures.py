"""Pictures of the catalog page: TFDS's figure of examples, and the rows of its table."""

from __future__ import annotations

import io
import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pass_dataset.archives.removals import RemovalList
from pass_dataset.builds.stored_build import Damage
from pass_dataset.errors import UnreadableBuildError
from pass_dataset.extras import require
from pass_dataset.pages.picture import Picture
from pass_dataset.tfds.stored import TfdsBuild
from pass_dataset.tfds.stored_records import stored_hash
from pass_dataset.tfds.stored_shards import read_shard

__all__ = ["ExampleTable", "draw_figure", "first_examples", "tabulate"]

_FEATURE = "The catalog page"

#: Inches of a cell of the figure, and pixels an inch: a figure about twice as wide as it is
#: shown, which is sharp on dense displays.
_CELL_INCHES = 3.0
_FIGURE_DPI = 110
_THUMBNAIL_PX = 240  # longer side; shown at half of it
_QUALITY = 80


@dataclass(frozen=True)
class ExampleTable:
    """Examples as `tfds.as_dataframe` gives them.

    Attributes:
      columns: feature names.
      rows: a picture for an image, text for all else.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Picture | str, ...], ...]


def first_examples(build: TfdsBuild, count: int, removals: RemovalList) -> Any:
    """The first examples of a build of any file format, as a ``tf.data.Dataset``.

    TFDS itself reads ``array_record`` into no such dataset, which its figure and table ask for.

    Args:
      build: the build.
      count: at most so many.
      removals: images that are left out.

    Raises:
      UnreadableBuildError: a record cannot be read.
      MissingExtraError: TensorFlow or a format's own package is not installed.
    """
    tf = require("tensorflow", feature=_FEATURE, extra="tfds")
    kept = (one for one in _serialized(build) if stored_hash(one) not in removals.hashes)
    records = list(itertools.islice(kept, count))
    if not records:
        raise UnreadableBuildError(f"{build.folder}: has no records, or none that lists leave in")
    return tf.data.Dataset.from_tensor_slices(records).map(
        build.builder.info.features.deserialize_example
    )


def _serialized(build: TfdsBuild) -> Iterator[bytes]:
    for shard in build.shards:
        for record in read_shard(shard.path, build.file_format):
            if isinstance(record, Damage):
                raise UnreadableBuildError(
                    f"{shard.path}: {record.detail}; pass-dataset verify-build tells more"
                )
            yield record


def draw_figure(build: TfdsBuild, examples: Any, *, rows: int, columns: int) -> Picture:
    """The figure of `tfds.show_examples`, on a transparent ground.

    Args:
      build: what the examples are of.
      examples: a ``tf.data.Dataset`` of at least one example.
      rows, columns: cells.

    Raises:
      MissingExtraError: Matplotlib is not installed.
    """
    require("matplotlib", feature=_FEATURE, extra="tfds")
    tfds = require("tensorflow_datasets", feature=_FEATURE, extra="tfds")
    from matplotlib import pyplot

    before = pyplot.get_backend()
    pyplot.switch_backend("Agg")  # draws without a display
    try:
        with warnings.catch_warnings():
            # TFDS shows the figure, which this backend cannot and need not.
            warnings.filterwarnings("ignore", ".*is non-interactive", UserWarning)
            figure = tfds.show_examples(
                examples, build.builder.info, rows=rows, cols=columns, plot_scale=_CELL_INCHES
            )
        for axes in figure.axes:
            axes.axis("off")
        gap = 0.03
        figure.subplots_adjust(left=0, right=1, bottom=0, top=1, wspace=gap, hspace=gap)
        buffer = io.BytesIO()
        figure.savefig(
            buffer,
            format="webp",
            dpi=_FIGURE_DPI,
            transparent=True,
            pil_kwargs={"quality": _QUALITY},
        )
        pyplot.close(figure)
    finally:
        pyplot.switch_backend(before)
    return _picture("image/webp", buffer.getvalue())


def tabulate(build: TfdsBuild, examples: Any) -> ExampleTable:
    """The table of `tfds.as_dataframe`, with images as thumbnails.

    Raises:
      MissingExtraError: pandas is not installed.
    """
    require("pandas", feature=_FEATURE, extra="tfds")
    tfds = require("tensorflow_datasets", feature=_FEATURE, extra="tfds")
    frame = tfds.as_dataframe(examples, build.builder.info)
    columns = tuple(map(str, frame.columns))
    rows = zip(*(frame[name] for name in columns), strict=True)
    return ExampleTable(columns, tuple(tuple(map(_cell, row)) for row in rows))


def _cell(value: Any) -> Picture | str:
    if getattr(value, "ndim", 0) == 3:
        return _thumbnail(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, float) or getattr(getattr(value, "dtype", None), "kind", "") == "f":
        return f"{float(value):.6g}"
    return str(value)


def _thumbnail(pixels: npt.NDArray[np.uint8]) -> Picture:
    """An image of shape (height, width, 3), uint8, made small."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return Picture("image/jpeg", buffer.getvalue(), image.size)


def _picture(mime_type: str, data: bytes) -> Picture:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return Picture(mime_type, data, image.size)
