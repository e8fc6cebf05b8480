"""What a fit to a log had to assume of its people, said wherever a figure rests on it."""

from collections.abc import Mapping
from typing import Any

from mirrorfield.population.worlds import AnyScenario

MARK = " (assumed)"
WORDS = {
    "arousal": "arousal (calm, engaged, hooked)",
    "intentionality": "lambda",
    "learning_rate": "the learning rate ({:g})",
}


def assumption(scenario: AnyScenario) -> str:
    """Return the sentence that says what of a scenario's people was not measured; empty if nothing was assumed.

    >>> from mirrorfield.population.scenario import Scenario
    >>> assumption(Scenario(population={"assumed": ["intentionality", "learning_rate"]}))
    'Assumed, not measured: lambda, the learning rate (0.1).'
    >>> assumption(Scenario())
    ''
    """
    parts = [WORDS[part].format(scenario.policy.learning_rate) for part in scenario.population.assumed or ()]
    return f"Assumed, not measured: {', '.join(parts)}." if parts else ""


def marked(summary: Mapping[str, Any], part: str, name: str) -> str:
    """Return the name of a figure, marked if the summary says that this part of the people was assumed.

    >>> marked({"assumed": ["arousal"]}, "arousal", "hooked"), marked({}, "arousal", "hooked")
    ('hooked (assumed)', 'hooked')
    """
    return name + MARK if part in summary.get("assumed", ()) else name
