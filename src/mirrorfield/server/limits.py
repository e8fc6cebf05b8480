"""What a server allows, and what it says when that is used up."""

import time
from dataclasses import dataclass

MALFORMED, BUSY, TOO_FAST, IDLE = 1007, 1013, 1008, 1001


@dataclass(frozen=True)
class Limits:
    """What a server allows at once and of one visit.

    `per_address` is what one address may hold of the connections; half of it may be visits, a quarter crowds. It may
    open twice as many at once, and after that a quarter of it a second. A request must be there, and an answer read,
    within `request_seconds`.
    """

    visitors: int = 50
    crowds: int = 16
    large_crowds: int = 1
    message_bytes: int = 2_000
    messages_per_second: float = 60.0
    posts: int = 1_000_000
    posts_per_second: float = 400.0
    idle_seconds: float = 600.0
    waiting: int = 4
    connections: int = 512
    per_address: int = 32
    request_seconds: float = 10.0

    @property
    def bytes_per_second(self) -> float:
        """What a connection may send: 256 bytes a message; a message of the page has up to 200."""
        return max(4_000.0, 256 * self.messages_per_second)


class Pace:
    """A bucket that fills at a rate, up to what comes in some seconds: `take` says whether more is within it."""

    def __init__(self, rate: float, seconds: float = 2.0) -> None:
        self.rate, self.most, self.left, self.at = rate, seconds * rate, seconds * rate, time.monotonic()

    def take(self, many: int = 1) -> bool:
        """Return whether so many may come now; they are counted only if they may."""
        now = time.monotonic()
        self.left = min(self.most, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left < many:
            return False
        self.left -= many
        return True


class Paces:
    """A pace for each address; what is not in use is forgotten when there are many."""

    def __init__(self, rate: float, seconds: float, many: int = 1000) -> None:
        self.rate, self.seconds, self.many, self._paces = rate, seconds, many, dict[str, Pace]()

    def take(self, address: str) -> bool:
        """Return whether one more may come from an address now."""
        if len(self._paces) >= self.many:
            since = time.monotonic() - self.seconds
            self._paces = {name: pace for name, pace in self._paces.items() if pace.at > since}
        return self._paces.setdefault(address, Pace(self.rate, self.seconds)).take()


class Places:
    """Places for so many at once, and for so many of one address."""

    def __init__(self, most: int, each: int) -> None:
        self.most, self.each, self._held = most, each, dict[int, str]()

    def enter(self, who: object, address: str) -> str | None:
        """Take a place, or say in one line why there is none."""
        if len(self._held) >= self.most:
            return f"{self.most} are here already; try again later"
        if list(self._held.values()).count(address) >= self.each:
            return f"{self.each} of {address} are here already; close one"
        self._held[id(who)] = address
        return None

    def leave(self, who: object) -> None:
        """Give the place back, if there is one."""
        self._held.pop(id(who), None)
