"""Who may ask: this server's own page, by one of its own names; and the headers that go with every answer."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mirrorfield.errors import InputError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("0.0.0.0", "::")
SAFETY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), "
    "payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
ORIGIN = re.compile(r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")


@dataclass(frozen=True)
class Names:
    """What a server answers to: names and addresses, and with `any_address` every address that is not a name.

    A name that is not among them may have been pointed at this machine by somebody's own name server, to get at it
    through a visitor's browser; an address cannot be.
    """

    names: frozenset[str] = frozenset(LOOPBACK)
    any_address: bool = False

    def has(self, host: str) -> bool:
        """Return whether a Host header, with or without a port, is one of the names.

        >>> Names().has("localhost:8642"), Names().has("evil.example:8642")
        (True, False)
        """
        found = HOST.fullmatch(host.lower())
        name = (found[1] or found[2]) if found else ""
        return name in self.names or (self.any_address and _is_address(name))


def names_of(host: str, others: Iterable[str] = ()) -> Names:
    """Return what a server that listens at a host answers to, with other names that it is known by."""
    own = LOOPBACK if host in LOOPBACK or host in EVERYWHERE else (host.lower(),)
    return Names(frozenset(own) | {other.lower() for other in others}, host in EVERYWHERE)


def framed_by(origins: Iterable[str]) -> dict[str, str]:
    """Return the headers that let pages of these origins show this one in a frame; raise InputError for another form.

    >>> framed_by(["https://Course.example"])["content-security-policy"].rpartition("; ")[2]
    'frame-ancestors https://course.example'
    """
    given = [origin.lower() for origin in origins]
    for origin in given:
        if not ORIGIN.fullmatch(origin):
            raise InputError(f'--embed-from: expected an origin such as https://course.example, got "{origin}"')
    if not given:
        return {}
    policy = SAFETY["content-security-policy"].replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(given)}")
    return {"content-security-policy": policy, "cross-origin-resource-policy": "cross-origin"}


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """Lets through what was asked by the server's own name and, if a page asked, by its own page."""

    def __init__(self, app: ASGIApp, names: Names, embed_from: Iterable[str] = ()) -> None:
        self.app, self.names = app, names
        self.safety = SAFETY | framed_by(embed_from)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse with 403 and one line; every answer has the headers of SAFETY."""

        async def send_safely(message: Message) -> None:
            if message["type"].endswith("http.response.start"):
                told = [(name, value) for name, value in message.get("headers", ()) if name.decode() not in self.safety]
                told += [(name.encode(), value.encode()) for name, value in self.safety.items()]
                message = {**message, "headers": told}
            await send(message)

        why = None if scope["type"] == "lifespan" else self.refusal(Headers(scope=scope))
        answer: ASGIApp = self.app if why is None else PlainTextResponse(f"{why}\n", 403)
        await answer(scope, receive, send_safely)

    def refusal(self, headers: Headers) -> str | None:
        """Return why a request with these headers is refused, in one line, or None; a client need not be a browser."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self.names.has(host):
            return "403: this server does not go by that name; start it with --host-name NAME if it should"
        if origin is not None and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
            return "403: another site's page may not ask this server"
        return None
