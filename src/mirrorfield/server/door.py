"""The listening socket: how many may be connected, in all and from one address, and how fast they may send."""

import errno
import logging
import os
import socket
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from typing import Any

from mirrorfield.errors import InputError
from mirrorfield.server.guard import SAFETY
from mirrorfield.server.limits import Limits, Pace, Paces, Places

WAITING, CHUNK, SPARED = 128, 4096, 64
FULL = "".join(
    f"{line}\r\n"
    for line in (
        "HTTP/1.1 503 Service Unavailable",
        "connection: close",
        "content-length: 0",
        "retry-after: 10",
        *(f"{name}: {value}" for name, value in SAFETY.items()),
        "",
    )
).encode()
log = logging.getLogger("mirrorfield.server")


class Guest(socket.socket):
    """A connection that gives its place back when it closes, and is at its end once it has sent too much too fast."""

    places: Places | None = None
    pace: Pace | None = None

    def recv(self, most: int, flags: int = 0, /) -> bytes:
        """Return what came, a little at a time; nothing, as if the other side had closed, if it came too fast."""
        found = super().recv(min(most, CHUNK), flags)
        return found if self.pace is None or self.pace.take(len(found)) else b""

    def close(self) -> None:
        """Close, and give the place back."""
        if self.places is not None:
            self.places.leave(self)
        super().close()


class Door(socket.socket):
    """A listening socket that turns away whom there is no place for, instead of keeping them."""

    _spare: socket.socket | None = None

    def open(self, limits: Limits) -> None:
        """Listen, with these limits and a descriptor to spare."""
        self.limits, self.places = limits, Places(_most(limits.connections), limits.per_address)
        self.paces = Paces(limits.per_address / 4, 8)
        self.setblocking(False)
        self.listen(WAITING)
        self._spare = socket.socket()

    def accept(self) -> tuple[socket.socket, Any]:
        """Return the next connection; raise BlockingIOError if there is none, or if there was no place for it.

        The loop then does other work before it asks for one more: who is turned away holds up nobody.
        """
        found, address = self._next()
        guest = Guest(found.family, found.type, found.proto, fileno=found.detach())
        why = self._refusal(guest, network(address[0]))
        if why is not None:
            log.warning("connection refused: %s", why)
            turn_away(guest)
            raise BlockingIOError
        guest.places, guest.pace = self.places, Pace(self.limits.bytes_per_second)
        return guest, address

    def _refusal(self, guest: Guest, address: str) -> str | None:
        if not self.paces.take(address):
            return f"{address} opens too many a second"
        return self.places.enter(guest, address)

    def _next(self) -> tuple[socket.socket, Any]:
        """Accept; without a free descriptor, drop one connection with the spare one, lest it stay in the queue."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
        log.warning("connection dropped: this process may not open more files")
        if self._spare is not None:
            self._spare.close()
        with suppress(OSError):
            super().accept()[0].close()
        with suppress(OSError):
            self._spare = socket.socket()
        raise BlockingIOError

    def close(self) -> None:
        """Close, with the spare descriptor."""
        if self._spare is not None:
            self._spare.close()
        super().close()


def _most(connections: int) -> int:
    """Return how many connections fit into what this process may open, if that is fewer."""
    try:
        import resource
    except ImportError:
        return connections
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return connections if files == resource.RLIM_INFINITY else max(1, min(connections, files - SPARED))


def network(address: str) -> str:
    """Return what counts as one address: itself, or the first half of an IPv6 address, which one line has.

    >>> network("127.0.0.1"), network("2001:db8::7"), network("::ffff:10.0.0.1")
    ('127.0.0.1', '2001:db8::/64', '10.0.0.1')
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return str(found)


def turn_away(guest: socket.socket) -> None:
    """Answer 503 and close; what was sent already is read first, lest the answer be lost."""
    with suppress(OSError):
        guest.setblocking(False)
        with suppress(BlockingIOError):
            guest.recv(CHUNK)
        guest.send(FULL)
    guest.close()


def open_door(host: str, port: int, limits: Limits) -> Door:
    """Return a door that listens; raise InputError, in one line, where that cannot be."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        door = Door(family, kind)
    except OSError as error:
        raise InputError(f"serve: expected an address of this machine, got {host!r} ({error.strerror})") from None
    try:
        if os.name != "nt":
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(place)
        door.open(limits)
    except OSError as error:
        door.close()
        raise InputError(_why_not(host, port, error)) from None
    return door


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"serve: port {port} of {host} is in use; choose another one with --port"
    if error.errno == errno.EACCES:
        return f"serve: port {port} may not be opened by this user; choose one above 1023 with --port"
    return f"serve: cannot listen at {host}, port {port} ({error.strerror}); choose another --host or --port"
