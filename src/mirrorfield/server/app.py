"""The process behind the page: static files, what the page asks once, and a websocket for each conversation."""

from functools import partial
from importlib import resources
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.middleware.base import RequestResponseEndpoint

from mirrorfield.errors import InputError
from mirrorfield.server.about import About, about_this
from mirrorfield.server.limits import Limits
from mirrorfield.server.messages import Turned
from mirrorfield.server.panels import BusyError, Change, Desk, Phenomenon, WhatIf
from mirrorfield.server.talk import converse, first_line, show_crowd, visit
from mirrorfield.version import VERSION

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Refused(BaseModel):
    """Why a question was not answered, in one line."""

    detail: str


REFUSED: dict[str, Any] = {"content": {"application/json": {"schema": Refused.model_json_schema()}}}
TOML: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}


def create_app(limits: Limits | None = None) -> FastAPI:
    """Return the application: the built page, /api for what it asks once, and the websockets /live and /crowd."""
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

    @app.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: RequestValidationError) -> JSONResponse:
        apart = all(
            problem["type"] == "value_error" for problem in error.errors()
        )  # each is valid, together they are not
        return JSONResponse({"detail": first_line(error.errors())}, 409 if apart else 422)

    @app.get("/api/about")
    def about() -> About:
        """Return version, categories with colours, states, rules, posts, and a recorded run of a billion."""
        return about_this()

    desk = Desk(bounds.waiting)

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

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await visit(socket, bounds, visitors, bounds.visitors, converse)

    @app.websocket("/crowd")
    async def crowd(socket: WebSocket) -> None:
        await visit(socket, bounds, crowds, bounds.crowds, partial(show_crowd, large=large))

    static = resources.files("mirrorfield.server") / "static"
    app.mount("/", StaticFiles(directory=str(static), html=True), name="page")
    return app
