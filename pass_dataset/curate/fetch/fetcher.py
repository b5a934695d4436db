"""The loop of fetching: photographs given out, answers taken, tried again or settled."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import logging
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator

from pass_dataset.curate.fetch.answers import Answer, Means, Verdict, judge
from pass_dataset.curate.fetch.candidates import host_of, redirected
from pass_dataset.curate.fetch.client import Client
from pass_dataset.curate.fetch.files import read_file
from pass_dataset.curate.fetch.finisher import Finisher
from pass_dataset.curate.fetch.hosts import Hosts
from pass_dataset.curate.fetch.settings import FetchSettings, Pace
from pass_dataset.curate.fetch.shard import Photograph, Shard
from pass_dataset.downloads.retries import Clock
from pass_dataset.progress import Task

__all__ = ["Fetcher"]

logger = logging.getLogger(__name__)

#: Photographs that are taken up at a time: those of a host that is slow or left alone wait among
#: them while others are fetched.
_MOST_TAKEN_UP = 4096
#: Of these, how many before it is looked for answers: files are read at once.
_MOST_AT_ONCE = 64
#: Of all hosts together, as systems allow a process about a thousand open files.
_MOST_REQUESTS = 256
_MOST_REDIRECTS = 5
#: Throttled answers do not say that a photograph is not to be had; without end they would.
_MOST_THROTTLES = 50
#: Longest wait for answers, after which it is looked who may be asked again.
_WAIT_S = 0.5


class Fetcher:
    """Fetches shards, in one thread.

    Attributes:
      left: photographs that could not be had this time, by what was the matter.
    """

    def __init__(
        self,
        settings: FetchSettings,
        pace: Pace,
        task: Task,
        *,
        accept_failures: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Does nothing yet.

        Args:
          settings: of the step.
          pace: how fast, and how patiently.
          task: is told of photographs as they are settled.
          accept_failures: take what may be an accident for the last word, after all tries.
          clock: what time is measured by.
        """
        self.left: Counter[str] = Counter()
        self._settings = settings
        self._pace = pace
        self._task = task
        self._accepts = accept_failures
        self._clock = clock or Clock()
        self._hosts = Hosts(pace.connections, pace.policy, self._clock)
        self._queues: dict[str, deque[Photograph]] = {}
        self._later: list[tuple[float, int, Photograph]] = []
        self._numbers = itertools.count()
        self._taken_up = 0

    def run(self, shards: Iterable[Shard]) -> None:
        """Fetches shards; each that is whole becomes a tar.

        Raises:
          DiskSpaceError: the disk is full; what was fetched is kept.
          CurationError, OSError: a shard cannot be read or written.
          MissingExtraError: libcurl is not installed.
        """
        pace, settings = self._pace, self._settings
        with (
            Finisher() as self._finisher,
            Client[Photograph](pace.connections, pace.policy, settings.max_bytes) as self._client,
        ):
            coming = self._opened(shards)
            while True:
                is_more = self._take_up(coming)
                self._give_out()
                if self._taken_up:
                    self._take_answers(0.0 if is_more else self._wait_s())
                elif not is_more:
                    break

    def _opened(self, shards: Iterable[Shard]) -> Iterator[Photograph]:
        for shard in shards:
            photographs = shard.open()
            self._finisher.opened(shard)
            self._task.advance(shard.done)
            if shard.is_settled:
                self._finisher.settled(shard)
            yield from photographs

    # --- giving out -------------------------------------------------------------------------------

    def _take_up(self, coming: Iterator[Photograph]) -> bool:
        """Takes photographs up; true if more can be taken up at once."""
        for _ in range(_MOST_AT_ONCE):
            if self._taken_up >= _MOST_TAKEN_UP:
                return False
            photograph = next(coming, None)
            if photograph is None:
                return False
            self._taken_up += 1
            if photograph.candidates:
                self._begin(photograph, 0)
            else:
                self._record(photograph, Verdict(Means.REFUSE, "no-address"), None)
        return True

    def _begin(self, photograph: Photograph, candidate: int) -> None:
        photograph.begin(candidate)
        self._line_up(photograph)

    def _line_up(self, photograph: Photograph, *, first: bool = False) -> None:
        """Lets a photograph wait for its turn at its host."""
        if photograph.candidate.is_file:
            photograph.tries += 1
            answer = read_file(photograph.address, self._settings.max_bytes)
            self._answered(photograph, answer)
            return
        if not photograph.host:
            said = "expected an address with http:// or https:// and a host"
            self._refuse(photograph, Verdict(Means.REFUSE, "bad-address", said), None)
            return
        if self._is_down(photograph.host):
            self._leave(photograph, "unreachable", "its host gave nothing lately", None)
            return
        queue = self._queues.setdefault(photograph.host, deque())
        if first:
            queue.appendleft(photograph)
        else:
            queue.append(photograph)

    def _is_down(self, host: str) -> bool:
        failed = self._hosts[host].failed_in_a_row
        return not self._accepts and failed >= self._pace.failures_of_host

    def _give_out(self) -> None:
        now = self._clock.now()
        while self._later and self._later[0][0] <= now:
            self._line_up(heapq.heappop(self._later)[2])
        most = max(_MOST_REQUESTS, self._pace.connections)
        for name in list(self._queues):
            queue, host = self._queues[name], self._hosts[name]
            if self._is_down(name):
                del self._queues[name]
                for photograph in queue:
                    self._leave(photograph, "unreachable", "its host gave nothing lately", None)
                continue
            while queue and host.is_free and len(self._client) < most:
                photograph = queue.popleft()
                photograph.tries += 1
                photograph.asked_at = now
                host.active += 1
                self._client.ask(photograph, photograph.address)
            if not queue:
                del self._queues[name]

    def _take_answers(self, wait_s: float) -> None:
        if not len(self._client):
            time.sleep(wait_s)
            return
        for photograph, answer in self._client.answers(wait_s):
            self._hosts[photograph.host].active -= 1
            self._answered(photograph, answer)

    def _wait_s(self) -> float:
        """How long nothing is to be given out."""
        waits = [self._hosts[name].wait_s() for name in self._queues]
        waits = [wait_s for wait_s in waits if wait_s > 0]
        if self._later:
            waits.append(max(0.0, self._later[0][0] - self._clock.now()))
        return min([_WAIT_S, *waits])

    # --- answers ----------------------------------------------------------------------------------

    def _answered(self, photograph: Photograph, answer: Answer) -> None:
        verdict = judge(answer, self._clock.wall())
        if photograph.host:
            self._tell_host(photograph, verdict)
        means = verdict.means
        if means is Means.KEEP:
            self._record(photograph, verdict, answer)
        elif means is Means.REFUSE:
            self._refuse(photograph, verdict, answer)
        elif means is Means.DOUBT:
            photograph.doubts += 1
            if photograph.candidate.is_file or photograph.doubts >= self._settings.doubtful_tries:
                self._refuse(photograph, verdict, answer)
            else:
                self._try_later(photograph, photograph.doubts)
        elif means is Means.REDIRECTED:
            self._follow(photograph, verdict, answer)
        elif means is Means.THROTTLED:
            photograph.throttles += 1
            asked_s = verdict.retry_after_s or 0.0
            is_too_long = asked_s > self._pace.policy.max_retry_after_s
            if is_too_long or photograph.throttles >= _MOST_THROTTLES:
                self._leave(photograph, verdict.cause, verdict.said, answer.status)
            else:
                self._line_up(photograph, first=True)
        else:
            photograph.failures += 1
            if photograph.failures >= self._pace.policy.max_failures:
                if photograph.host:
                    self._hosts[photograph.host].failed_in_a_row += 1
                self._leave(photograph, verdict.cause, verdict.said, answer.status)
            else:
                self._try_later(photograph, photograph.failures)

    def _tell_host(self, photograph: Photograph, verdict: Verdict) -> None:
        host = self._hosts[photograph.host]
        if verdict.means is Means.THROTTLED:
            longest_s = self._pace.policy.max_retry_after_s
            if (verdict.retry_after_s or 0.0) > longest_s:
                host.failed_in_a_row = self._pace.failures_of_host
                logger.warning("%s: wants to be left alone too long", photograph.host)
            asked_s = verdict.retry_after_s
            is_news = host.throttled(
                photograph.asked_at, None if asked_s is None else min(asked_s, longest_s)
            )
            if is_news:
                logger.info(
                    "%s: %s; %d connections from now on, the next request in %.0f s",
                    photograph.host,
                    verdict.said,
                    host.limit,
                    host.wait_s(),
                )
        elif verdict.means is not Means.AGAIN:
            host.failed_in_a_row = 0
            host.answered()

    def _follow(self, photograph: Photograph, verdict: Verdict, answer: Answer) -> None:
        target = redirected(photograph.address, verdict.location, self._settings.redirect_hosts)
        photograph.redirects += 1
        if target is None or photograph.redirects > _MOST_REDIRECTS:
            self._refuse(photograph, verdict, answer)
            return
        photograph.address, photograph.host = target, host_of(target)
        self._line_up(photograph)

    def _try_later(self, photograph: Photograph, failures: int) -> None:
        delay_s = self._pace.policy.delay_s(failures, self._clock.jitter())
        due = self._clock.now() + delay_s
        heapq.heappush(self._later, (due, next(self._numbers), photograph))

    # --- settling ---------------------------------------------------------------------------------

    def _refuse(self, photograph: Photograph, verdict: Verdict, answer: Answer | None) -> None:
        """It is not to be had from this candidate: the next one is asked, or it is over.

        Only after the last word of one: else what another has would be taken by accident.
        """
        is_image = verdict.cause == "not-jpeg" and answer is not None
        refusal = photograph.receipt(
            verdict.cause,
            said=verdict.said,
            status=None if answer is None else answer.status,
            size_bytes=len(answer.body) if is_image and answer else None,
            sha256=hashlib.sha256(answer.body).hexdigest() if is_image and answer else None,
        )
        before = photograph.refusal
        if before is None or (before.cause == "missing" and refusal.cause != "missing"):
            photograph.refusal = refusal
        if photograph.at + 1 < len(photograph.candidates):
            self._begin(photograph, photograph.at + 1)
        else:
            self._record(photograph, verdict, answer)

    def _record(self, photograph: Photograph, verdict: Verdict, answer: Answer | None) -> None:
        """It is over: the receipt is written, with the photograph if there is one."""
        if verdict.means is Means.KEEP and answer is not None:
            receipt = photograph.receipt(
                None,
                status=answer.status,
                size_bytes=len(answer.body),
                sha256=hashlib.sha256(answer.body).hexdigest(),
            )
            photograph.shard.spool.add(receipt, answer.body)
        else:
            refusal = photograph.refusal or photograph.receipt(verdict.cause, said=verdict.said)
            photograph.shard.spool.add(refusal)
        self._settle(photograph)
        self._task.advance(1)

    def _leave(self, photograph: Photograph, cause: str, said: str, status: int | None) -> None:
        """It could not be had this time; that is its cause, if failures are accepted."""
        if self._accepts:
            photograph.shard.spool.add(photograph.receipt(cause, said=said, status=status))
            self._task.advance(1)
        else:
            self.left[cause] += 1
            photograph.shard.left += 1
            logger.debug("photograph %d: %s (%s)", photograph.row, cause, said)
        self._settle(photograph)

    def _settle(self, photograph: Photograph) -> None:
        self._taken_up -= 1
        if photograph.shard.is_settled:
            self._finisher.settled(photograph.shard)
