"""How a rule learns, which decides the code that runs it and what a scenario may combine it with."""

from dataclasses import replace

from mirrorfield.policy.options import Baseline
from mirrorfield.policy.rule import Rule


def learner_of(*rules: Rule) -> str:
    """Return how these rules learn: `plain` with no bolt-on, `groups` if a session's posts share a state.

    >>> learner_of(Rule(0.1)), learner_of(Rule(0.1, beta=0.1)), learner_of(Rule(0.1, horizon=4))
    ('plain', 'groups', 'sessions')
    """
    if all(replace(rule, start=()) == Rule(rule.learning_rate) for rule in rules):
        return "plain"
    single = all(rule.horizon == 1 and rule.baseline != Baseline.VALUE for rule in rules)
    return "groups" if single else "sessions"
