"""Who gets in: whoever has the link's token, and comes from the page itself.

Other hosts' names (DNS rebinding) and other pages' requests are refused. Reviews are served one
after the other under one address, and browsers keep much by address: cookies have the port in their
name, and a page says which review it is of, so that it never decides in another one.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["Door", "Guard"]

COOKIE = "pass_review"
#: What pages say which review they are of with; of pictures, the address says it.
_REVIEW_HEADER, _REVIEW_QUERY = "x-review", "of"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Door:
    """What lets in.

    Attributes:
      token: what whoever asks has to have.
      hosts: what requests may call this server, ``name:port``.
    """

    token: str
    hosts: frozenset[str]

    @property
    def review(self) -> str:
        """Tells the review from others, and gives no token away."""
        return hashlib.sha256(self.token.encode()).hexdigest()[:12]


class _Refused(Exception):  # an answer, and no error of the server
    """A request that is answered with a reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Guard:
    """Lets in who has the token, and comes from the page."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Here, as only who reviews has it.
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse

        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            sets_cookie = self._check(request)
        except _Refused as refused:
            answer = PlainTextResponse(f"{refused}\n", refused.status, _HEADERS)
            await answer(scope, receive, send)
            return

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                headers += [(k.encode(), v.encode()) for k, v in _HEADERS.items()]
                if sets_cookie:
                    name = _cookie(request)
                    value = f"{name}={self._door.token}; Path=/; HttpOnly; SameSite=Strict"
                    headers.append((b"set-cookie", value.encode()))
            await send(message)

        await self._app(scope, receive, with_headers)

    def _check(self, request: Request) -> bool:
        """True if the link was followed, and the browser is to keep the token."""
        host = request.headers.get("host", "")
        if host not in self._door.hosts:
            raise _Refused(421, "This server has another name: take the link that it has printed.")
        origin = request.headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            raise _Refused(403, "Only the review's own page may ask for this.")
        said = request.headers.get(_REVIEW_HEADER), request.query_params.get(_REVIEW_QUERY)
        if {*said} - {None, self._door.review}:
            raise _Refused(421, "Another review is served here by now.")
        is_page = request.method == "GET" and request.url.path == "/"
        if request.headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_page:
            raise _Refused(403, "Only the review's own page may ask for this.")
        given = request.query_params.get("token") if is_page else None
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        for one in (given, request.cookies.get(_cookie(request)), bearer):
            if one and secrets.compare_digest(one.encode(), self._door.token.encode()):
                return given is not None
        raise _Refused(401, "The link's token is missing: take the link that the server printed.")


def _cookie(request: Request) -> str:
    # Of one host, browsers send all ports the same cookies.
    return f"{COOKIE}_{request.url.port}"
