"""The loop of asking: so many requests a second to each host, and no bodies."""

from __future__ import annotations

import datetime
import heapq
import itertools
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from pass_dataset.curate.alive.answers import Says, Told, told_by
from pass_dataset.curate.alive.settings import Politeness
from pass_dataset.curate.fetch.answers import Answer
from pass_dataset.curate.fetch.candidates import host_of
from pass_dataset.curate.fetch.client import Client, Kind
from pass_dataset.curate.fetch.hosts import Host, Hosts
from pass_dataset.curate.fetch.spool import Receipt, Spool
from pass_dataset.downloads.retries import Clock
from pass_dataset.errors import DownloadError
from pass_dataset.progress import Task

__all__ = ["GONE_CAUSE", "Asker"]

#: Of the ledger.
GONE_CAUSE = "no-longer-public"
_MOST_MOVES = 3
_MOST_THROTTLES = 50
_WAIT_S = 0.5


@dataclass(slots=True, eq=False)
class _Question:
    row: int
    address: str
    spool: Spool
    kind: Kind = "HEAD"
    asked_at: float = 0.0
    tries: int = 0
    failures: int = 0
    throttles: int = 0
    moves: int = 0

    @property
    def host(self) -> str:
        return host_of(self.address)


@dataclass
class _Turn:
    """A host: when it may be asked next, for what; what it forbade since it allowed anything."""

    host: Host
    next_at: float = 0.0
    has_allowed: bool = False
    queue: deque[_Question] = field(default_factory=deque)
    forbidden: list[tuple[_Question, Answer]] = field(default_factory=list)


class Asker:
    """Asks, in one thread; use it as a context manager.

    Attributes:
      left: photographs of which nothing is known, by what was the matter.
    """

    def __init__(
        self,
        politeness: Politeness,
        task: Task,
        *,
        accept_failures: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Asks nothing yet.

        Args:
          politeness: how it is asked.
          task: is told of photographs of which it is known.
          accept_failures: take no answer, after all tries, for the last word.
          clock: what time is measured by.
        """
        self.left: Counter[str] = Counter()
        self._politeness = politeness
        self._task = task
        self._accepts = accept_failures
        self._clock = clock or Clock()
        self._hosts = Hosts(politeness.connections, politeness.policy, self._clock)
        self._turns: dict[str, _Turn] = {}
        self._client: Client[_Question] = Client(
            politeness.connections, politeness.policy, max_bytes=0
        )
        self._later: list[tuple[float, int, _Question]] = []
        self._numbers = itertools.count()

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.__exit__(*error)

    def ask(self, addresses: dict[int, str], spool: Spool) -> None:
        """Asks of photographs; what each answer says is written into the spool.

        Args:
          addresses: by row.
          spool: of their shard; rows that it has are not asked.

        Raises:
          DownloadError: a host refuses whatever is asked.
          MissingExtraError: libcurl is not installed.
          DiskSpaceError, OSError: the spool cannot be written.
        """
        for row, address in addresses.items():
            if row not in spool.receipts:
                self._line_up(_Question(row, address, spool))
        while self._later or len(self._client) or any(t.queue for t in self._turns.values()):
            self._give_out()
            self._take_answers()
        for name, turn in self._turns.items():
            if turn.forbidden and not turn.has_allowed:
                raise self._refused(name, turn)
            self._believe(turn)

    def _line_up(self, question: _Question, *, first: bool = False) -> None:
        """Lets a question wait for its turn at its host."""
        if not question.host:
            self._record(question, GONE_CAUSE, None)
        elif first:
            self._turn(question.host).queue.appendleft(question)
        else:
            self._turn(question.host).queue.append(question)

    def _turn(self, name: str) -> _Turn:
        turn = self._turns.get(name)
        if turn is None:
            turn = self._turns[name] = _Turn(self._hosts[name])
        return turn

    def _give_out(self) -> None:
        now = self._clock.now()
        while self._later and self._later[0][0] <= now:
            self._line_up(heapq.heappop(self._later)[2])
        for turn in self._turns.values():
            if turn.queue and turn.host.is_free and turn.next_at <= now:
                question = turn.queue.popleft()
                turn.next_at = now + 1.0 / self._politeness.per_second
                turn.host.active += 1
                question.tries += 1
                question.asked_at = now
                self._client.ask(question, question.address, question.kind)

    def _take_answers(self) -> None:
        now = self._clock.now()
        dues = [
            max(turn.next_at - now, turn.host.wait_s())
            for turn in self._turns.values()
            if turn.queue
        ]
        if self._later:
            dues.append(self._later[0][0] - now)
        wait_s = max(0.0, min([_WAIT_S, *dues]))
        if not len(self._client):
            time.sleep(wait_s)
            return
        for question, answer in self._client.answers(wait_s):
            self._turn(question.host).host.active -= 1
            told = told_by(answer, question.address, self._clock.wall())
            self._heed(question, answer, told)

    def _heed(self, question: _Question, answer: Answer, told: Told) -> None:
        turn, policy = self._turn(question.host), self._politeness.policy
        if told.says not in (Says.THROTTLED, Says.NOTHING):
            turn.host.answered()
        if told.says in (Says.PUBLIC, Says.GONE):
            turn.has_allowed = True
            self._believe(turn)
            self._record(question, None if told.says is Says.PUBLIC else GONE_CAUSE, answer)
        elif told.says is Says.FORBIDDEN:
            turn.forbidden.append((question, answer))
            if len(turn.forbidden) >= self._politeness.refusals:
                raise self._refused(question.host, turn)
        elif told.says is Says.MOVED and question.moves < _MOST_MOVES:
            question.address, question.moves = told.address, question.moves + 1
            self._line_up(question, first=True)
        elif told.says is Says.NOT_LIKE_THIS and question.kind == "HEAD":
            question.kind = "start"
            self._line_up(question, first=True)
        elif told.says is Says.THROTTLED and self._is_worth_waiting(question, told):
            turn.host.throttled(question.asked_at, told.retry_after_s)
            self._line_up(question, first=True)
        elif told.says is Says.NOTHING and question.failures + 1 < policy.max_failures:
            question.failures += 1
            delay_s = policy.delay_s(question.failures, self._clock.jitter())
            due = self._clock.now() + delay_s
            heapq.heappush(self._later, (due, next(self._numbers), question))
        else:
            self._leave(question, answer)

    def _is_worth_waiting(self, question: _Question, told: Told) -> bool:
        question.throttles += 1
        asked_s = told.retry_after_s or 0.0
        longest_s = self._politeness.policy.max_retry_after_s
        return asked_s <= longest_s and question.throttles < _MOST_THROTTLES

    def _believe(self, turn: _Turn) -> None:
        """The host allows others, so what it forbade is forbidden for its own sake."""
        forbidden, turn.forbidden = turn.forbidden, []
        for question, answer in forbidden:
            self._record(question, GONE_CAUSE, answer)

    def _leave(self, question: _Question, answer: Answer) -> None:
        cause = answer.cause or "unreachable"
        if self._accepts:
            self._record(question, cause, answer)
        else:
            self.left[cause] += 1

    def _record(self, question: _Question, cause: str | None, answer: Answer | None) -> None:
        status = None if answer is None else answer.status
        now = datetime.datetime.fromtimestamp(self._clock.wall(), datetime.timezone.utc)
        said = now.isoformat(timespec="seconds")
        question.spool.add(
            Receipt(question.row, cause, status, None, None, None, False, question.tries, said)
        )
        self._task.advance(1)

    def _refused(self, host: str, turn: _Turn) -> DownloadError:
        status = turn.forbidden[-1][1].status
        return DownloadError(
            f"{host}: answered HTTP {status} to all of the last {len(turn.forbidden)} questions; "
            "it may refuse this machine and not the photographs, of which nothing is concluded. "
            "Look at one of them in a browser, ask fewer a second, or go on another day"
        )
