"""Conversations with visitors: who may speak, how much and how fast, and what is answered."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import TypeAdapter, ValidationError

from mirrorfield.errors import InputError
from mirrorfield.server.again import mirror_again
from mirrorfield.server.door import network
from mirrorfield.server.limits import BUSY, IDLE, MALFORMED, TOO_FAST, Limits, Pace, Places
from mirrorfield.server.messages import CROWD_READER, READER, Auto, Begin, Go, Near, Pair, Turn, Who
from mirrorfield.server.mirror import Mirror, Settings, plain
from mirrorfield.server.shop import Share, Shop, Shops, Sliced, whole
from mirrorfield.server.show import Show, is_large

T = TypeVar("T")
MOMENT = 0.02  # seconds
SLICE = 20  # posts of a mirror in one slice of work: some 2 ms


def _flat(settings: Settings) -> dict[str, Any]:
    found = vars(settings) | settings.parts.model_dump()
    del found["parts"]
    return found


def view(mirror: Mirror) -> dict[str, Any]:
    """Return what the page shows between two posts."""
    return {
        "t": mirror.t,
        "state": mirror.state,
        "baseline": mirror.baseline,
        "policy": mirror.policy.tolist(),
        "settings": _flat(mirror.settings),
        "rule": {"session": mirror.parts.session, "kept": mirror.place, "due": mirror.due},
        "again": mirror_again(mirror.settings, mirror.t) | {"exact": mirror.straight},
    }


def greet() -> Sliced[tuple[Mirror, str]]:
    """Return a new mirror, and what to say to a page that has just come."""
    mirror = Mirror(Settings())
    return mirror, json.dumps({"type": "view", "steps": []} | view(mirror))
    yield


def answer(mirror: Mirror, message: Turn | Auto) -> Sliced[tuple[Mirror, str]]:
    """Return the mirror after a message, and what to say to the page, some posts at a time."""
    steps = []
    if isinstance(message, Turn):
        if message.type == "start":
            mirror = Mirror(message.settings())
        else:
            mirror.turn(message.settings())
    else:
        for posts in range(message.posts):
            if posts and posts % SLICE == 0:
                yield
            steps.append(mirror.react())
    return mirror, json.dumps({"type": "view", "steps": [plain(step) for step in steps]} | view(mirror))


async def visit(socket: WebSocket, places: Places, talk: Callable[[WebSocket], Awaitable[None]]) -> None:
    """Let a visitor talk, if there is a place for one more."""
    await socket.accept()
    why = places.enter(socket, network(socket.client.host) if socket.client else "")
    if why is not None:
        await socket.close(BUSY, why)
        return
    try:
        await talk(socket)
    except WebSocketDisconnect:
        pass
    finally:
        places.leave(socket)


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
        return first_line(error.errors(include_url=False))


def first_line(problems: Sequence[Any]) -> str:
    """Return the first of pydantic's errors as one line: where, and what was expected.

    >>> first_line([{"loc": ("turn", "noise"), "msg": "Input should be less than or equal to 5"}])
    'turn.noise: Input should be less than or equal to 5'
    """
    first = problems[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'message'}: {first['msg']}"


async def _refuse(socket: WebSocket, why: str) -> None:
    await socket.send_text(json.dumps({"type": "error", "text": why}))


async def converse(socket: WebSocket, bounds: Limits, shops: Shops) -> None:
    """Talk with a visitor about its mirror."""
    share, posts = Share(), Pace(bounds.posts_per_second)
    mirror, said = await shops.quick.do(share, greet())
    await socket.send_text(said)
    async for text in _incoming(socket, bounds):
        message = read(READER, text)
        if isinstance(message, str):
            await _refuse(socket, message)
        elif mirror.t >= bounds.posts and not isinstance(message, Turn):
            await _refuse(socket, f"{bounds.posts:,} posts are enough; start anew")
        else:
            while isinstance(message, Auto) and not posts.take(message.posts):
                await asyncio.sleep(MOMENT)
            compiles = isinstance(message, Turn) and message.settings().parts != mirror.parts
            shop = shops.rules if compiles else shops.quick
            mirror, said = await shop.do(share, answer(mirror, message))
            await socket.send_text(said)


async def show_crowd(socket: WebSocket, bounds: Limits, shops: Shops, large: set[int]) -> None:
    """Talk with a visitor about its crowd."""
    share = Share()
    show = await shops.crowds.do(share, whole(Show, bounds.posts))
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
                await _tell_crowd(socket, shops.crowds, share, show, message)
            text = await anext(incoming, None)
            if text is None:
                return
            message = read(CROWD_READER, text)
    finally:
        large.discard(id(socket))


async def _tell_crowd(
    socket: WebSocket, shop: Shop, share: Share, show: Show, message: Begin | Go | Who | Near | Pair
) -> None:
    try:
        answers = await shop.do(share, show.answer(message))
    except InputError as error:
        return await _refuse(socket, str(error))
    for told in answers:
        await (socket.send_text(told) if isinstance(told, str) else socket.send_bytes(told))
