"""The process behind the page: static files, the catalogue of posts, and one websocket for each visitor."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import FastAPI, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles
from pydantic import TypeAdapter, ValidationError
from starlette.middleware.base import RequestResponseEndpoint

from mirrorfield.errors import InputError
from mirrorfield.population.scenario import CATEGORIES
from mirrorfield.server.again import mirror_again
from mirrorfield.server.catalogue import billion, catalogue, pick
from mirrorfield.server.messages import CROWD_READER, READER, Auto, Begin, Go, Near, Pair, React, Turn, Turned, Who
from mirrorfield.server.mirror import Mirror, Settings, plain
from mirrorfield.server.panels import Change, Phenomenon, effects
from mirrorfield.server.parts import PRESETS
from mirrorfield.server.show import Show, is_large
from mirrorfield.types import STATES
from mirrorfield.version import VERSION

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
T = TypeVar("T")
MALFORMED, BUSY, TOO_FAST, IDLE, FOREIGN = 1007, 1013, 1008, 1001, 1008


@dataclass(frozen=True)
class Limits:
    """What a server allows: visitors and crowds at once, bytes and messages of one, posts in all, idle seconds."""

    visitors: int = 50
    crowds: int = 16
    large_crowds: int = 1
    message_bytes: int = 2_000
    messages_per_second: float = 60.0
    posts: int = 1_000_000
    idle_seconds: float = 600.0


class Pace:
    """A bucket of messages that fills at a rate: `take` says whether one more is within it."""

    def __init__(self, rate: float) -> None:
        self.rate, self.left, self.at = rate, 2 * rate, time.monotonic()

    def take(self) -> bool:
        """Return whether a message may come now."""
        now = time.monotonic()
        self.left = min(2 * self.rate, self.left + (now - self.at) * self.rate)
        self.at = now
        self.left -= 1
        return self.left >= 0


def _flat(settings: Settings) -> dict[str, Any]:
    found = vars(settings) | settings.parts.model_dump()
    del found["parts"]
    return found


def view(mirror: Mirror) -> dict[str, Any]:
    """Return what the page shows between two posts."""
    offered = mirror.offer()
    shown = pick(CATEGORIES[offered].name, mirror.t, mirror.settings.seed)
    return {
        "t": mirror.t,
        "state": mirror.state,
        "baseline": mirror.baseline,
        "policy": mirror.policy.tolist(),
        "settings": _flat(mirror.settings),
        "rule": {"session": mirror.parts.session, "kept": mirror.place, "due": mirror.due},
        "again": mirror_again(mirror.settings, mirror.t) | {"exact": mirror.straight},
        "post": {"category": offered, "text": shown.text, "intensity": shown.intensity},
    }


def answer(mirror: Mirror, message: Turn | React | Auto) -> tuple[Mirror, dict[str, Any]]:
    """Return the mirror after a message, and what to say to the page."""
    steps = []
    if isinstance(message, Turn):
        if message.type == "start":
            mirror = Mirror(message.settings())
        else:
            mirror.turn(message.settings())
    elif isinstance(message, React):
        steps = [mirror.react(message.reward)]
    else:
        steps = [mirror.react() for _ in range(message.posts)]
    return mirror, {"type": "view", "steps": [plain(step) for step in steps]} | view(mirror)


def own_origin(origin: str | None, host: str | None) -> bool:
    """Return whether a page of this very server opened the socket; a client that is no browser sends no origin."""
    return origin is None or urlsplit(origin).netloc == host


def create_app(limits: Limits | None = None) -> FastAPI:
    """Return the application: GET / and the built page, GET /api/about, and the websocket /live."""
    bounds = limits or Limits()
    app = FastAPI(title="mirrorfield", version=VERSION, docs_url=None, redoc_url=None)
    visitors: set[int] = set()
    crowds: set[int] = set()
    large: set[int] = set()

    @app.middleware("http")
    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @app.get("/api/about")
    def about() -> dict[str, Any]:
        """Return version, categories with colours, states, posts, and a recorded run of a billion."""
        return {
            "version": VERSION,
            "categories": [{"name": c.name, "color": c.color} for c in CATEGORIES],
            "states": list(STATES),
            "rules": {name: parts.model_dump() for name, parts in PRESETS.items()},
            "posts": [vars(post) for post in catalogue()],
            "billion": billion(),
        }

    panel = asyncio.Lock()

    @app.get("/api/whatif/{phenomenon}/{change}")
    async def whatif(phenomenon: Phenomenon, change: Change) -> dict[str, Any]:
        """Return what a change does to the same people, one computation at a time; answers are kept."""
        async with panel:
            return await asyncio.to_thread(effects, phenomenon, change)

    @app.get("/api/scenario.toml", response_class=PlainTextResponse)
    def scenario(turn: Annotated[Turned, Query()]) -> str:
        """Return the scenario of the simulated person as a file for `mirrorfield run`."""
        return turn.settings().scenario(turn.steps).to_toml()

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await _visit(socket, bounds, visitors, bounds.visitors, _converse)

    @app.websocket("/crowd")
    async def crowd(socket: WebSocket) -> None:
        await _visit(socket, bounds, crowds, bounds.crowds, partial(_show_crowd, large=large))

    static = resources.files("mirrorfield.server") / "static"
    app.mount("/", StaticFiles(directory=str(static), html=True), name="page")
    return app


async def _visit(
    socket: WebSocket,
    bounds: Limits,
    present: set[int],
    most: int,
    talk: Callable[[WebSocket, Limits], Awaitable[None]],
) -> None:
    """Let a visitor talk, if its page is this server's and there is room for one more."""
    if not own_origin(socket.headers.get("origin"), socket.headers.get("host")):
        await socket.close(FOREIGN, "another site's page may not open this")
        return
    await socket.accept()
    if len(present) >= most:
        await socket.close(BUSY, f"{most} visitors are here already; try again later")
        return
    present.add(id(socket))
    try:
        await talk(socket, bounds)
    except WebSocketDisconnect:
        pass
    finally:
        present.discard(id(socket))


async def _incoming(socket: WebSocket, bounds: Limits) -> AsyncIterator[str]:
    """Yield a visitor's messages; close the socket with a reason once they are too fast, too long or stop coming."""
    pace = Pace(bounds.messages_per_second)
    while True:
        try:
            event = await asyncio.wait_for(socket.receive(), bounds.idle_seconds)
        except TimeoutError:
            await socket.close(IDLE, f"nothing came for {bounds.idle_seconds:g} seconds; reload the page to go on")
            return
        if event["type"] == "websocket.disconnect":
            return
        text = event.get("text")
        if text is None or len(text) > bounds.message_bytes:
            await socket.close(MALFORMED, f"expected text of at most {bounds.message_bytes} bytes")
            return
        if not pace.take():
            await socket.close(TOO_FAST, f"expected at most {bounds.messages_per_second:g} messages a second")
            return
        yield text


def read(reader: TypeAdapter[T], text: str) -> T | str:
    """Return the message in a text, or one line that says what is wrong with it."""
    try:
        return reader.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc']) or 'message'}: {first['msg']}"


async def _refuse(socket: WebSocket, why: str) -> None:
    await socket.send_text(json.dumps({"type": "error", "text": why}))


async def _converse(socket: WebSocket, bounds: Limits) -> None:
    mirror = await asyncio.to_thread(Mirror, Settings())
    await socket.send_text(json.dumps({"type": "view", "steps": []} | view(mirror)))
    async for text in _incoming(socket, bounds):
        message = read(READER, text)
        if isinstance(message, str):
            await _refuse(socket, message)
        elif mirror.t >= bounds.posts and not isinstance(message, Turn):
            await _refuse(socket, f"{bounds.posts:,} posts are enough; start anew")
        else:
            turned = isinstance(message, Turn)
            mirror, said = await asyncio.to_thread(answer, mirror, message) if turned else answer(mirror, message)
            await socket.send_text(json.dumps(said))


async def _show_crowd(socket: WebSocket, bounds: Limits, large: set[int]) -> None:
    show = await asyncio.to_thread(Show, bounds.posts)
    message: Begin | Go | Who | Near | Pair | str = Go(type="go", posts=0)
    incoming = _incoming(socket, bounds)
    try:
        while True:
            if isinstance(message, str):
                await _refuse(socket, message)
            elif is_large(message) and len(large - {id(socket)}) >= bounds.large_crowds:
                await _refuse(socket, f"{bounds.large_crowds} large crowds are here already; take 20,000, or try later")
            else:
                if isinstance(message, Begin):
                    (large.add if is_large(message) else large.discard)(id(socket))
                await _answer_crowd(socket, show, message)
            text = await anext(incoming, None)
            if text is None:
                return
            message = read(CROWD_READER, text)
    finally:
        large.discard(id(socket))


async def _answer_crowd(socket: WebSocket, show: Show, message: Begin | Go | Who | Near | Pair) -> None:
    try:
        answers = await asyncio.to_thread(show.answer, message)
    except InputError as error:
        return await _refuse(socket, str(error))
    for told in answers:
        await (socket.send_text(told) if isinstance(told, str) else socket.send_bytes(told))
