"""What a server allows, and what it says when that is used up."""

import time
from dataclasses import dataclass

MALFORMED, BUSY, TOO_FAST, IDLE, FOREIGN = 1007, 1013, 1008, 1001, 1008


@dataclass(frozen=True)
class Limits:
    """What a server allows: visitors, crowds and questions at once, messages and posts of a visit, idle seconds."""

    visitors: int = 50
    crowds: int = 16
    large_crowds: int = 1
    message_bytes: int = 2_000
    messages_per_second: float = 60.0
    posts: int = 1_000_000
    idle_seconds: float = 600.0
    waiting: int = 4


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
