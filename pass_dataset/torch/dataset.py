"""PASS as a map-style dataset, in the manner of `torchvision.datasets`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch.utils.data import Dataset

from pass_dataset.archives.removals import Removals
from pass_dataset.releases.release import Release
from pass_dataset.torch.base import PassImages
from pass_dataset.torch.examples import ExampleMaker, Target
from pass_dataset.torch.images import Decode, Decoder, OnError
from pass_dataset.torch.opening import Keep, PathLike, open_archive

if TYPE_CHECKING:
    from pass_dataset.torch.views.making import Views

__all__ = ["PASS"]


class PASS(PassImages, Dataset[Any]):
    """PASS, read from the tars where they lie.

    It starts in about a second, pickles to a few kilobytes (with a selection: eight bytes an
    image), and a worker's memory does not grow. Samplers, workers and transforms are PyTorch's own:

        dataset = PASS("/data/pass", transform=transform, target=None)
        loader = DataLoader(dataset, batch_size=256, shuffle=True, num_workers=8)

    Positions count in the order in which the images lie in the tars.
    """

    def __init__(
        self,
        root: PathLike,
        release: PathLike | Release | None = None,
        transform: Callable[[Any], Any] | None = None,
        parts: str | Sequence[int] | None = None,
        download: bool = False,
        keep: Keep | None = None,
        decode: Decode = "pil",
        target: Target | None = "metadata",
        *,
        target_transform: Callable[[Any], Any] | None = None,
        min_side_px: int | None = None,
        upright: bool = True,
        on_error: OnError = "raise",
        removals: Removals | None = None,
        views: Views | None = None,
    ) -> None:
        """Opens the dataset.

        Args:
          root: archive folder, as `pass-dataset download` fills it, or a folder with sub-folders
            named like releases.
          release: version, checksum file or Release; None to be told from the folder (with
            `download`: the newest).
          transform: called with the image; what it returns takes the image's place.
          parts: numbers of the tars to read, or text such as ``0,3-5``; None for all that are
            there.
          download: fetch what is missing (167 GiB in all), and verify what was not yet.
          keep: the images to read, all others are left out: a file with a hash a line, such as the
            filter's ``kept.txt``; hashes; or positions. Positions then count in what is kept. (A
            removal shifts positions, never hashes.)
          decode: ``pil``: `PIL.Image.Image`, RGB; ``tensor``: `torch.Tensor`, uint8, 3×H×W, RGB;
            ``bytes``: the JPEG as published; ``jpeg``: the same as a `torch.Tensor`, uint8, one
            dimension, for decoders on an accelerator. A loader makes a `JpegBatch` of these, and
            its workers hand that over several times as fast as bytes or tensors.
          target: what stands beside the image. ``metadata``: a dict of ``hash``, ``creator``,
            ``license``, ``date_taken`` (text, empty where not known), ``latitude``, ``longitude``
            (degrees, NaN where not known), as PyTorch's collation takes it; ``hash``; ``index``:
            the position; None: nothing, an example is the image alone.
          target_transform: called with the target.
          min_side_px: decode at a half, a quarter or an eighth of the size, the smallest whose
            shorter side has at least so many pixels; None for full size.
          upright: turn an image as its EXIF data say it is to be seen, as `datasets` does; False:
            as it is stored, as TFDS has it. JPEGs that are not decoded stay as they are.
          on_error: an image that cannot be decoded raises ImageError, or its place is taken by the
            next that can (``skip``), so that batches keep their size; `skipped` counts these.
          removals: one more list of images to be left out, beside those of the folder and of
            ``PASS_REMOVALS`` (see `pass_dataset.archives.removals`).
          views: make these of each image (`pass_dataset.torch.views`), keyed by its hash; they take
            the image's place, and `transform` is given them. `set_epoch` says of which epoch.

        Raises:
          FolderError, ArchiveError, MetadataError, ReleaseError: see `PassArchive`.
          DownloadError: files could not be fetched.
          RecordNotFoundError: of the hashes to be kept there is none.
          IndexError, TypeError, ValueError: an argument is not as described.
        """
        maker = ExampleMaker(
            Decoder(decode, min_side_px, upright),
            target,
            transform,
            target_transform,
            on_error,
            views,
        )
        super().__init__(open_archive(root, release, parts, keep, download, removals), maker)

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch that views are of, for workers that live on too.

        Call it before each pass over a loader. Without views nothing hangs on it.
        """
        if self._maker.views is not None:
            self._maker.views.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._archive)

    def __getitem__(self, index: int) -> Any:
        """``(image, target)``, or the image.

        Raises:
          IndexError: no such position.
          ImageError: the image cannot be decoded.
          ArchiveError: its bytes cannot be read.
        """
        position = range(len(self))[index]
        (jpeg,) = self._read(np.array([position]))
        return self._example(position, jpeg)

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The same for many positions, which a loader asks for as a batch.

        All are announced to the system, then read in the order in which they lie, then decoded in
        the order asked for, so that random transforms are the same as one by one.
        """
        every = range(len(self))
        positions = np.array([every[index] for index in indices], dtype=np.int64)
        reader = self._reading()
        order = reader.in_tar_order(positions)
        reader.expect(positions[order])
        if self._maker.decoder.decode == "jpeg":
            jpegs = list(self._read(positions))
        else:
            jpegs = [b""] * len(positions)
            for place, jpeg in zip(order.tolist(), self._read(positions[order]), strict=True):
                jpegs[place] = jpeg
        return list(self._examples_of(positions, jpegs))
