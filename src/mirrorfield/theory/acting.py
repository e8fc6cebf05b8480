"""What a person does with a post, and what an objective makes of it, in float64 and from a scenario's plain values."""

import math

from mirrorfield.arrays import FloatArray
from mirrorfield.theory.luck import Luck
from mirrorfield.theory.people import Values, table


class Acting:
    """The actions of one user; `felt`, with the preset "reaction", is 1 unless a weight of that name says otherwise.

    Source: docs/objective.md, eqs. 19 to 21.
    """

    def __init__(self, values: Values, user: int, susceptibility: FloatArray) -> None:
        self.part, self.people, self.w = values["objective"], values["actions"], susceptibility
        self.luck = Luck(values["seed"], user, "action")

    def objective(self, felt: float, lam: float, state: int, category: int, noise: float) -> float:
        """Return G of a post of a category met in a state: the weighted sum of what is done, over the scale."""
        weight, k = {"reaction": 1.0} | self.part["weights"], len(self.w)
        if weight == {"reaction": 1.0} and not self.part["scale"]:
            return felt
        expected, w = self.part["learns_from"] == "predictions", self.w[category]
        total = weight["reaction"] * felt
        for action in self.people["kinds"]:
            one, other = (table(action[end], k)[state, category] for end in ("reactive", "intentional"))
            odds = math.inf if one == 1 else one / (1 - one) * (w if action["susceptible"] else 1)
            chance = (1 - lam) * (1.0 if odds == math.inf else odds / (1 + odds)) + lam * other
            happens = chance if expected else float(self.luck.uniform() < chance)
            total += weight.get(action["name"], 0.0) * happens
        dwell = self.people["dwell"]
        one, other = (table(dwell[end], k)[state, category] for end in ("reactive", "intentional"))
        median, sigma = (1 - lam) * w * one + lam * other, dwell["sigma"]
        if expected:
            seconds = median * math.exp(sigma**2 / 2)
            scrolls = 0.5 * math.erfc(math.log(median / dwell["short"]) / sigma / math.sqrt(2))
        else:
            seconds = median * math.exp(sigma * noise)
            scrolls = float(seconds < dwell["short"])
        total += weight.get("dwell", 0.0) * seconds + weight.get("scroll", 0.0) * scrolls
        return float(total / (self.part["scale"] or 1.0))
