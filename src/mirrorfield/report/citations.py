"""BibTeX for what a scenario used, and for nothing that it did not."""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from math import inf

from mirrorfield.model.draw import BETA, DIRICHLET
from mirrorfield.policy.options import Baseline, Leash, Normalise, Returns
from mirrorfield.policy.rule import Rule
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.tables import population_tables
from mirrorfield.population.worlds import AnyScenario
from mirrorfield.version import VERSION

NAMED_AFTER = {
    "a2c": "mnih2016",
    "ppo": "schulman2017",
    "ppo-trl": "schulman2017",
    "grpo": "shao2024",
    "grpo-trl": "shao2024",
    "grpo-verl": "shao2024",
    "dr-grpo": "liu2025",
    "rloo": "ahmadian2024",
    "dapo": "yu2025",
}
PUBLISHED = {"twitter-2023": "twitter2023", "x-2026": "x2026"}
PREFERENCES = ("bradley1952", "christiano2017", "ouyang2022", "rafailov2023", "gao2023")


@cache
def entries() -> dict[str, dict[str, str]]:
    """Return every entry: what it is cited for, its BibTeX kind, and its fields."""
    text = (resources.files("mirrorfield.report") / "references.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def rule_keys(rule: Rule) -> set[str]:
    """Return the keys of a rule's parts that change what it does; a clip does nothing if a session gives one step.

    >>> sorted(rule_keys(Rule(0.1, beta=0.1)))
    ['schulman2020']
    """
    reused, leashed = rule.epochs * rule.minibatches > 1, rule.beta > 0
    learned = rule.baseline in (Baseline.EXPONENTIAL, Baseline.VALUE)
    alone = rule.baseline == Baseline.GROUP_MEAN and rule.normalise != Normalise.GROUP
    used = {
        "sutton2018": learned or (rule.returns == Returns.SESSION and rule.horizon > 1),
        "schulman2016": rule.returns == Returns.GAE,
        "schulman2017": reused and min(rule.clip_low, rule.clip_high) < inf,
        "ye2020": reused and rule.dual_clip < inf,
        "yu2025": reused and rule.clip_low != rule.clip_high,
        "shao2024": rule.normalise == Normalise.GROUP or (leashed and rule.leash == Leash.K3_IN_LOSS),
        "liu2025": alone,
        "kool2019": rule.baseline == Baseline.LEAVE_ONE_OUT,
        "ahmadian2024": rule.baseline == Baseline.LEAVE_ONE_OUT,
        "ziegler2019": leashed and (rule.leash == Leash.K1_IN_REWARD or rule.kl_horizon < inf),
        "schulman2020": leashed,
        "williams1991": rule.entropy > 0,
    }
    return {key for key, is_used in used.items() if is_used}


def keys(scenario: AnyScenario) -> list[str]:
    """Return the keys of what a scenario uses, in the order of the entries.

    >>> from mirrorfield.population.scenario import Scenario
    >>> "marsaglia2000" in keys(Scenario())
    False
    """
    if isinstance(scenario, EmbeddingScenario):
        return [key for key in entries() if key in {*keys(scenario.tables()), "chen2019"}]
    drawn, change = population_tables(scenario), scenario.intervention
    gamma = BETA in drawn.intentionality_kind or DIRICHLET in drawn.susceptibility_kind
    used = {"williams1992", "welford1962", "blackman2021", "steele2014", "box1958", "hill1973", "lin1991"}
    used |= {"marsaglia2000"} if gamma and scenario.population.file is None else set()
    used |= {"helson1948"} if scenario.intensity.rungs > 1 and scenario.intensity.eta > 0 else set()
    used |= {"chen2019"} if change.exploration > 0 or change.quota < 1 else set()
    used |= {"carbonell1998"} if scenario.retrieval.retriever == "diverse" else set()
    used |= {"reimers2019", "wang2020"} if scenario.retrieval.corpus == "posts" else set()
    used |= {PUBLISHED[scenario.objective.preset]} if scenario.objective.preset in PUBLISHED else set()
    used |= set(PREFERENCES) if scenario.reward.source == "reward_model" else set()
    for policy in (scenario.policy, change.policy or scenario.policy):
        used |= rule_keys(policy.to_rule()) | ({NAMED_AFTER[policy.rule]} if policy.rule in NAMED_AFTER else set())
    return [key for key in entries() if key in used]


def bibtex(scenario: AnyScenario) -> Iterator[str]:
    """Yield the BibTeX entries of what a scenario uses, this package first.

    Parameters: scenario. Source: the pages that each part's docstring names.
    """
    own = {"what": "the simulator", "kind": "software", "title": "mirrorfield", "version": VERSION, "year": "2026"}
    yield _entry("mirrorfield", own | {"author": "{The mirrorfield developers}"})
    for key in keys(scenario):
        yield _entry(key, entries()[key])


def _entry(key: str, values: dict[str, str]) -> str:
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in values.items() if name not in ("what", "kind"))
    return f"% {values['what']}\n@{values['kind']}{{{key},\n{lines}}}\n"
