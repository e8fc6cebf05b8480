"""The process that serves: the HTTP protocol with deadlines, a log that cannot be flooded, and the loop."""

import asyncio
import logging
import sys
from contextlib import suppress
from functools import partial
from typing import Any

import h11
import uvicorn
import websockets  # noqa: F401  (without it, uvicorn has no websockets, and says so to every visitor)
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol

from mirrorfield.server.door import WAITING, Door
from mirrorfield.server.guard import SAFETY
from mirrorfield.server.limits import Limits, Pace

LOGS = ("asyncio", "uvicorn.error", "mirrorfield.server")
LINES_A_MINUTE = 20
SWITCH = 0.0002
PATIENCE = 2


class Read:
    """A protocol that ends a connection whose other side does not read for some seconds."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _going: asyncio.TimerHandle | None = None

    def __init__(self, seconds: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._seconds = seconds

    def pause_writing(self) -> None:
        """Wait for the other side to read."""
        super().pause_writing()  # type: ignore[misc]
        self._going = self._deadline()

    def resume_writing(self) -> None:
        """Write on."""
        super().resume_writing()  # type: ignore[misc]
        self._going = _cancelled(self._going)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._going = _cancelled(self._going)
        super().connection_lost(exc)  # type: ignore[misc]

    def _deadline(self) -> asyncio.TimerHandle:
        return self.loop.call_later(self._seconds, self.transport.abort)


class Talk(Read, AutoWebSocketsProtocol):  # type: ignore[misc, valid-type]
    """A websocket whose other side must read."""


class Punctual(Read, H11Protocol):
    """HTTP whose requests must come, and whose answers must be read, within some seconds."""

    _coming: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, and pause whenever something is left to write."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)
        self._coming = self._deadline()

    def data_received(self, data: bytes) -> None:
        """Read on; a request that has begun must be there in time, however many pieces it comes in."""
        super().data_received(data)
        asking = self.transport.get_protocol() is self and self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not asking:
            self._coming = _cancelled(self._coming)
        elif self._coming is None:
            self._coming = self._deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._coming = _cancelled(self._coming)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, with the headers of every answer."""
        headers = {"content-type": "text/plain; charset=utf-8", "connection": "close"} | SAFETY
        for event in (
            h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request"),
            h11.Data(data=msg.encode()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    if timer is not None:
        timer.cancel()
    return None


class Quiet(logging.Filter):
    """Lets through some lines a minute, and says how many were left out before one."""

    def __init__(self, lines: float = LINES_A_MINUTE) -> None:
        super().__init__()
        self.pace, self.left_out = Pace(lines / 60, 60), 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is within the pace."""
        if not self.pace.take():
            self.left_out += 1
            return False
        if self.left_out:
            record.msg, record.args = f"{record.getMessage()} ({self.left_out:,} lines before were left out)", ()
            self.left_out = 0
        return True


def new_server(app: ASGIApp, limits: Limits) -> uvicorn.Server:
    """Return a server of an application, with deadlines and without what costs the loop time."""
    config = uvicorn.Config(
        app,
        http=partial(Punctual, limits.request_seconds),  # type: ignore[arg-type]
        ws=partial(Talk, limits.request_seconds),  # type: ignore[arg-type]
        log_level="warning",
        ws_max_size=16_384,
        ws_per_message_deflate=False,
        server_header=False,
        proxy_headers=False,
        backlog=WAITING,
        timeout_graceful_shutdown=PATIENCE,
    )
    return uvicorn.Server(config)


def run(server: uvicorn.Server, door: Door) -> None:
    """Serve at a door until the server is told to stop; the loop is one that asks the door for each connection."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner, suppress(KeyboardInterrupt):
        runner.run(server.serve(sockets=[door]))


def serve_at(door: Door, app: ASGIApp, limits: Limits) -> None:
    """Serve until interrupted. Work in other threads gives way to the loop after 0.2 ms."""
    server = new_server(app, limits)
    for name in LOGS:
        logging.getLogger(name).addFilter(Quiet())
    sys.setswitchinterval(SWITCH)
    run(server, door)
