"""A review that is open: everything is put together, and served until it is interrupted."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pass_dataset.curate.review.cache import ThumbnailCache
from pass_dataset.curate.review.decisions import DecisionLog
from pass_dataset.curate.review.desk import Desk
from pass_dataset.curate.review.folder import ReviewFolder
from pass_dataset.curate.review.guard import Door
from pass_dataset.curate.review.queues import Queues
from pass_dataset.curate.review.reading import ImageReader
from pass_dataset.curate.review.record import load_record
from pass_dataset.curate.review.server import Office, make_app
from pass_dataset.curate.review.thumbnails import THUMBNAIL_PX, Thumbnails
from pass_dataset.errors import CurationError
from pass_dataset.extras import require

__all__ = ["DEFAULT_PORT", "Address", "open_desk", "open_office", "serve"]

logger = logging.getLogger(__name__)

#: The same each time, so that a page that is open finds the server again.
DEFAULT_PORT = 8717


@dataclass(frozen=True)
class Address:
    """Where the server listens: loopback, unless another host is asked for."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT

    @property
    def is_local(self) -> bool:
        """True if no other machine can reach it."""
        return self.host in ("127.0.0.1", "::1", "localhost")


@contextlib.contextmanager
def open_desk(folder: ReviewFolder) -> Iterator[Desk]:
    """The desk of a review, for adding decisions; one process at a time has it.

    Raises:
      CurationError: there is no review, or its log is damaged.
      FolderLockedError: another process has it.
    """
    record = load_record(folder)
    with folder.held(), ImageReader(folder, record) as reader:
        log = DecisionLog(folder.decisions_path)
        try:
            queues = Queues(folder, reader.images, record.settings.seed)
            yield Desk(reader.images, queues, log, record.settings)
        finally:
            log.close()


@contextlib.contextmanager
def open_office(
    folder: ReviewFolder, queue: str, *, workers: int, cache_bytes: int, hosts: frozenset[str]
) -> Iterator[Office]:
    """All that the server shows, for as long as the block lasts.

    Args:
      folder: of the review.
      queue: what is looked at.
      workers: processes that make thumbnails.
      cache_bytes: of the thumbnails that are kept.
      hosts: what requests may call the server, ``name:port``.

    Raises:
      CurationError: there is no review or queue, or the log is damaged.
      FolderLockedError: another process has it.
    """
    record = load_record(folder)
    with open_desk(folder) as desk, ImageReader(folder, record) as reader:
        name = desk.queue(queue).name
        place = folder.thumbnails_path / f"{THUMBNAIL_PX}px"
        cache = ThumbnailCache(place, len(desk.images), cache_bytes)
        thumbnails = Thumbnails(folder, cache, workers)
        try:
            thumbnails.warm()
            title = Path(record.what).name
            yield Office(desk, reader, thumbnails, title, name, Door(folder.token(), hosts))
        finally:
            thumbnails.close()


def listening(address: Address) -> socket.socket:
    """A socket at an address.

    Raises:
      CurationError: it is taken, or not of this machine.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # Where the protocol is not said, asyncio does not know it for TCP, and leaves it to wait for 40
    # ms between the head of an answer and its body.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address.host, address.port))
        # From now on who comes early waits, and is not turned away.
        found.listen(128)
    except OSError as error:
        found.close()
        raise CurationError(
            f"{address.host} port {address.port}: {error.strerror}; give another --port, or 0 for "
            "any that is free"
        ) from error
    return found


def serve(
    folder: ReviewFolder,
    queue: str,
    address: Address,
    *,
    workers: int,
    cache_bytes: int,
    names: tuple[str, ...] = (),
    told: logging.Logger = logger,
) -> Iterator[str]:
    """Serves a review: gives the link first, and ends when it is interrupted.

    Args:
      folder, queue, workers, cache_bytes: see `open_office`.
      address: where it listens.
      names: other names that browsers may call this machine, for hosts that are not local.
      told: where warnings go.

    Raises:
      CurationError: it cannot be opened.
      MissingExtraError: uvicorn is not installed.
    """
    require("uvicorn", feature="Reviewing images", extra="review")
    # Here, as only who reviews has it.
    import uvicorn

    with contextlib.closing(listening(address)) as place:
        port = place.getsockname()[1]
        known = {"127.0.0.1", "localhost", "[::1]", *names}
        if not address.is_local:
            known |= {address.host, socket.gethostname(), socket.getfqdn()}
            told.warning(
                "%s: other machines can reach this server, over a connection that is not "
                "encrypted: whoever has the link sees the images. A tunnel is safer: "
                "ssh -L %d:127.0.0.1:%d THIS-MACHINE",
                address.host,
                port,
                port,
            )
        hosts = frozenset(f"{name}:{port}" for name in known)
        with open_office(
            folder, queue, workers=workers, cache_bytes=cache_bytes, hosts=hosts
        ) as office:
            shown = f"[{address.host}]" if ":" in address.host else address.host
            if address.host in ("0.0.0.0", "::"):  # a name that can be asked for
                shown = socket.gethostname()
            yield f"http://{shown}:{port}/?token={office.door.token}"
            config = uvicorn.Config(
                make_app(office),
                log_level="warning",
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=2,
                # Reviewers look for longer than the five seconds that are usual.
                timeout_keep_alive=75,
            )
            uvicorn.Server(config).run(sockets=[place])
