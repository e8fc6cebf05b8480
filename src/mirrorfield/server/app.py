"""The process behind the page: static files, what the page asks once, and a websocket for each conversation."""

import os
from collections.abc import Sequence
from functools import partial
from importlib import resources
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.types import ASGIApp

from mirrorfield.errors import InputError
from mirrorfield.server.about import About, about_this
from mirrorfield.server.files import Files
from mirrorfield.server.guard import Guard, Names
from mirrorfield.server.limits import Limits, Places
from mirrorfield.server.messages import Turned
from mirrorfield.server.panels import BusyError, Change, Desk, Phenomenon, WhatIf
from mirrorfield.server.replay import Replay, Visit, replay
from mirrorfield.server.shop import Share, Shop, Shops
from mirrorfield.server.talk import converse, first_line, show_crowd, visit
from mirrorfield.version import VERSION


class Refused(BaseModel):
    """Why a question was not answered, in one line."""

    detail: str


REFUSED: dict[str, Any] = {"content": {"application/json": {"schema": Refused.model_json_schema()}}}
TOML: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}


def create_app(limits: Limits | None = None, names: Names | None = None, embed_from: Sequence[str] = ()) -> ASGIApp:
    """Return the application: the built page, /api for what it asks once, and the websockets /live and /crowd.

    It answers to its names only, which are those of this machine's loopback unless others are given. Pages of the
    origins `embed_from` may show it in a frame.
    """
    bounds = limits or Limits()
    app = FastAPI(title="mirrorfield", version=VERSION, docs_url=None, redoc_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    visitors = Places(bounds.visitors, max(1, bounds.per_address // 2))
    crowds = Places(bounds.crowds, max(1, bounds.per_address // 4))
    shops, large = Shops(quick=Shop(1), crowds=Shop(max(1, (os.cpu_count() or 1) - 1)), rules=Shop(1)), set[int]()

    @app.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: RequestValidationError) -> JSONResponse:
        apart = all(
            problem["type"] == "value_error" for problem in error.errors()
        )  # each is valid, together they are not
        return JSONResponse({"detail": first_line(error.errors())}, 409 if apart else 422)

    @app.get("/api/about")
    def about() -> About:
        """Return version, categories, states, profiles, rules, who may provide G, and posts."""
        return about_this()

    desk, replays = Desk(bounds.waiting), Share()

    @app.get("/api/whatif/{phenomenon}/{change}", responses={409: REFUSED, 422: REFUSED, 503: REFUSED})
    async def whatif(phenomenon: Phenomenon, change: Change) -> WhatIf:
        """Return what a change does to the same people, one computation at a time; answers are kept."""
        try:
            return await desk.answer(phenomenon, change)
        except InputError as error:
            raise HTTPException(409, str(error)) from None
        except BusyError as error:
            raise HTTPException(503, str(error)) from None

    @app.get("/api/scenario.toml", responses={200: TOML, 409: REFUSED, 422: REFUSED}, response_class=PlainTextResponse)
    def scenario(turn: Annotated[Turned, Query()]) -> str:
        """Return the scenario of the simulated person as a file for `mirrorfield run`."""
        return turn.settings().scenario(turn.steps).to_toml()

    @app.get("/api/replay", responses={422: REFUSED})
    async def replayed(visit: Annotated[Visit, Query()]) -> Replay:
        """Return the posts of a visitor with these reactions, computed by the compiled kernel."""
        return await shops.quick.do(replays, replay(visit))

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await visit(socket, visitors, partial(converse, bounds=bounds, shops=shops))

    @app.websocket("/crowd")
    async def crowd(socket: WebSocket) -> None:
        await visit(socket, crowds, partial(show_crowd, bounds=bounds, shops=shops, large=large))

    app.mount("/", Files(resources.files("mirrorfield.server") / "static"), name="page")
    return Guard(app, names or Names(), embed_from)
