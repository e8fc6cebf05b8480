"""How the headline depends on the learning rate, which no log gives."""

from typing import Any

from mirrorfield.api import execute
from mirrorfield.population.run import Plan, plan_run, sampled_users

RATES = (0.1, 1.0, 3.0)
PEOPLE = 1000
FIGURES = ("locked_in", "effective_categories", "filter_bubble")


def by_learning_rate(plan: Plan, threads: int | None = None) -> list[dict[str, Any]]:
    """Return the headline of a run of listed people at the learning rates 0.1, 1 and 3.

    Up to 1,000 of the people, spread evenly over their list, are run with the scenario's other settings.

    Parameters: plan, of listed people and the scenario's own recommender; threads, default one per processor. Returns
    for each rate, in this order, "learning_rate", "users" and the figures of `summary.json`, after the last post.
    """
    rows = sampled_users(plan.scenario.users, PEOPLE) % len(plan.population.listed_intentionality)
    people = plan.population.listed_susceptibility[rows], plan.population.listed_intentionality[rows]
    told = plan.scenario.population.model_copy(update={"assumed": None})
    found = []
    for rate in RATES:
        policy = plan.scenario.policy.model_copy(update={"learning_rate": rate})
        changes = {"policy": policy, "population": told, "users": len(rows)}
        figures = execute(plan_run(plan.scenario.model_copy(update=changes), *people), threads).summary
        found.append({"learning_rate": rate, "users": len(rows)} | {name: figures[name] for name in FIGURES})
    return found
