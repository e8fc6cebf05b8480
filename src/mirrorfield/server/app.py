"""The process behind the page: static files, the catalogue of posts, and one websocket for each visitor."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.staticfiles import StaticFiles
from pydantic import ValidationError
from starlette.middleware.base import RequestResponseEndpoint

from mirrorfield.population.scenario import CATEGORIES
from mirrorfield.server.catalogue import Post, catalogue, pick
from mirrorfield.server.messages import READER, Auto, React, Turn
from mirrorfield.server.mirror import Mirror, Settings, plain
from mirrorfield.types import STATES
from mirrorfield.version import VERSION

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MALFORMED, BUSY, TOO_FAST, IDLE, FOREIGN = 1007, 1013, 1008, 1001, 1008


@dataclass(frozen=True)
class Limits:
    """What a server allows: visitors at once, bytes and messages per second of one, posts in all, and idle seconds."""

    visitors: int = 50
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


def view(mirror: Mirror, post: Post | None = None) -> dict[str, Any]:
    """Return what the page shows between two posts."""
    offered = mirror.offer()
    shown = post or pick(CATEGORIES[offered].name, mirror.t, mirror.settings.seed)
    return {
        "t": mirror.t,
        "state": mirror.state,
        "baseline": mirror.baseline,
        "policy": mirror.policy.tolist(),
        "settings": vars(mirror.settings),
        "post": {"category": offered, "text": shown.text, "intensity": shown.intensity},
    }


def answer(mirror: Mirror, message: Turn | React | Auto) -> tuple[Mirror, dict[str, Any]]:
    """Return the mirror after a message, and what to say to the page."""
    steps = []
    if isinstance(message, Turn):
        if message.type == "start":
            mirror = Mirror(message.settings())
        else:
            turned = message.settings()
            mirror.turn(Settings(mirror.settings.seed, turned.intentionality, turned.learning_rate, turned.noise))
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

    @app.middleware("http")
    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        response.headers["Content-Security-Policy"] = CONTENT_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @app.get("/api/about")
    def about() -> dict[str, Any]:
        """Return the version, the categories with their colours, the states and the catalogue of posts."""
        return {
            "version": VERSION,
            "categories": [{"name": c.name, "color": c.color} for c in CATEGORIES],
            "states": list(STATES),
            "posts": [vars(post) for post in catalogue()],
        }

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        if not own_origin(socket.headers.get("origin"), socket.headers.get("host")):
            await socket.close(FOREIGN, "another site's page may not open this")
            return
        await socket.accept()
        if len(visitors) >= bounds.visitors:
            await socket.close(BUSY, f"{bounds.visitors} visitors are here already; try again later")
            return
        visitors.add(id(socket))
        try:
            await _converse(socket, bounds)
        except WebSocketDisconnect:
            pass
        finally:
            visitors.discard(id(socket))

    static = resources.files("mirrorfield.server") / "static"
    app.mount("/", StaticFiles(directory=str(static), html=True), name="page")
    return app


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


async def _converse(socket: WebSocket, bounds: Limits) -> None:
    mirror = Mirror(Settings())
    await socket.send_text(json.dumps({"type": "view", "steps": []} | view(mirror)))
    async for text in _incoming(socket, bounds):
        try:
            message = READER.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "message"
            await socket.send_text(json.dumps({"type": "error", "text": f"{place}: {first['msg']}"}))
            continue
        if mirror.t >= bounds.posts and not isinstance(message, Turn):
            enough = f"{bounds.posts:,} posts are enough; start anew"
            await socket.send_text(json.dumps({"type": "error", "text": enough}))
            continue
        mirror, said = answer(mirror, message)
        await socket.send_text(json.dumps(said))
