"""Who a person is, drawn anew in float64 from a scenario's plain values and the person's own luck."""

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.theory.luck import Luck

Values = Mapping[str, Any]
S = 3


def table(value: Any, categories: int) -> FloatArray:
    """Return one number, one per category or one row per state as float64 (S, K).

    >>> table((1.0, 2.0), 2).shape
    (3, 2)
    """
    return np.broadcast_to(np.asarray(value, float), (S, categories)).copy()


def moves(profile: Values, categories: int) -> FloatArray:
    """Return the law of the next state, (S, K, S): one state up or down, staying at the ends, or as listed."""
    if profile.get("transition") is not None:
        return np.asarray(profile["transition"], float)
    up, down = table(profile["up"], categories), table(profile["down"], categories)
    law = np.zeros((S, categories, S))
    law[0, :, 1], law[1, :, 2] = up[0], up[1]
    law[1, :, 0], law[2, :, 1] = down[1], down[2]
    for s in range(S):
        law[s, :, s] = 1 - law[s].sum(axis=1)
    return law


def draw_person(values: Values, user: int) -> tuple[float, FloatArray, int]:
    """Return a user's intentionality, susceptibility (K,) and segment, from a scenario's values.

    Source: docs/model.md, section 1; docs/scenario.md for the distributions.
    """
    seed, k, population = values["seed"], len(values["categories"]), values["population"]
    segments = population["segments"] or (population,)
    if population["assign"] == "cycle":
        segment = user % len(segments)
    else:
        segment = _fallen(Luck(seed, user, "segment"), [part.get("weight", 1.0) for part in segments])
    part = segments[segment]
    w = draw_susceptibility(part["susceptibility"], k, Luck(seed, user, "susceptibility"))
    return draw_intentionality(part["intentionality"], Luck(seed, user, "intentionality")), w, segment


def _fallen(luck: Luck, weights: list[float]) -> int:
    edges, u = list(accumulate(weights)), luck.uniform()
    return sum(u >= edge / edges[-1] for edge in edges[:-1])


def draw_susceptibility(spec: Values, categories: int, luck: Luck) -> FloatArray:
    """Return w_u, (K,): a point, a lognormal number for each category, or K times a Dirichlet variate."""
    if spec["distribution"] == "point":
        return np.broadcast_to(np.asarray(spec["value"], float), categories).copy()
    if spec["distribution"] == "lognormal":
        n = np.array([luck.normal() for _ in range(categories)])
        return np.asarray(spec["median"] * np.exp(spec["sigma"] * n))
    shapes = np.broadcast_to(np.asarray(spec["concentration"], float), categories)
    parts = np.array([luck.gamma(float(shape)) for shape in shapes])
    return np.asarray(categories * parts / parts.sum())


def draw_intentionality(spec: Values, luck: Luck) -> float:
    """Return lambda_u: one component of a mixture, and in it a point, a uniform or a beta variate."""
    alone: tuple[Values, ...] = ({"weight": 1.0, "of": spec},)
    parts: tuple[Values, ...] = spec["components"] if spec["distribution"] == "mixture" else alone
    law = parts[_fallen(luck, [part["weight"] for part in parts])]["of"]
    if law["distribution"] == "point":
        return float(law["value"])
    if law["distribution"] == "uniform":
        return float(law["low"] + (law["high"] - law["low"]) * luck.uniform())
    one, other = luck.gamma(law["a"]), luck.gamma(law["b"])
    return one / (one + other)
