"""Scenarios that leave nothing equal: states, profiles, people and references all differ, so that no error hides."""

from typing import Any

from mirrorfield.population.scenario import Category, Scenario

COLORS = ("#D55E00", "#CC79A7", "#E69F00", "#0072B2")
REACTIVE = {
    "mean": ((0.9, -0.3, 0.5, 0.2), (0.4, 1.1, -0.2, 0.6), (1.3, 0.2, 0.8, -0.5)),
    "std": ((0.5, 0.3, 0.2, 0.6), (0.4, 0.7, 0.3, 0.2), (0.6, 0.25, 0.45, 0.35)),
    "up": ((0.5, 0.3, 0.6, 0.2), (0.4, 0.2, 0.5, 0.3), (0.1, 0.3, 0.2, 0.4)),
    "down": ((0.2, 0.1, 0.3, 0.2), (0.3, 0.4, 0.1, 0.35), (0.5, 0.2, 0.4, 0.3)),
}
INTENTIONAL = {
    "mean": ((0.1, 0.4, -0.2, 1.0), (0.3, 0.2, 0.6, 0.8), (-0.1, 0.5, 0.3, 0.9)),
    "std": ((0.2, 0.1, 0.3, 0.15), (0.25, 0.2, 0.1, 0.3), (0.1, 0.3, 0.2, 0.25)),
    "up": ((0.3, 0.2, 0.1, 0.25), (0.15, 0.3, 0.2, 0.1), (0.2, 0.1, 0.3, 0.15)),
    "down": ((0.1, 0.3, 0.2, 0.15), (0.4, 0.2, 0.3, 0.25), (0.3, 0.35, 0.2, 0.4)),
}
START = ((0.4, -0.3, 0.1, -0.2), (-0.5, 0.6, 0.0, 0.2), (0.3, 0.1, -0.4, 0.5))
REFERENCE = ((0.2, 0.5, -0.6, 0.1), (0.7, -0.2, 0.3, -0.4), (-0.3, 0.4, 0.6, -0.1))
ACTIONS = {
    "dwell": {
        "reactive": ((1.0, 3.0, 2.0, 0.7), (2.0, 5.0, 4.0, 1.2), (6.0, 9.0, 1.5, 3.0)),
        "intentional": ((2.5, 0.8, 1.5, 9.0), (3.0, 1.0, 2.0, 12.0), (2.0, 1.2, 4.0, 7.0)),
        "sigma": 0.7,
        "short": 1.8,
    },
    "kinds": (
        {"name": "like", "reactive": (0.2, 0.5, 0.3, 0.1), "intentional": (0.05, 0.1, 0.15, 0.6)},
        {"name": "reply", "reactive": ((0.1,) * 4, (0.3, 0.2, 0.1, 0.05), (0.6, 0.4, 0.2, 0.1)), "intentional": 0.08},
        {"name": "hide", "reactive": (0.02, 0.05, 0.1, 0.3), "intentional": (0.4, 0.3, 0.2, 0.02),
         "susceptible": False},
    ),
}  # fmt: skip
NAMES = ("threat", "tribal", "validation", "depth")


def _first(tables: dict[str, Any], categories: int) -> dict[str, Any]:
    return {name: tuple(row[:categories] for row in table) for name, table in tables.items()}


def uneven(categories: int = 4, **changes: Any) -> Scenario:
    """Return a scenario in which every state, category and person has numbers of its own."""
    values: dict[str, Any] = {
        "users": 4,
        "steps": 64,
        "seed": 3,
        "policy": {},
        "record": {"steps": 12},
        "categories": [
            Category(name=name, color=color) for name, color in zip(NAMES[:categories], COLORS, strict=False)
        ],
        "reactive": _first(REACTIVE, categories),
        "intentional": _first(INTENTIONAL, categories),
    }
    changes["policy"] = {"learning_rate": 0.3} | changes.get("policy", {})
    return Scenario(**(values | changes))
