"""The page, and what it asks for: a server for this machine.

Who gets in is told in `guard`. What images are called is only ever sent as JSON, and shown as text.
"""

from __future__ import annotations

import asyncio
import importlib.resources
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pass_dataset.curate.review.desk import Desk, PageView
from pass_dataset.curate.review.guard import Door, Guard
from pass_dataset.curate.review.reading import ImageReader
from pass_dataset.curate.review.settings import reviewer_name
from pass_dataset.curate.review.shown_image import for_browser
from pass_dataset.curate.review.thumbnails import Thumbnails
from pass_dataset.errors import CurationError, PassDatasetError
from pass_dataset.extras import require

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["Office", "make_app"]

_MAX_BODY_BYTES = 1 << 18
#: Images made ahead of a page.
_AHEAD = 480
#: The page's own files, by address: package, name, and type.
_FILES = {
    "/": (__package__, "page.html", "text/html"),
    "/instructions": (__package__, "instructions.html", "text/html"),
    "/review.js": (__package__, "review.js", "text/javascript"),
    "/review.css": (__package__, "review.css", "text/css"),
    "/style.css": ("pass_dataset.pages", "style.css", "text/css"),
}


@dataclass(frozen=True)
class Office:
    """All that the server shows.

    Attributes:
      desk, reader, thumbnails: of the review.
      title: what is reviewed.
      queue: the queue that is shown first.
      door: who gets in.
    """

    desk: Desk
    reader: ImageReader
    thumbnails: Thumbnails
    title: str
    queue: str
    door: Door


def make_app(office: Office) -> Starlette:
    """The application.

    Raises:
      MissingExtraError: Starlette is not installed.
    """
    require("starlette", feature="Reviewing images", extra="review")
    # Here, as only who reviews has it.
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Route

    routes = [Route(address, _file(*where)) for address, where in _FILES.items()]
    routes += [
        Route("/api/start", _asked(office, _start)),
        Route("/api/next", _asked(office, _next)),
        Route("/api/page", _asked(office, _page)),
        Route("/api/mark", _told(office, _mark), methods=["POST"]),
        Route("/api/accept", _told(office, _accept), methods=["POST"]),
        Route("/api/undo", _told(office, _undo), methods=["POST"]),
        Route("/thumbnail/{row:int}", _thumbnail(office)),
        Route("/image/{row:int}", _image(office)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, office.door)])


# --- answers --------------------------------------------------------------------------------------


def _file(package: str, name: str, kind: str) -> Callable[..., Any]:
    # Here, as only who reviews has it.
    from starlette.responses import Response

    data = (importlib.resources.files(package) / name).read_bytes()

    async def answer(request: Request) -> Response:
        return Response(data, media_type=kind, headers={"cache-control": "no-cache"})

    return answer


def _answered(work: Callable[[], Any]) -> Response:
    """What work gives as JSON; what went wrong, as a message."""
    # Here, as only who reviews has it.
    from starlette.responses import JSONResponse

    headers = {"cache-control": "no-store"}
    try:
        return JSONResponse(work(), headers=headers)
    except (PassDatasetError, ValueError, KeyError, TypeError) as error:
        return JSONResponse({"error": str(error)}, 400, headers)
    except OSError as error:
        text = f"It could not be kept: {error.strerror}. Free some room; it is tried again."
        return JSONResponse({"error": text}, 507, headers)


def _asked(office: Office, work: Callable[[Office, Mapping[str, str]], Any]) -> Callable[..., Any]:
    async def answer(request: Request) -> Response:
        query = dict(request.query_params)
        return await asyncio.to_thread(_answered, lambda: work(office, query))

    return answer


def _told(office: Office, work: Callable[[Office, dict[str, Any]], Any]) -> Callable[..., Any]:
    # Here, as only who reviews has it.
    from starlette.responses import JSONResponse

    async def answer(request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _MAX_BODY_BYTES:
                return JSONResponse({"error": "too long"}, 413)
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"error": "expected JSON"}, 415)

        def read() -> Any:
            content = json.loads(body)
            if not isinstance(content, dict):
                raise ValueError("expected an object")
            return work(office, content)

        return await asyncio.to_thread(_answered, read)

    return answer


def _start(office: Office, query: Mapping[str, str]) -> dict[str, Any]:
    desk = office.desk
    return {
        "title": office.title,
        "review": office.door.review,
        "flags": [{"name": name, "key": key} for name, key in desk.settings.flags.items()],
        "queue": desk.queue(office.queue).name,
        "reviewers": desk.seats.reviewers,
    }


def _shown(office: Office, view: PageView | None, queue: str, reviewer: str) -> dict[str, Any]:
    """A page for the browser; its pictures are begun to be made."""
    progress = office.desk.progress(queue)
    mine = sum(
        int((seats[reviewer].decided > 0).sum())
        for seats in (office.desk.seats.first, office.desk.seats.second)
        if reviewer in seats
    )
    if view is None:
        return {"queue": queue, "images": [], "done": True, "progress": progress, "mine": mine}
    coming = office.desk.coming(view, reviewer, _AHEAD)
    office.thumbnails.want(view.images, coming)
    then = coming[: len(view.images)]
    return {**asdict(view), "done": False, "then": then, "progress": progress, "mine": mine}


def _size(given: Any) -> int:
    return min(max(int(given), 1), 200)


def _next(office: Office, query: Mapping[str, str]) -> dict[str, Any]:
    reviewer, queue = reviewer_name(query["reviewer"]), query["queue"]
    view = office.desk.next_page(queue, reviewer, _size(query["size"]))
    return _shown(office, view, queue, reviewer)


def _page(office: Office, query: Mapping[str, str]) -> dict[str, Any]:
    reviewer, queue, size = reviewer_name(query["reviewer"]), query["queue"], _size(query["size"])
    if "position" in query:
        view = office.desk.page_at(queue, reviewer, int(query["position"]), size)
    else:
        view = office.desk.page(queue, reviewer, int(query["block"]), int(query["page"]), size)
    return _shown(office, view, queue, reviewer)


def _sent(content: Mapping[str, Any]) -> str:
    sent = content["id"]
    if not isinstance(sent, str) or not 8 <= len(sent) <= 40:
        raise ValueError("id: expected 8 to 40 characters")
    return sent


def _place(content: Mapping[str, Any]) -> tuple[int, int]:
    return int(content["block"]), int(content["page"])


def _mark(office: Office, content: dict[str, Any]) -> dict[str, Any]:
    office.desk.mark(
        reviewer_name(content["reviewer"]),
        content["queue"],
        _place(content),
        int(content["image"]),
        content["flag"],
        str(content.get("note", "")),
        _sent(content),
    )
    return {}


def _accept(office: Office, content: dict[str, Any]) -> dict[str, Any]:
    reviewer, queue = reviewer_name(content["reviewer"]), content["queue"]
    images = [int(image) for image in content["images"]]
    office.desk.accept(reviewer, queue, _place(content), images, _sent(content))
    view = office.desk.next_page(queue, reviewer, _size(content["size"]))
    return _shown(office, view, queue, reviewer)


def _undo(office: Office, content: dict[str, Any]) -> dict[str, Any]:
    reviewer, size = reviewer_name(content["reviewer"]), _size(content["size"])
    act = office.desk.undo(reviewer, _sent(content))
    if act is None:
        return {"undone": None}
    # Pages may have had another size then.
    view = office.desk.page(act.queue, reviewer, act.block, 0, size)
    wanted = int(act.images[0])
    for page in range(view.pages):
        view = office.desk.page(act.queue, reviewer, act.block, page, size)
        if wanted in view.images:
            break
    shown = _shown(office, view, act.queue, reviewer)
    return {**shown, "undone": act.do, "image": wanted}


def _thumbnail(office: Office) -> Callable[..., Any]:
    # Here, as only who reviews has it.
    from starlette.responses import Response

    headers = {"cache-control": "private, max-age=86400"}

    async def answer(request: Request) -> Response:
        row = request.path_params["row"]
        if row >= len(office.desk.images):
            return Response("no such image\n", 404)
        picture = office.thumbnails.get(row)
        if picture is None:
            future = office.thumbnails.coming(row)
            if future is not None:
                await asyncio.wrap_future(future)
            picture = office.thumbnails.get(row)
        if not picture:
            return Response("this image cannot be shown\n", 404, {"cache-control": "no-store"})
        return Response(picture, media_type="image/jpeg", headers=headers)

    return answer


def _image(office: Office) -> Callable[..., Any]:
    # Here, as only who reviews has it.
    from starlette.responses import Response

    async def answer(request: Request) -> Response:
        row = request.path_params["row"]
        if row >= len(office.desk.images):
            return Response("no such image\n", 404)
        try:
            data, kind = await asyncio.to_thread(lambda: for_browser(office.reader.read(row)))
        except (PassDatasetError, OSError) as error:
            reason = str(error) if isinstance(error, CurationError) else "cannot be shown"
            return Response(f"{reason}\n", 404, {"cache-control": "no-store"})
        name = office.desk.images.where(row).name.rpartition("/")[2]
        headers = {
            "cache-control": "private, max-age=3600",
            "x-image-name": json.dumps(name),
        }
        return Response(data, media_type=kind, headers=headers)

    return answer
