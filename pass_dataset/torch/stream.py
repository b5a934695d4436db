"""PASS as an iterable dataset: an epoch in a random order at sequential speed, exactly resumable.

The order of an epoch is one for all (see `order`). Each rank has a contiguous share of it; of this
share the workers of the rank's loader take batches in turn. As a loader takes batches from its
workers in turn too, the training sees its share in order, whatever the number of workers, and what
it has had is a beginning of it: one number says where it is. What is left of all shares can be
shared out anew, among any number of ranks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from torch.utils.data import IterableDataset, get_worker_info

from pass_dataset.archives.records import PassArchive
from pass_dataset.archives.removals import Removals
from pass_dataset.releases.release import Release
from pass_dataset.torch.base import PassImages
from pass_dataset.torch.epochs import EpochCounter
from pass_dataset.torch.examples import ExampleMaker, Target
from pass_dataset.torch.images import Decode, Decoder, OnError
from pass_dataset.torch.loaders import asked_batch_size
from pass_dataset.torch.opening import Keep, PathLike, open_archive
from pass_dataset.torch.order import mixed_order
from pass_dataset.torch.ranks import initialized_rank, this_rank
from pass_dataset.torch.readahead import BlockReadahead
from pass_dataset.torch.spans import Spans, cut_shares
from pass_dataset.torch.state import EpochOrder, StreamState, WorkerPlace
from pass_dataset.torch.tallies import SharedNumber
from pass_dataset.torch.whole_numbers import whole_number

if TYPE_CHECKING:
    from pass_dataset.torch.views.making import Views

__all__ = ["PassStream"]

logger = logging.getLogger(__name__)

#: Records asked for at a time.
_STEP = 64


class PassStream(PassImages, IterableDataset[Any]):
    """PASS, epoch by epoch, each in an order of its own.

        stream = PassStream("/data/pass", transform=transform, target=None, batch_size=256)
        loader = DataLoader(stream, batch_size=256, num_workers=8, persistent_workers=True)
        for epoch in range(epochs):
            for images in loader:
                ...

    A pass over a loader, or over the stream, that follows one which came to its end is of the next
    epoch; one that was broken off is begun again. `set_epoch` chooses another.

    Every image comes once an epoch, over all ranks and workers together (with ``on_error="skip"``
    the one after an image that cannot be decoded comes twice). In the middle of an epoch
    ``stream.state_dict(batches=…)``, told how many batches the training has had, says what is left;
    after ``stream.load_state_dict(…)`` a new loader goes on there, with any number of workers and
    ranks. `torchdata.stateful_dataloader.StatefulDataLoader` counts by itself.
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
        batch_size: int | None = None,
        seed: int | None = 0,
        rank: int | None = None,
        world_size: int | None = None,
        equal_shares: bool = False,
        block_records: int = 8,
        window_records: int = 8192,
        target_transform: Callable[[Any], Any] | None = None,
        min_side_px: int | None = None,
        upright: bool = True,
        on_error: OnError = "raise",
        removals: Removals | None = None,
        views: Views | None = None,
    ) -> None:
        """Opens the stream.

        Args:
          root, release, transform, parts, download, keep, decode, target, target_transform,
            min_side_px, upright, on_error, removals, views: as of `PASS`; views are of the epoch of
            the pass.
          batch_size: the loader's. So many consecutive records go to one worker, for the loader's
            batches to be those of the order and only a rank's last one to be incomplete. None: that
            of the `DataLoader` that asks; 1 where something else does (a dataset around this one),
            which several workers say in the log. With another one than the loader's every image
            still comes once, but the order depends on the number of workers, and with
            ``drop_last=True`` each worker leaves out an incomplete batch.
          seed: of the order, with the epoch; None for the order of the tars.
          rank, world_size: which share to read; None to ask `torch.distributed`, or else the
            environment that ``torchrun`` sets.
          equal_shares: all ranks get the same number of images, as DistributedDataParallel needs;
            fewer than `world_size` of an epoch are left out. Else some ranks get one more.
          block_records: images that are read together.
          window_records: places over which those of a block are spread. The system's page cache
            holds about so many images of each rank, 124 kB each: 1 GB by default.

        Raises:
          FolderError, ArchiveError, MetadataError, ReleaseError: see `PassArchive`.
          DownloadError: files could not be fetched.
          RecordNotFoundError: of the hashes to be kept there is none.
          IndexError, TypeError, ValueError: an argument is not as described.
        """
        batch_size = _whole_or_none("batch_size", batch_size, least=1)
        seed = _whole_or_none("seed", seed)
        block_records = whole_number("block_records", block_records, least=1)
        window_records = whole_number("window_records", window_records, least=1)
        maker = ExampleMaker(
            Decoder(decode, min_side_px, upright),
            target,
            transform,
            target_transform,
            on_error,
            views,
        )
        super().__init__(open_archive(root, release, parts, keep, download, removals), maker)
        self._batch_size = batch_size
        self._rank = this_rank(rank, world_size)
        self._rank_given = rank is not None
        self._equal_shares = equal_shares
        self._order = EpochOrder(
            images=len(self._archive),
            selection=_selection(self._archive),
            seed=seed,
            block_records=block_records,
            window_records=window_records,
        )
        #: What the loader was seen to ask for; 0 if that is not known.
        self._asked_batch_size = SharedNumber(0)
        self._epochs = EpochCounter()
        #: The epoch that a loaded state was of, and what it said was left.
        self._resumed: tuple[int, tuple[Spans, ...]] | None = None
        self._resumed_worker: WorkerPlace | None = None
        # Workers that live on have a copy of what was loaded; by these they notice when it is old.
        self._loads = SharedNumber(0)
        self._loads_seen = 0
        #: Where this process is in the pass it has begun.
        self._place: WorkerPlace | None = None
        self._taken = 0

    # --- epochs and shares ------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """The epoch of the pass that was begun last, or that was chosen for the next one."""
        return self._epochs.value

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch of the next pass, in all processes; call it before that begins.

        Without it a pass is of the epoch after the one that was gone through. Every pass of the
        epoch of a loaded state begins where that state says; passes of other epochs are whole.
        """
        epoch = whole_number("epoch", epoch, least=0)
        if epoch != self.epoch:
            self._place = None
        self._epochs.choose(epoch)

    def __len__(self) -> int:
        """Number of images that the next pass gives this rank."""
        return len(self._share(self._epochs.next))

    def _shares(self, epoch: int) -> tuple[Spans, ...]:
        """For each rank what a pass of an epoch gives it."""
        if self._resumed is not None and self._resumed[0] == epoch:
            return self._resumed[1]
        whole = Spans.of([(0, len(self._archive))])
        return cut_shares(whole, self._rank.world_size, equal=self._equal_shares)

    def _share(self, epoch: int) -> Spans:
        known = initialized_rank()
        if not self._rank_given and known is not None and known != self._rank:
            raise RuntimeError(
                f"PassStream was made as rank {self._rank.number} of {self._rank.world_size}, but "
                f"torch.distributed says {known.number} of {known.world_size}: make it after "
                "init_process_group, or give rank= and world_size="
            )
        return self._shares(epoch)[self._rank.number]

    # --- iteration --------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        """One pass over this rank's share, or over a worker's part of it.

        Raises:
          ImageError: an image cannot be decoded.
          ArchiveError: its bytes cannot be read.
        """
        worker = get_worker_info()
        place = WorkerPlace(
            number=0 if worker is None else worker.id,
            workers=1 if worker is None else worker.num_workers,
            batch_size=self._batch_size or 1,
            taken=0,
        )
        epoch = self._epochs.begin(place.number, place.workers)
        if self._resumed_worker is not None:
            place, self._resumed_worker = self._resumed_worker, None
        self._place, self._taken = place, place.taken
        return self._examples(self._share(epoch), epoch, place)

    def _positions(self, share: Spans, epoch: int, place: WorkerPlace) -> npt.NDArray[np.int64]:
        """What a worker has yet to give out: positions in the dataset, in the order of the pass."""
        places = share.at(_turns(len(share), place)[place.taken :])
        if self._order.seed is None:
            return places
        order = mixed_order(
            self._order.images,
            self._order.block_records,
            self._order.window_records,
            self._order.seed,
            epoch,
        )
        ordered: npt.NDArray[np.int64] = order[places]
        return ordered

    def _examples(self, share: Spans, epoch: int, place: WorkerPlace) -> Iterator[Any]:
        # Here and not above: what a worker raises before its first example ends it without a word.
        if self._loads.value != self._loads_seen:
            raise RuntimeError(
                "PassStream.load_state_dict was called after the loader had started its workers, "
                "which live on: make a new DataLoader"
            )
        place = self._place = self._as_asked(place, asked_batch_size())
        readahead = BlockReadahead(
            self._positions(share, epoch, place),
            self._order.images,
            self._order.block_records,
            self._reading(),
            # JPEGs that will be one batch are read into the memory of that batch.
            step=place.batch_size if self._maker.decoder.decode == "jpeg" else _STEP,
        )
        for some in readahead:
            for example in self._examples_of(some, self._read(some), epoch):
                self._taken += 1
                yield example
        self._epochs.finish(place.number, epoch)

    def _as_asked(self, place: WorkerPlace, asked: int | None) -> WorkerPlace:
        """Where a worker is, now that it is seen how many examples make a batch.

        Args:
          place: as it was said to be.
          asked: by the loader; None if that is not seen.
        """
        if asked is not None:
            self._asked_batch_size.value = asked
        if asked == place.batch_size:
            return place
        if self._batch_size is None and asked is not None and place.taken == 0:
            return replace(place, batch_size=asked)
        if place.workers > 1 and place.number == 0 and (asked or self._batch_size is None):
            logger.warning(
                "PassStream was %s, and the loader %s: the order depends on the number of workers, "
                "and with drop_last=True each worker leaves out an incomplete batch. Give "
                "PassStream(…, batch_size=…) the loader's",
                f"made with batch_size={self._batch_size}"
                if self._batch_size
                else "made without batch_size=",
                f"asks for batches of {asked}" if asked else "is not seen",
            )
        return place

    # --- state ------------------------------------------------------------------------------------

    def state_dict(self, batches: int | None = None) -> dict[str, Any]:
        """Where the training is in the epoch: numbers, text, lists and dicts.

        Workers read ahead: how far they are is not how far the training is. So it is the training
        that says how many batches it has had, and every rank gives the same state.

        Args:
          batches: batches of `batch_size` that the training has had from the loader since this
            pass began (after `load_state_dict`: since then). None if this process itself iterates
            over the stream (``num_workers=0``; and StatefulDataLoader asks its workers so).

        Raises:
          ValueError: `batches` is None, and this process has not begun a pass; or the loader takes
            other batches than `batch_size`, so that counting them tells nothing.
        """
        if batches is not None:
            batches = whole_number("batches", batches, least=0)
            return self._state(batches * self._counted_batch_size(batches), None)
        if self._place is None:
            raise ValueError(
                "this process has read nothing of the epoch, so it cannot tell where the training "
                "is. With DataLoader workers, say how many batches it has had: "
                "state_dict(batches=…); at the start of an epoch, state_dict(batches=0)."
            )
        if get_worker_info() is None:
            return self._state(self._taken, None)
        return self._state(0, replace(self._place, taken=self._taken))

    def _counted_batch_size(self, batches: int) -> int:
        """Records of a batch of which the training has had so many."""
        asked = self._asked_batch_size.value
        if batches and asked and self._batch_size not in (None, asked):
            raise ValueError(
                f"the loader takes batches of {asked}, and PassStream was made with batch_size="
                f"{self._batch_size}: how many it has had does not tell where the training is. "
                "Make both with the same batch_size"
            )
        return self._batch_size or asked or 1

    def _state(self, taken: int, worker: WorkerPlace | None) -> dict[str, Any]:
        epoch = self.epoch
        return StreamState(self._order, epoch, self._shares(epoch), taken, worker).to_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on where a state says, at the next pass. Call it before the loader starts workers.

        With the same number of ranks each goes on with its share; with another number what is left
        is shared out anew.

        Raises:
          ValueError: it is no such state, of other images, or of another seed or kind of order; or
            it is one of StatefulDataLoader for another number of workers.
        """
        state = StreamState.from_dict(state_dict)
        state.check_order(self._order)
        if state.worker is not None:
            self._check_worker(state.worker)
        shares = state.left()
        if len(shares) != self._rank.world_size:
            left = Spans.of(sorted(part for share in shares for part in share.stretches))
            shares = cut_shares(left, self._rank.world_size, equal=self._equal_shares)
        worker = get_worker_info()
        self._epochs.choose(state.epoch, None if worker is None else worker.id)
        if state.worker is None and not any(map(len, shares)):
            self._epochs.conclude(state.epoch)
        self._resumed = (state.epoch, shares)
        self._resumed_worker = state.worker
        self._place = None
        if worker is None:
            self._loads.value += 1
            self._loads_seen = self._loads.value

    def _check_worker(self, place: WorkerPlace) -> None:
        worker = get_worker_info()
        found = (None, None) if worker is None else (worker.id, worker.num_workers)
        batch_size = self._batch_size or place.batch_size
        if (*found, batch_size) != (place.number, place.workers, place.batch_size):
            raise ValueError(
                f"this is the state of worker {place.number} of {place.workers} with batch size "
                f"{place.batch_size}, as StatefulDataLoader saves it, and only fits the same. To "
                "go on with another number of workers save stream.state_dict(batches=…)."
            )


def _turns(length: int, place: WorkerPlace) -> npt.NDArray[np.int64]:
    """Which records of a share are a worker's: every so many-th batch, counted in records."""
    step = place.batch_size * place.workers
    firsts = np.arange(place.number * place.batch_size, length, step, dtype=np.int64)
    turns = (firsts[:, None] + np.arange(place.batch_size)).ravel()
    return turns[turns < length]


def _whole_or_none(name: str, value: int | None, *, least: int | None = None) -> int | None:
    return None if value is None else whole_number(name, value, least=least)


def _selection(archive: PassArchive) -> str:
    """Tells one selection of images from another; empty for all."""
    return "" if archive.is_whole else archive.selection_digest()[:16]
