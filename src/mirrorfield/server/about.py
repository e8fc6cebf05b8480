"""What the page asks once: what there is to show."""

from pydantic import BaseModel

from mirrorfield.arrays import STATES
from mirrorfield.model.draw import ReactionTable
from mirrorfield.population.posts import Post, posts
from mirrorfield.population.scenario import CATEGORIES, Scenario
from mirrorfield.population.tables import profile_tables
from mirrorfield.server.givers import GIVERS, Lens, lens_of_giver
from mirrorfield.server.parts import PRESETS, Parts
from mirrorfield.version import VERSION


class Kind(BaseModel):
    """A category."""

    name: str


class Table(BaseModel):
    """A reaction profile in the kernel's float32: mean and std (S, K), transition (S, K, S)."""

    mean: list[list[float]]
    std: list[list[float]]
    transition: list[list[list[float]]]


class Profiles(BaseModel):
    """The two profiles that everyone is between."""

    reactive: Table
    intentional: Table


class About(BaseModel):
    """Everything on the page that does not move."""

    version: str
    categories: list[Kind]
    states: list[str]
    profiles: Profiles
    rules: dict[str, Parts]
    givers: dict[str, Lens]
    posts: list[Post]


def _table(table: ReactionTable) -> Table:
    return Table(mean=table.mean.tolist(), std=table.std.tolist(), transition=table.transition.tolist())


def about_this() -> About:
    """Return version, categories, states, profiles, rules, who may provide G, and posts."""
    profiles = profile_tables(Scenario())
    return About(
        version=VERSION,
        categories=[Kind(name=c.name) for c in CATEGORIES],
        states=list(STATES),
        profiles=Profiles(reactive=_table(profiles.reactive), intentional=_table(profiles.intentional)),
        rules=PRESETS,
        givers={name: lens_of_giver(settings) for name, settings in GIVERS.items()},
        posts=list(posts()),
    )
