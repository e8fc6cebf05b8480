"""What a visitor's page may say, validated: nothing else reaches the loop."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from mirrorfield.population.base import Unit
from mirrorfield.server.crowd import SIZES
from mirrorfield.server.mirror import Settings
from mirrorfield.server.parts import Parts

MOST_POSTS = 200

Seed = Annotated[int, Field(ge=0, lt=2**53)]
User = Annotated[int, Field(ge=0, lt=SIZES[-1])]
Place = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Factor = Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Turn(Parts):
    """The sliders and the rule's parts; `start` begins anew with a seed, `turn` goes on with the same luck."""

    type: Literal["start", "turn"]
    seed: Seed = 1
    intentionality: Unit = 0.2
    learning_rate: Factor = 0.5
    noise: Factor = 1.0

    def settings(self) -> Settings:
        """Return the settings of a mirror."""
        parts = Parts(**{name: getattr(self, name) for name in Parts.model_fields})
        return Settings(self.seed, self.intentionality, self.learning_rate, self.noise, parts)


class Turned(Parts):
    """The simulated person of a scenario file: seed, lambda, alpha, the rule's parts, and the number of posts."""

    seed: Seed = 1
    intentionality: Unit = 0.2
    learning_rate: Factor = 0.5
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    def settings(self) -> Settings:
        """Return the settings of a mirror, with the noise that a scenario has."""
        parts = Parts(**{name: getattr(self, name) for name in Parts.model_fields})
        return Settings(self.seed, self.intentionality, self.learning_rate, parts=parts)


class Auto(_Message):
    """Let the simulated user react to some posts."""

    type: Literal["auto"]
    posts: Annotated[int, Field(ge=1, le=MOST_POSTS)] = 1


class Begin(_Message):
    """A crowd from the start, with its size, its luck and its learning rate."""

    type: Literal["begin"]
    users: Literal[20_000, 200_000, 1_000_000] = 20_000
    seed: Seed = 1
    learning_rate: Factor = 0.1


class Go(_Message):
    """Show everyone some posts, with these sliders: learning rate, and what is added to everyone's lambda."""

    type: Literal["go"]
    posts: Annotated[int, Field(ge=0, le=MOST_POSTS)] = 1
    learning_rate: Factor = 0.1
    shift: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] = 0.0


class Who(_Message):
    """Ask who a user is; `watch`, and every frame says where it stands."""

    type: Literal["who"]
    user: User
    watch: bool = True


class Near(_Message):
    """Ask who stands nearest to a place on the map."""

    type: Literal["near"]
    x: Place
    y: Place
    watch: bool = False


class Pair(_Message):
    """Watch two people: these two, one and its neighbour in profile, or the two nearest neighbours of all."""

    type: Literal["pair"]
    user: User | None = None
    other: User | None = None


CrowdMessage = Annotated[Begin | Go | Who | Near | Pair, Field(discriminator="type")]
CROWD_READER: TypeAdapter[Begin | Go | Who | Near | Pair] = TypeAdapter(CrowdMessage)
Message = Annotated[Turn | Auto, Field(discriminator="type")]
READER: TypeAdapter[Turn | Auto] = TypeAdapter(Message)
