"""A visitor's twenty posts: what the page computes by itself, run again by the compiled kernel."""

from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from mirrorfield.population.base import Unit
from mirrorfield.server.messages import Seed
from mirrorfield.server.mirror import Mirror, Settings, plain
from mirrorfield.server.shop import Sliced

MOST_REACTIONS = 400
SLICE = 20
ACTIONS = ("skip", "like", "share")
WORTH = {"skip": 0.0, "like": 0.5, "share": 1.0}
LONGEST_DWELL = 8.0
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"  # those of base64url that stand for a reaction
HALVES = 16
FIRST_BASELINE = 0.5
MOST_DRAWS = 1000  # at alpha 1 every new kind has a probability above 0.06


class Reaction(NamedTuple):
    """What the visitor did with a post, and how long they looked at it, in seconds."""

    action: str
    dwell: float

    @property
    def reward(self) -> float:
        """The reaction G_t, from 0 to 2.

        Formula: min(dwell, 8 s) / 8 s + (0 to scroll on, 0.5 for a like, 1 for a share).

        >>> Reaction("share", 4.0).reward
        1.5
        """
        return min(self.dwell, LONGEST_DWELL) / LONGEST_DWELL + WORTH[self.action]


def unpack(text: str) -> list[Reaction]:
    """Return the reactions in a text: a character of base64url each, 2 bits of action, 4 bits of half seconds.

    Raises ValueError for any other character.

    >>> [(one.action, one.dwell) for one in unpack("Av")]
    [('skip', 0.0), ('share', 7.5)]
    """
    codes = [divmod(ALPHABET.index(character), HALVES) for character in text]
    return [Reaction(ACTIONS[action], half / 2) for action, half in codes]


class Visitor(Mirror):
    """A mirror of somebody who reacts to a few posts and should see it learn from the first one.

    They stay calm. Their baseline begins at 0.5 and counts as one reaction, so the mean after t posts is over t + 1.
    The luck of their first K posts is drawn again, up to MOST_DRAWS times, until the post is of a kind not shown yet.
    """

    def __init__(self, seed: int = 1, learning_rate: float = 1.0) -> None:
        super().__init__(Settings(seed=seed, learning_rate=learning_rate))
        self.straight = False
        self._rows("baseline")[:] = FIRST_BASELINE

    def _advance(self) -> int:
        before, shown = self._held.rows.copy(), self._rows("shown").copy()
        for _ in range(MOST_DRAWS if self.t < self.k else 1):
            self._held.rows[:] = before
            self._held.advance(self._task, self.t + 1, self.t + 2)
            category = int(self._rows("arm")[0])
            if not shown[category]:
                break
        self._rows("state")[:] = 0
        return category

    @property
    def propensity(self) -> float:
        """The probability of the last post under the policy that it was drawn from, as the update has it."""
        return float((self._rows("weight") * self._rows("total"))[int(self._rows("arm")[0])])


class Visit(BaseModel):
    """A visitor's luck, learning rate, and reactions as the page packs them in a link."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Seed = 1
    learning_rate: Unit = 1.0
    reactions: Annotated[str, Field(max_length=MOST_REACTIONS, pattern="^[A-Za-v]*$")]


class VisitStep(BaseModel):
    """A post with its numbers; `before` and `after` are the policy in its state, `propensity` pi of its category."""

    t: int
    learning_rate: float
    category: int
    state: int
    next_state: int
    reward: float
    baseline: float
    new_baseline: float
    before: list[float]
    after: list[float]
    advantage: float
    propensity: float


class Replay(BaseModel):
    """A visitor's posts, and the logits (S, K) after the last of them."""

    steps: list[VisitStep]
    logits: list[list[float]]


def replay(visit: Visit) -> Sliced[Replay]:
    """Return a visitor's posts as the compiled kernel has them, some posts at a time."""
    mirror, steps = Visitor(visit.seed, visit.learning_rate), []
    for place, reaction in enumerate(unpack(visit.reactions)):
        if place and place % SLICE == 0:
            yield
        step = mirror.react(reaction.reward)
        steps.append(VisitStep(**plain(step), propensity=mirror.propensity))
    return Replay(steps=steps, logits=mirror.logits.tolist())
