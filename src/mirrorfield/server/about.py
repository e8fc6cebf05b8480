"""What the page asks once: what there is to show."""

from pydantic import BaseModel

from mirrorfield.arrays import STATES
from mirrorfield.population.posts import Post, posts
from mirrorfield.population.scenario import CATEGORIES
from mirrorfield.server.catalogue import billion
from mirrorfield.server.parts import PRESETS, Parts
from mirrorfield.version import VERSION


class Kind(BaseModel):
    """A category, with its colour."""

    name: str
    color: str


class Billion(BaseModel):
    """The recorded run of a billion, with the command and the machine that made it."""

    command: str
    machine: str
    users: int
    t: int
    shares: list[float]
    states: list[float]
    locked_in: float
    effective_categories: float
    filter_bubble: float


class About(BaseModel):
    """Everything on the page that does not move."""

    version: str
    categories: list[Kind]
    states: list[str]
    rules: dict[str, Parts]
    posts: list[Post]
    billion: Billion


def about_this() -> About:
    """Return version, categories with colours, states, rules, posts, and a recorded run of a billion."""
    return About(
        version=VERSION,
        categories=[Kind(name=c.name, color=c.color) for c in CATEGORIES],
        states=list(STATES),
        rules=PRESETS,
        posts=list(posts()),
        billion=Billion(**billion()),
    )
