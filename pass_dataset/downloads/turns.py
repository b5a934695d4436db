"""Whose turn it is among a file's sources: who is asked, given way to, waited for, left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pass_dataset.downloads.retries import (
    Clock,
    Failure,
    HostGate,
    Misfit,
    Passing,
    RetryPolicy,
    Slow,
)
from pass_dataset.downloads.sources import Source
from pass_dataset.errors import DownloadError

__all__ = ["Standing", "Stopped", "Turns"]

logger = logging.getLogger(__name__)


class Stopped(Exception):
    """The work was asked to stop; what it has so far is in order."""


@dataclass
class Standing:
    """How a source has done so far."""

    source: Source
    failures: int = 0
    misfits: int = 0
    ignored_ranges: int = 0
    brought_bytes: int = 0
    last: str = ""


class Turns:
    """The sources of one file, and what to do about their failures."""

    def __init__(
        self,
        filename: str,
        sources: Sequence[Source],
        policy: RetryPolicy,
        clock: Clock,
        gate: HostGate,
        sleep: Callable[[float], bool],
    ) -> None:
        """Starts with the first source.

        Args:
          filename: name of the file, for messages.
          sources: places to ask, in order.
          policy, clock, gate: when to try again.
          sleep: waits some seconds; returns True if the work was stopped meanwhile.

        Raises:
          DownloadError: there is no source.
        """
        self.filename = filename
        self.policy = policy
        self._clock = clock
        self._gate = gate
        self._sleep = sleep
        self._failures = 0
        self._retries = 0
        self._standings = [Standing(source) for source in sources]
        if not self._standings:
            raise DownloadError(
                f"{filename}: is published nowhere; give a mirror, or a folder that has it "
                "(--mirror, --from, mirrors=)"
            )

    def next(self) -> Standing:
        """The first source whose host may be asked now, or soonest; waits until it may."""
        standing = self._soonest()
        # Another connection may have been told to wait since this one chose.
        self._pause(self._gate.wait_s(standing.source.host))
        return standing

    def succeeded(self) -> None:
        """Tells that a try ended well."""
        self._failures = 0

    def failed(self, standing: Standing, failure: Failure, *, gained_bytes: int) -> None:
        """Decides what a failure means, and waits until the next try is due.

        Args:
          standing: whose failure it is.
          failure: what was seen.
          gained_bytes: new bytes that the try brought.

        Raises:
          DownloadError: no source is left, or there was no progress in many tries.
          Stopped: asked to stop.
        """
        progressed = self.policy.is_progress(failure, gained_bytes)
        self._failures = 1 if progressed else self._failures + 1
        standing.last = str(failure)
        if self._is_hopeless(standing, failure):
            self._leave_out(standing)
            return
        if self._failures >= self.policy.max_failures:
            raise self.given_up(f"no progress in {self._failures} tries")
        self._give_way(standing, failure, progressed=progressed)
        self._wait(standing, failure)

    def demote(self, standing: Standing) -> None:
        """Asks all other sources before this one."""
        self._standings.remove(standing)
        self._standings.append(standing)

    def mistrust(self) -> None:
        """Tells that all bytes of the file were wrong, whoever brought them: it begins anew.

        Of several that brought some, whoever brought most is asked for all of it: a few wrong bytes
        of another spoil all the rest. Who brought all of it alone is asked after the others.
        """
        brought = [item for item in self._standings if item.brought_bytes]
        most = max((item.brought_bytes for item in brought), default=0)
        for item in brought:
            if len(brought) == 1 or item.brought_bytes < most:
                self.demote(item)
            item.brought_bytes = 0

    def given_up(self, why: str) -> DownloadError:
        """The error that says why, and what was last seen of each source."""
        seen = "; ".join(f"{item.source}: {item.last}" for item in self._standings if item.last)
        return DownloadError(f"{self.filename}: {why} ({seen})")

    def _soonest(self) -> Standing:
        return min(self._standings, key=lambda item: self._gate.wait_s(item.source.host))

    def _is_hopeless(self, standing: Standing, failure: Failure) -> bool:
        """True if this source is not to be asked again for this file."""
        if isinstance(failure, Misfit):
            standing.misfits += 1
            return standing.misfits >= self.policy.max_misfits
        if isinstance(failure, Passing):
            return (failure.retry_after_s or 0.0) > self.policy.max_retry_after_s
        return True

    def _give_way(self, standing: Standing, failure: Failure, *, progressed: bool) -> None:
        """Lets the next source have a turn after some failures without progress."""
        standing.failures = 1 if progressed else standing.failures + 1
        if isinstance(failure, Slow) or standing.failures >= self.policy.failures_per_source:
            standing.failures = 0
            self.demote(standing)

    def _leave_out(self, standing: Standing) -> None:
        logger.warning("%s: %s: %s", self.filename, standing.source, standing.last)
        if len(self._standings) == 1:
            raise self.given_up("no source is left")
        self._standings.remove(standing)

    def _wait(self, standing: Standing, failure: Failure) -> None:
        if isinstance(failure, Passing) and failure.retry_after_s is not None:
            # The whole host asked for quiet, so the other connections keep it too.
            self._gate.close(standing.source.host, failure.retry_after_s)
        host_s = self._gate.wait_s(self._soonest().source.host)
        delay_s = max(self.policy.delay_s(self._failures, self._clock.jitter()), host_s)
        # A first one is nothing to look up for, in a download of hours.
        self._retries += 1
        logger.log(
            logging.INFO if self._retries == 1 else logging.WARNING,
            "%s: %s: %s; next try in %.0f s (%d of %d without progress)",
            self.filename,
            standing.source,
            failure,
            delay_s,
            self._failures,
            self.policy.max_failures,
        )
        self._pause(delay_s)

    def _pause(self, delay_s: float) -> None:
        if self._sleep(delay_s):
            raise Stopped
