"""What others write against: a recommender, people and a number of their own.

A run is people x recommender, under streams of luck, watched by metrics. An object that has the methods below is one;
nothing has to be inherited. `check_recommender` and `check_people` say in one line what an object does wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.errors import InputError

Observe = Literal["history", "state"]


@dataclass(frozen=True)
class Seen:
    """What a platform knows of n people when it chooses their next post.

    step: the number of posts so far, the same for everyone. last_shown: the arm shown last, (n,), -1 before the first
    post. last_reward: the reward observed for it, (n,) float64, 0 before the first post. allowed: which arms may be
    shown, bool (n, K). context: what the session adds to the logit of each arm, in nats, (n, K); 0 without a context.
    luck: uniforms of the recommender's own streams, (n, luck, K) for a recommender with an attribute `luck`. state:
    the person's arousal, 0 to 2, (n,); only under observe="state", because a platform does not see it.
    """

    step: int
    last_shown: IntArray
    last_reward: FloatArray
    allowed: NDArray[np.bool_]
    context: FloatArray
    luck: FloatArray = field(default_factory=lambda: np.empty((0, 0, 0)))
    arousal: IntArray | None = None

    @property
    def state(self) -> IntArray:
        """The arousal of every person, (n,); raise InputError unless observe="state" asked for it."""
        if self.arousal is None:
            raise InputError(
                'seen.state is a person\'s arousal, which a platform does not see; ask for observe="state"'
            )
        return self.arousal


class Recommender(Protocol):
    """What chooses posts for n people at once, and learns from what they do.

    shared: False if row i of everything depends on row i alone, so that people may run in any blocks; True for one
    model that learns from everybody, which runs in one block. An optional whole number `luck` asks for so many uniforms
    for every arm and post, from each person's own stream.
    """

    shared: bool

    def start(self, people: int, categories: int, rng: np.random.Generator) -> Any:
        """Return the state before the first post; `rng` is for the one model of a shared recommender."""
        ...

    def serve(self, state: Any, seen: Seen) -> FloatArray:
        """Return the probability of every arm for every person, (n, K), without changing the state."""
        ...

    def learn(self, state: Any, seen: Seen, shown: IntArray, reward: FloatArray, propensity: FloatArray) -> Any:
        """Return the state after a post: the arm shown, its reward and the probability that it had, (n,) each."""
        ...


class Luck(Protocol):
    """Luck of n people, each from streams of their own."""

    noise: FloatArray
    transition: FloatArray

    def uniform(self) -> FloatArray:
        """Return the next uniform on [0, 1) of every person, (n,)."""
        ...

    def normal(self) -> FloatArray:
        """Return the next standard normal variate of every person, (n,)."""
        ...


class People(Protocol):
    """What reacts: n people at once, each row a person.

    Optional: `arousal(memory)`, their state, 0 to 2, (n,); `law(memory, state)`, the probabilities of the next state
    after each arm, (n, K, 3), from which diets are computed; `intentionality(memory)`, (n,). Without `arousal` everyone
    is calm, and without `law` a diet is the feed.
    """

    def start(self, ids: IntArray, luck: Luck) -> Any:
        """Return what these people are before their first post."""
        ...

    def react(self, memory: Any, shown: IntArray, luck: Luck) -> tuple[FloatArray, Any]:
        """Return the reaction to the arm shown, (n,), and what people have become."""
        ...


@dataclass(frozen=True)
class Snapshot:
    """What there is to measure of n people at a step, and nothing of the recommender's inside.

    feed, diet: probabilities (n, K) of the next post, and of posts in the long run of a person's states; state (n,), 0
    to 2; mean_reaction (n,); exposures, posts shown of every arm, (n, K I); intentionality (n,).
    """

    step: int
    feed: FloatArray
    diet: FloatArray
    state: IntArray
    mean_reaction: FloatArray
    exposures: IntArray
    intentionality: FloatArray


Metric = Callable[[Snapshot], Any]


@dataclass(frozen=True)
class Own:
    """The objects of a run that are not built in; None for what is."""

    recommender: Any = None
    people: Any = None
    observe: Observe = "history"
    digest: str = ""

    @property
    def form(self) -> Any:
        """What the lanes compile of a recommender that is a rule; None for others, and beside people of one's own."""
        form = getattr(self.recommender, "form", None)
        return None if form is None or self.people is not None else form(self.observe == "state")

    @property
    def in_lanes(self) -> bool:
        """Whether the compiled lanes can run this."""
        return not self.given or self.form is not None

    @property
    def given(self) -> bool:
        """Whether anything is somebody's own."""
        return self.recommender is not None or self.people is not None

    @property
    def names(self) -> dict[str, str]:
        """What is somebody's own, and the name of its class."""
        things = {"recommender": self.recommender, "people": self.people}
        return {what: name_of(thing) for what, thing in things.items() if thing is not None}

    @property
    def shared(self) -> bool:
        """Whether one model learns from everybody, so that people cannot run in blocks."""
        return bool(getattr(self.recommender, "shared", False))


BUILT_IN = Own()


def name_of(thing: Any) -> str:
    """Return what an object is called in messages: its `name`, or that of its class."""
    return str(getattr(thing, "name", type(thing).__name__))
