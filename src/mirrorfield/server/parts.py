"""The parts between REINFORCE, PPO and GRPO that the page can switch on; with all of them off it is plain REINFORCE."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mirrorfield.population.base import one_line
from mirrorfield.population.policy import Policy

Width = Annotated[float, Field(ge=0.05, le=1, allow_inf_nan=False)]
SLOWEST_VALUE, FASTEST_VALUE = 0.001, 1.0  # at alpha 0 a value still learns: it must not stay 0 forever


def _number(word: Any) -> Any:
    """Return a whole number that came as a word, as it does in an address."""
    return int(word) if isinstance(word, str) and word.isdecimal() and len(word) < 3 else word


Posts = Annotated[Literal[1, 2, 4, 8], BeforeValidator(_number)]
Passes = Annotated[Literal[1, 2, 4], BeforeValidator(_number)]


class Parts(BaseModel):
    """What is bolted onto REINFORCE, by the words of docs/rules.md; the defaults are every part off.

    Fields: session, posts kept before they are learned from; epochs, passes over them; baseline; z_score, whether
    advantages are put in units of their spread; clip, the width on the ratio of new to old policy, or None; beta, the
    leash to the even policy (k3 in the loss), 0 for none. Raises ValidationError for what docs/rules.md refuses.

    >>> Parts(session=8, baseline="group-mean").policy(0.5)["group"]
    8
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    session: Posts = 1
    epochs: Passes = 1
    baseline: Literal["welford", "value", "group-mean"] = "welford"
    z_score: bool = False
    clip: Width | None = None
    beta: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _sound(self) -> "Parts":
        try:
            Policy(**self.policy(1.0))
        except ValidationError as error:
            raise ValueError(one_line(error, Policy)) from None
        return self

    @property
    def grouped(self) -> bool:
        """Whether the posts of a session all start from one state, to be compared with each other."""
        return self.baseline == "group-mean"

    def policy(self, learning_rate: float) -> dict[str, Any]:
        """Return the settings of a scenario's policy: the learning rate, and those of the parts that are on."""
        found: dict[str, Any] = {"learning_rate": learning_rate}
        if self.session > 1:
            found |= {"group" if self.grouped else "horizon": self.session, "aggregate": "mean"}
        if self.epochs > 1:
            found["epochs"] = self.epochs
        if self.baseline != "welford":
            found["baseline"] = self.baseline
        if self.baseline == "value":
            found["value_rate"] = min(max(0.5 * learning_rate, SLOWEST_VALUE), FASTEST_VALUE)
        if self.z_score:
            found["normalise"] = "group" if self.grouped else "batch"
        if self.clip is not None:
            found |= {"clip_low": self.clip, "clip_high": self.clip}
        if self.beta > 0:
            found |= {"leash": "k3-in-loss", "beta": self.beta}
        return found


PRESETS: dict[str, Parts] = {
    "REINFORCE": Parts(),
    "PPO": Parts(session=8, epochs=4, baseline="value", z_score=True, clip=0.2, beta=0.05),
    "GRPO": Parts(session=8, epochs=1, baseline="group-mean", z_score=True, clip=0.2, beta=0.05),
}
