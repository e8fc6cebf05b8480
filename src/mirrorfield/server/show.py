"""What a page is told of its crowd: frames, figures, and the people it asks about."""

import json
from typing import Any

import numpy as np

from mirrorfield.errors import InputError
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.server.again import crowd_again
from mirrorfield.server.crowd import USERS, nearest_spot, neighbours, new_crowd, person, picture, places_of, profile
from mirrorfield.server.messages import Begin, Go, Near, Pair, Who
from mirrorfield.server.shop import Sliced

Told = str | bytes
SLICE = 500_000  # posts times people in one slice of work: some 20 ms


class Show:
    """One visitor's crowd, and whom it watches."""

    def __init__(self, posts: int) -> None:
        self.posts, self.crowd = posts, new_crowd(1, 0.1)
        self.picture, self.watched = picture(self.crowd), list[int]()

    def answer(self, message: Begin | Go | Who | Near | Pair) -> Sliced[list[Told]]:
        """Return what to say to a message, post by post; raise InputError, in one line, for what cannot be."""
        if isinstance(message, Begin):
            return self._begin(message)
        if isinstance(message, Go):
            return (yield from self._go(message))
        if isinstance(message, Pair):
            return self._pair(message)
        user = nearest_spot(self.picture.spots, message.x, message.y) if isinstance(message, Near) else message.user
        self._check(user)
        if message.watch:
            self.watched = [user]
        return [json.dumps({"type": "person", "watched": message.watch} | person(self.crowd, user))]

    def _check(self, user: int) -> None:
        if user >= self.crowd.scenario.users:
            raise InputError(f"expected a person below {self.crowd.scenario.users:,}, got {user:,}")

    def _begin(self, message: Begin) -> list[Told]:
        del self.crowd, self.picture
        self.crowd = new_crowd(message.seed, message.learning_rate, message.users)
        self.watched = [user for user in self.watched if user < message.users]
        return self._tell()

    def _go(self, message: Go) -> Sliced[list[Told]]:
        if message.posts > 0 and self.crowd.t >= self.posts:
            raise InputError(f"{self.posts:,} posts are enough; begin anew")
        self.crowd.turn(message.learning_rate, message.shift)
        left, most = message.posts, max(1, SLICE // self.crowd.scenario.users)
        while left:
            self.crowd.advance(min(left, most))
            left -= min(left, most)
            yield
        return self._tell()

    def _tell(self) -> list[Told]:
        self.picture = picture(self.crowd)
        watched = [self._where(user) for user in self.watched]
        again = crowd_again(self.crowd) | {"exact": self.crowd.straight}
        return [
            json.dumps({"type": "crowd", "watched": watched, "again": again} | self.picture.figures),
            self.picture.frame,
        ]

    def _where(self, user: int) -> dict[str, Any]:
        diet = self.crowd.one(user).diet[0, :, 0]
        feed, locked_in = diet.astype(float), bool(diet.max() > LOCKED_IN)
        return {
            "user": user,
            "locked_in": locked_in,
            "feed": feed.tolist(),
            "place": places_of(feed[:, None])[:, 0].tolist(),
        }

    def _pair(self, message: Pair) -> list[Told]:
        for user in (message.user, message.other):
            self._check(user or 0)
        if message.user is not None and message.other is not None:
            one, other = message.user, message.other
        else:
            one, other = neighbours(self.crowd, message.user)
        self.watched = [one, other]
        apart = float(np.linalg.norm(profile(self.crowd, one) - profile(self.crowd, other)))
        people = [person(self.crowd, user) for user in self.watched]
        return [json.dumps({"type": "pair", "distance": apart, "people": people})]


def is_large(message: object) -> bool:
    """Return whether a message asks for a crowd that only a few may have at once."""
    return isinstance(message, Begin) and message.users > USERS
