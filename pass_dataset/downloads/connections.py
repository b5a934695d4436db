"""Requests to HTTP servers that may say anything, at any pace, for ever.

The network library waits for each byte only so long; a server that sends one now and then, or that
never comes to an end with what precedes the file, would hold it for ever. So the head of an answer
has a limit of bytes and of time, the body a floor of speed; the bodies of redirects are not read.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import requests
import requests.adapters
import urllib3
import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions

from pass_dataset.downloads.retries import Clock, Failure, Passing, Permanent, RetryPolicy, Slow
from pass_dataset.releases.addresses import check_address, public_address, without_secrets
from pass_dataset.version import __version__

__all__ = ["Connections", "failure_of"]

#: Servers send some kilobytes before a body, and http.client takes 100 lines of up to 64 KiB;
#: interim answers (1xx) it takes without end.
_MOST_HEAD_BYTES = 1 << 20
#: What is sent around the bytes of a body, in chunks: of one byte each it is five times as much.
_MOST_WIRE_BYTES = 4 << 20
_MOST_WIRE_RATIO = 16
#: Zenodo redirects once; browsers follow 20.
_MOST_REDIRECTS = 20
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _TooSlow(OSError):
    """A server keeps a request waiting with too little."""


@dataclass
class _Pace:
    """How fast a host has sent lately, by the time that was spent waiting for it.

    What a host sends in little pieces over many connections counts together.

    Attributes:
      policy: the floor, and over how much waiting it is measured.
      clock: what time is measured by.
    """

    policy: RetryPolicy
    clock: Clock
    _host: str = ""
    _waited_s: float = 0.0
    _bytes: int = 0
    _wire_bytes: int = 0
    _all_bytes: int = 0
    _since: float = 0.0
    _head_bytes: int | None = None

    def begin_head(self, host: str) -> None:
        """A request is made: what comes is no body yet."""
        if host != self._host:
            self._host, self._waited_s, self._bytes = host, 0.0, 0
            self._wire_bytes = self._all_bytes = 0
        self._head_bytes = 0
        self._since = self.clock.now()

    def begin_body(self) -> None:
        """Bytes of a body are waited for."""
        self._head_bytes = None
        self._since = self.clock.now()

    def end_body(self, size_bytes: int) -> None:
        """They came; what is done with them takes its own time."""
        self._waited_s += self.clock.now() - self._since
        self._bytes += size_bytes
        self._all_bytes += size_bytes

    def came(self, size_bytes: int) -> None:
        """Something came over the wire, of a head, of a body or of what is around it.

        Raises:
          _TooSlow: it goes on for too long, or too slowly.
        """
        lasted_s = self.clock.now() - self._since
        if self._head_bytes is not None:
            self._head_bytes += size_bytes
            if self._head_bytes > _MOST_HEAD_BYTES:
                raise OSError(f"more than {_MOST_HEAD_BYTES:,} bytes before the file")
            if lasted_s > self.policy.stall_timeout_s:
                raise _TooSlow(f"still no file after {lasted_s:,.0f} s of headers")
            return
        self._wire_bytes += size_bytes
        if self._wire_bytes > _MOST_WIRE_BYTES + _MOST_WIRE_RATIO * self._all_bytes:
            raise OSError(f"{self._wire_bytes:,} bytes sent for {self._all_bytes:,} of the file")
        waited_s = self._waited_s + lasted_s
        if waited_s < self.policy.speed_window_s:
            return
        speed = self._bytes / waited_s
        self._waited_s, self._bytes = 0.0, 0
        self._since = self.clock.now()
        if speed < self.policy.min_bytes_per_s:
            raise _TooSlow(
                f"{speed:,.0f} bytes/s in {waited_s:,.0f} s, expected at least "
                f"{self.policy.min_bytes_per_s:,.0f}"
            )


class _Wire(io.RawIOBase):
    """What comes over a socket, each piece of it told to a `_Pace`."""

    def __init__(self, raw: io.RawIOBase, pace: _Pace) -> None:
        self._raw = raw
        self._pace = pace

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        size_bytes = cast("int | None", self._raw.readinto(buffer))
        self._pace.came(size_bytes or 0)
        return size_bytes

    def close(self) -> None:
        self._raw.close()
        super().close()


@dataclass
class _Landing:
    """Memory that the next bytes of a body go to, without a copy in between.

    Attributes:
      memory: it; None: bytes are wanted.
    """

    memory: memoryview | None = None


class _Adapter(requests.adapters.HTTPAdapter):
    """Makes connections whose bytes are told to a `_Pace`, and may go straight to a `_Landing`."""

    def __init__(self, pace: _Pace, landing: _Landing) -> None:
        self._pace = pace
        self._landing = landing
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        super().init_poolmanager(*arguments, **settings)
        self._pace_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **settings)
        self._pace_pools(manager)
        return manager

    def _pace_pools(self, manager: Any) -> None:
        pace, landing = self._pace, self._landing

        class Answer(http.client.HTTPResponse):
            def __init__(self, *arguments: Any, **settings: Any) -> None:
                super().__init__(*arguments, **settings)
                self.fp = io.BufferedReader(_Wire(self.fp.detach(), pace))

            def read1(self, n: int = -1) -> Any:
                # urllib3 counts what it is given, and hands it on as it is.
                memory = landing.memory
                if memory is None or self.fp is None or self.chunked or not self.length:
                    return super().read1(n)
                size_bytes = self.fp.readinto1(memory[: self.length])
                self.length -= size_bytes
                return memory[:size_bytes]

        class Http(urllib3.connection.HTTPConnection):
            response_class = Answer

        class Https(urllib3.connection.HTTPSConnection):
            response_class = Answer

        class HttpPool(urllib3.connectionpool.HTTPConnectionPool):
            ConnectionCls = Http

        class HttpsPool(urllib3.connectionpool.HTTPSConnectionPool):
            ConnectionCls = Https

        manager.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}


class _Session(requests.Session):
    """Follows no redirect: it would read the whole body of one into memory, asked to or not.

    What the environment says of a host (proxies, certificates) is looked up once: for that all
    variables are gone through, which takes as long as the rest of a small request. An address is
    put together once as well.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said_of: dict[tuple[str, ...], Any] = {}
        self._prepared: tuple[Any, requests.PreparedRequest] | None = None

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        headers = request.headers or {}
        # The many requests of one file differ in the range that they ask for.
        about = (request.method, request.url, sorted(headers))
        if self.cookies or self._prepared is None or self._prepared[0] != about:
            self._prepared = about, super().prepare_request(request)
        prepared = self._prepared[1].copy()
        prepared.headers.update(headers)
        return prepared

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: bool | None, verify: Any, cert: Any
    ) -> Any:
        host = urllib.parse.urlsplit(url)[:2]
        if host not in self._said_of:
            self._said_of[host] = super().merge_environment_settings(
                url, proxies, stream, verify, cert
            )
        return self._said_of[host] | {"stream": stream}

    def resolve_redirects(self, *arguments: Any, **settings: Any) -> Iterator[Any]:
        return iter(())


@dataclass
class Connections:
    """The connections of one thread, or of many that take turns; use it as a context manager.

    Attributes:
      policy: how patient to be with a server.
      clock: what time is measured by.
    """

    policy: RetryPolicy
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.pace = _Pace(self.policy, self.clock)
        self._landing = _Landing()
        self.session: requests.Session = _Session()
        self.session.headers["User-Agent"] = f"pass-dataset/{__version__}"
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Adapter(self.pace, self._landing))

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *error: object) -> None:
        self.session.close()

    def get(self, url: str, headers: dict[str, str]) -> requests.Response:
        """The answer to a request, its body unread; redirects are followed.

        Raises:
          Failure: there is none.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._ask(url, headers)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or location is None:
                return response
            response.close()
            url = _redirected(url, location)
        raise Permanent(f"redirects more than {_MOST_REDIRECTS} times")

    def read(self, response: requests.Response, most_bytes: int) -> bytes:
        """Some bytes of the body, as soon as there are any; empty at the end.

        Raises:
          Failure: the connection broke, stalled or is too slow.
        """
        return bytes(self._read(response, most_bytes))

    def read_into(self, response: requests.Response, memory: memoryview) -> int:
        """Reads some bytes of the body into memory, as soon as there are any.

        Returns:
          Their number; 0 at the end.

        Raises:
          Failure: as `read`.
        """
        self._landing.memory = memory
        try:
            data = self._read(response, len(memory))
        finally:
            self._landing.memory = None
        if not isinstance(data, memoryview):
            memory[: len(data)] = data
        return len(data)

    def _read(self, response: requests.Response, most_bytes: int) -> bytes | memoryview:
        self.pace.begin_body()
        data: bytes | memoryview = b""
        try:
            # read1 hands over what has arrived; a read of fixed length would lose up to that much
            # when the connection breaks.
            data = response.raw.read1(most_bytes, decode_content=False) or b""
        except urllib3.exceptions.ReadTimeoutError as error:
            raise Passing("stalled: no byte within the time limit") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise failure_of(error, "connection broke") from error
        finally:
            self.pace.end_body(len(data))
        return data

    def _ask(self, url: str, headers: dict[str, str]) -> requests.Response:
        timeout = (self.policy.connect_timeout_s, self.policy.stall_timeout_s)
        try:
            self.pace.begin_head(check_address(url).netloc)
            return self.session.get(
                url, headers=headers, stream=True, timeout=timeout, allow_redirects=False
            )
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
            raise failure_of(error, "no answer") from error
        except ValueError as error:  # UnicodeError, of a host's name, is one
            raise Permanent(f"cannot be asked for: {_short(error)}") from error


def _redirected(url: str, location: str) -> str:
    """The address that a redirect leads to.

    Raises:
      Permanent: it is none.
    """
    with contextlib.suppress(UnicodeError):
        # Headers arrive as Latin-1, and browsers send UTF-8.
        location = location.encode("latin-1").decode("utf-8")
    try:
        target = urllib.parse.urljoin(url, location.strip())
        now, then = check_address(url), check_address(target)
    except ValueError as error:
        shown = public_address(location)[:100]
        raise Permanent(f"redirects to {shown!r}, which cannot be asked for: {error}") from error
    user, at, _ = now.netloc.rpartition("@")
    same = (now.scheme, now.hostname, now.port) == (then.scheme, then.hostname, then.port)
    # Name and password are for this host, and for no other.
    if at and same and "@" not in then.netloc:
        target = then._replace(netloc=f"{user}@{then.netloc}").geturl()
    return target


def failure_of(error: BaseException, what: str) -> Failure:
    """What an error of the network library means, in a line.

    Args:
      error: the error.
      what: happened.
    """
    permanent = (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidProxyURL,
        requests.exceptions.MissingSchema,
        urllib3.exceptions.LocationValueError,
    )
    if isinstance(error, permanent):
        return Permanent(f"cannot be asked for: {_short(error)}")
    if isinstance(_innermost(error), _TooSlow):
        return Slow(f"too slow: {_short(error)}")
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Permanent(f"certificate not trusted: {_short(error)}")
    return Passing(f"{what}: {_short(error)}")


def _innermost(error: BaseException) -> BaseException:
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None and inner is not seen:
        seen = inner
    return seen


def _short(error: BaseException) -> str:
    """The innermost cause in a line: the wrapped text repeats host, port and object addresses."""
    cause = _innermost(error)
    text = without_secrets(" ".join(str(cause).split())) or type(cause).__name__
    return text if len(text) <= 200 else text[:197] + "..."
