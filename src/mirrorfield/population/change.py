"""Parts of a scenario beyond the plain loop: intensity with habituation, and an intervention in the middle of a run."""

from typing import Annotated

from pydantic import Field

from mirrorfield.population.base import MAX_STEPS, Frozen, Unit
from mirrorfield.population.policy import Policy


class Intensity(Frozen):
    """Rungs of intensity in every category, and how the user's floor follows what it is shown.

    Rung i of I has intensity i / (I - 1). The floor h starts at 0, rises by `eta` of the way to a post above it and
    falls by `decay` of the way to one below it; a post below it has its reaction scaled by exp(-(h - i) / width).
    `slope` is the pull of intensity itself: reactions are scaled by 1 + slope i.
    """

    rungs: Annotated[int, Field(ge=1, le=16)] = 1
    slope: Annotated[float, Field(ge=-1, le=100, allow_inf_nan=False)] = 0.0
    width: Annotated[float, Field(ge=1e-6, le=1e6, allow_inf_nan=False)] = 0.5
    eta: Unit = 0.0
    decay: Unit = 0.0

    @property
    def acts(self) -> bool:
        """Whether posts differ in intensity."""
        return self.rungs > 1


class Intervention(Frozen):
    """What changes after post number `at`; every part has a value at which nothing does.

    `exploration`: share of posts drawn evenly from all that may be shown. `quota`: the largest share that one category
    may have. `intensity_cap`: posts above it are not shown. `friction`: share of reactions that the recommender does
    not see. `swap`: share of posts chosen by the feed of another user, id u xor 1, who is simulated also where the
    scenario ends before it. `nudge`: what is added to lambda, of a share `nudge_share` of users. `policy`: the
    recommender from then on.
    """

    at: Annotated[int, Field(ge=0, le=MAX_STEPS)] = 0
    exploration: Unit = 0.0
    quota: Annotated[float, Field(ge=0.5, le=1, allow_inf_nan=False)] = 1.0
    intensity_cap: Unit = 1.0
    friction: Unit = 0.0
    swap: Unit = 0.0
    nudge: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] = 0.0
    nudge_share: Unit = 1.0
    policy: Policy | None = None

    @property
    def acts(self) -> bool:
        """Whether it changes anything, or has a recommender of its own."""
        return self.meddles or self.intensity_cap < 1 or self.nudge != 0 or self.policy is not None

    @property
    def meddles(self) -> bool:
        """Whether it stands between the policy and the post, or the reaction and the recommender."""
        return self.exploration > 0 or self.quota < 1 or self.friction > 0 or self.swap > 0
