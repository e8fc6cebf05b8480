"""Who may provide G on the page, and how the kernel has each of them."""

from typing import Any

import numpy as np
from pydantic import BaseModel

from mirrorfield.population.action import DEFAULT
from mirrorfield.population.lens_tables import make_lens
from mirrorfield.population.scenario import Scenario

GIVERS: dict[str, dict[str, dict[str, Any]]] = {
    "clicker": {"reward": {"source": "clicks"}},
    "rater": {"reward": {"source": "ratings"}},
    "platform": {"objective": {"preset": "x-2026"}},
    "checker": {"reward": {"source": "reward_model", "model": [[0, 0, 0, 1]] * 3}},
    "prompter": {"context": {"source": "query", "kappa": 4}},
    "librarian": {"retrieval": {"corpus": "posts", "retriever": "query", "count": 4}},
}


class Acts(BaseModel):
    """What people do and what the objective makes of it, docs/objective.md: cells s K + a, seconds, weights over scale.

    `names` of the actions, in the order of the rows; `scale`, what weights are divided by already.
    """

    scale: float

    felt: float
    second: float
    scroll: float
    sigma: float
    short: float
    seconds_reactive: list[float]
    seconds_intentional: list[float]
    names: list[str]
    weight: list[float]
    reactive: list[list[float]]
    intentional: list[list[float]]


class Lens(BaseModel):
    """What stands between a person and what is learned of them, in the kernel's float32 and by its names.

    Weights of the reaction and of the label, eq. 10 of docs/labels.md; who rates, how often and with what noise; a
    learned reward (n, S, K); what people do, where an objective counts it; the wish, (K,), in nat; and the shelf: every
    item's category, quality and nearness to the wish, how many are retrieved and after how many posts.
    """

    acts: Acts | None
    involuntary: float
    deliberate: float
    labelled: bool
    rate: float
    intentionality: float
    noise: float
    model: list[list[list[float]]]
    prompt: list[float]
    kind: list[int]
    quality: list[float]
    relevance: list[float]
    retrieved: int
    refresh: int


def lens_of_giver(settings: dict[str, Any]) -> Lens:
    """Return the lens of a scenario with these settings.

    >>> lens_of_giver(GIVERS["rater"]).deliberate
    1.0
    """
    scenario = Scenario(**settings)
    lens = make_lens(scenario)._asdict()
    acts = lens.pop("acts")
    names = [action.name for action in (scenario.actions or DEFAULT).kinds]
    counted = (
        Acts(scale=scenario.objective.divisor, names=names, **_plain(acts._asdict(), Acts)) if acts.asked else None
    )
    return Lens(acts=counted, **_plain(lens, Lens))


def _plain(numbers: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return those numbers that a model has, as plain values."""
    told = {name: one for name, one in numbers.items() if name in model.model_fields}
    return {name: one.tolist() if isinstance(one, np.ndarray) else one for name, one in told.items()}
