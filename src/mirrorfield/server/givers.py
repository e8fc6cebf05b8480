"""Who may provide G on the page, and how the kernel has each of them."""

from typing import Any

import numpy as np
from pydantic import BaseModel

from mirrorfield.population.lens_tables import make_lens
from mirrorfield.population.scenario import Scenario

GIVERS: dict[str, dict[str, dict[str, Any]]] = {
    "clicker": {"reward": {"source": "clicks"}},
    "rater": {"reward": {"source": "ratings"}},
    "checker": {"reward": {"source": "reward_model", "model": [[0, 0, 0, 1]] * 3}},
    "prompter": {"context": {"source": "query", "kappa": 4}},
    "librarian": {"retrieval": {"corpus": "posts", "retriever": "query", "count": 4}},
}


class Lens(BaseModel):
    """What stands between a person and what is learned of them, in the kernel's float32 and by its names.

    Weights of the reaction and of the label, eq. 10 of docs/labels.md; who rates, how often and with what noise; a
    learned reward (n, S, K); the wish, (K,), in nat; and the shelf: every item's category, quality and nearness to the
    wish, how many are retrieved and after how many posts.
    """

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
    lens = make_lens(Scenario(**settings))._asdict()
    told = {name: lens[name] for name in Lens.model_fields}
    return Lens(**{name: one.tolist() if isinstance(one, np.ndarray) else one for name, one in told.items()})
