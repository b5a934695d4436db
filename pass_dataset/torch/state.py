"""The state of a stream in the middle of an epoch: plain numbers, for checkpoints of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pass_dataset.torch.spans import Spans

__all__ = ["EpochOrder", "StreamState", "WorkerPlace"]

_SCHEMA = 1


@dataclass(frozen=True)
class EpochOrder:
    """What the order of an epoch depends on, beside the epoch; see `order.mixed_order`.

    Attributes:
      images: number of images.
      selection: tells one choice of images from another; empty for all of the archives.
      seed: None for the order of the tars.
      block_records, window_records: as `PassStream` has them.
    """

    images: int
    selection: str
    seed: int | None
    block_records: int
    window_records: int


@dataclass(frozen=True)
class WorkerPlace:
    """Where one worker of a loader is.

    Attributes:
      number: of the worker, from 0.
      workers: how many there are.
      batch_size: records that go to one worker at a time.
      taken: records that it has given out.
    """

    number: int
    workers: int
    batch_size: int
    taken: int


@dataclass(frozen=True)
class StreamState:
    """Which records of an epoch are left.

    Attributes:
      order: of the epochs.
      epoch: which one.
      shares: for each rank, its share when it began: the epoch's, or what was left of it.
      taken: records that each rank has had since, or all of its share if it is smaller.
      worker: of a worker's own state, where it is; its rank's `taken` is 0 then.
    """

    order: EpochOrder
    epoch: int
    shares: tuple[Spans, ...]
    taken: int
    worker: WorkerPlace | None = None

    def left(self) -> tuple[Spans, ...]:
        """For each rank, what is left of its share."""
        return tuple(share.between(self.taken, len(share)) for share in self.shares)

    def to_dict(self) -> dict[str, Any]:
        """As numbers, text, lists and dicts, so that it goes into JSON or `torch.save`."""
        return {
            "schema": _SCHEMA,
            "order": asdict(self.order),
            "epoch": self.epoch,
            "shares": [[list(stretch) for stretch in share.stretches] for share in self.shares],
            "taken": self.taken,
            "worker": None if self.worker is None else asdict(self.worker),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> StreamState:
        """Reads what `to_dict` gave.

        Raises:
          ValueError: it is something else.
        """
        try:
            if content["schema"] != _SCHEMA:
                raise ValueError(f"schema {content['schema']}, expected {_SCHEMA}")
            worker = content["worker"]
            return cls(
                EpochOrder(**content["order"]),
                int(content["epoch"]),
                tuple(Spans.of(share) for share in content["shares"]),
                int(content["taken"]),
                None if worker is None else WorkerPlace(**worker),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no state of a PassStream: {error!r}") from error

    def check_order(self, order: EpochOrder) -> None:
        """Raises ValueError if the state is of another order, or of other images."""
        mine, theirs = asdict(order), asdict(self.order)
        differences = [
            f"{name} {theirs[name]!r}, here {mine[name]!r}"
            for name in mine
            if mine[name] != theirs[name]
        ]
        if differences:
            raise ValueError(
                f"the state is of another stream: {'; '.join(differences)}. Make this one with the "
                "same images and the same order."
            )
