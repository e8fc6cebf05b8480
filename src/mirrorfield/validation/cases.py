"""The scenarios whose trajectories are replayed: every rule, every part of a rule, and every mechanism."""

from typing import Any

from mirrorfield.population.scenario import Scenario
from mirrorfield.validation.worlds import ACTIONS, REFERENCE, START, uneven

Cases = dict[str, tuple[Scenario, str]]
RATE = "policy.learning_rate"


def _rules(given: dict[str, tuple[dict[str, Any], str]]) -> Cases:
    return {
        name: (uneven(policy={"start": START} | policy), f"policy.{probe}") for name, (policy, probe) in given.items()
    }


def loop() -> Cases:
    """Return the plain loop, and who people are."""
    beta = {"distribution": "beta", "a": 0.5, "b": 2}
    dirichlet = {"distribution": "dirichlet", "concentration": (0.4, 1.5, 3, 1)}
    mixture = {"distribution": "mixture", "components": [{"weight": 3, "of": beta},
               {"of": {"distribution": "uniform", "low": 0.6, "high": 0.9}}]}  # fmt: skip
    lognormal = {"distribution": "lognormal", "median": (1.5, 0.5, 1, 2), "sigma": 0.7}
    point = {"distribution": "point", "value": (1.2, 0.4, 0.9, 0.6)}
    segments = [{"name": "a", "susceptibility": point, "intentionality": mixture},
                {"name": "b", "weight": 2, "susceptibility": dirichlet, "intentionality": beta},
                {"name": "c", "susceptibility": lognormal}]  # fmt: skip
    long = {"steps": 128, "users": 8}
    return {
        "plain loop": (uneven(**long), RATE),
        "plain loop from unequal logits": (uneven(**long, policy={"start": START}), "policy.start"),
        "default scenario": (Scenario(users=8, steps=128), RATE),
        "lognormal people": (uneven(population={"susceptibility": lognormal}), RATE),
        "Dirichlet and beta people": (uneven(population={"susceptibility": dirichlet, "intentionality": beta}), RATE),
        "segments by weight": (uneven(users=16, population={"segments": segments}), RATE),
        "segments in turn": (uneven(population={"segments": segments, "assign": "cycle"}), RATE),
    }


def presets() -> Cases:
    """Return every preset as it is named."""
    names = ("a2c", "ppo", "ppo-trl", "grpo", "grpo-trl", "grpo-verl", "dr-grpo", "rloo", "dapo")
    return _rules({f"rule {name}": ({"rule": name}, "learning_rate") for name in names})


def parts() -> Cases:
    """Return rules that bring every part of a rule into play: baselines, returns, spreads, clips, leashes, entropy."""
    value = {"baseline": "value", "value_rate": 0.1}
    clip = {"learning_rate": 1.0, "horizon": 8, "epochs": 4, "minibatches": 2, "clip_low": 0.1, "clip_high": 0.3}
    leash = {"beta": 0.4, "reference": REFERENCE, "epochs": 3, "horizon": 4}
    return _rules({
        "no baseline": ({"baseline": "none"}, "learning_rate"),
        "inclusive running mean": ({"baseline": "welford-inclusive", "horizon": 4}, "learning_rate"),
        "exponential mean": ({"baseline": "exponential", "exponential_weight": 0.2}, "exponential_weight"),
        "session returns": ({"horizon": 8, "returns": "session", "discount": 0.8}, "discount"),
        "learned value": ({"horizon": 4, "returns": "session"} | value, "value_rate"),
        "generalised advantage": ({"horizon": 8, "returns": "gae", "discount": 0.9, "trace_decay": 0.6} | value,
                                  "trace_decay"),
        "generalised advantage to the end": (
            {"horizon": 8, "returns": "gae", "discount": 0.9, "trace_decay": 0.6, "bootstrap": False} | value,
            "discount"),
        "groups of rollouts": ({"horizon": 4, "group": 4, "returns": "session", "baseline": "leave-one-out",
                                "discount": 0.9}, "discount"),
        "group mean over rollouts": ({"horizon": 4, "group": 4, "returns": "session", "baseline": "group-mean",
                                      "normalise": "group", "aggregate": "mean"}, "learning_rate"),
        "z-score with ddof 0": ({"group": 4, "baseline": "group-mean", "normalise": "group", "ddof": 0, "eps": 0.1},
                                "eps"),
        "z-score with ddof 1": ({"group": 4, "baseline": "group-mean", "normalise": "group", "eps": 0.1}, "eps"),
        "whitened batch": ({"horizon": 8, "normalise": "batch", "eps_inside_root": True, "eps": 0.1}, "eps"),
        "spread of a minibatch": ({"horizon": 16, "normalise": "minibatch", "epochs": 3, "minibatches": 2, "eps": 0.1},
                                  "eps"),
        "clip on both sides": (clip, "learning_rate"),
        "dual clip": (clip | {"dual_clip": 1.4}, "learning_rate"),
        "leash k1 in the reward": ({"leash": "k1-in-reward", "horizon": 4, "beta": 0.4, "reference": REFERENCE},
                                   "beta"),
        "leash k2 in the loss": (leash | {"leash": "k2-in-loss"}, "beta"),
        "leash k3 in the loss": (leash | {"leash": "k3-in-loss"}, "beta"),
        "leash k3 times rho": (leash | {"leash": "k3*rho"}, "beta"),
        "leash to where it started": ({"beta": 0.4, "horizon": 4, "epochs": 2}, "beta"),
        "adaptive leash": ({"leash": "k1-in-reward", "beta": 0.4, "reference": REFERENCE, "horizon": 4,
                            "kl_target": 0.1, "kl_horizon": 20.0}, "kl_horizon"),
        "adaptive leash within its limits": ({"beta": 0.4, "reference": REFERENCE, "horizon": 4, "kl_target": 0.5,
                                              "kl_horizon": 20.0}, "kl_target"),
        "entropy bonus": ({"entropy": 0.3, "horizon": 4, "epochs": 2}, "entropy"),
    })  # fmt: skip


HABIT = {"rungs": 3, "slope": 0.3, "width": 0.4, "eta": 0.2, "decay": 0.05}


def intensity() -> Cases:
    """Return adaptive people under rules of both kinds."""
    return {
        "intensity and floor": (uneven(2, intensity=HABIT), "intensity.eta"),
        "intensity and floor, decay": (uneven(2, intensity=HABIT), "intensity.decay"),
        "intensity and floor, width": (uneven(2, intensity=HABIT), "intensity.width"),
        "adaptive people under sessions of rollouts": (
            uneven(2, intensity=HABIT, policy={"horizon": 4, "group": 2, "returns": "session"}), "intensity.eta"),
    }  # fmt: skip


def interventions() -> Cases:
    """Return every part of an intervention, and all at once."""
    given: dict[str, tuple[dict[str, Any], str]] = {
        "exploration": ({"exploration": 0.3}, "exploration"),
        "quota": ({"quota": 0.55}, "quota"),
        "cap on intensity": ({"intensity_cap": 0.5}, "policy.learning_rate"),
        "friction": ({"friction": 0.4}, "policy.learning_rate"),
        "swapped feeds": ({"swap": 0.4, "exploration": 0.1}, "exploration"),
        "nudge": ({"nudge": -0.1, "nudge_share": 0.75}, "nudge"),
        "nudge down": ({"nudge": -0.7}, "policy.learning_rate"),
        "open loop": ({"policy": {"learning_rate": 0.0}}, "policy.learning_rate"),
        "another step size": ({"policy": {"learning_rate": 1.0}}, "policy.learning_rate"),
        "all at once": ({"exploration": 0.2, "quota": 0.6, "intensity_cap": 0.5, "friction": 0.2, "swap": 0.2,
                         "nudge": 0.1}, "quota"),
        "switch to groups": ({"policy": {"rule": "grpo", "learning_rate": 0.4, "group": 4}}, "policy.learning_rate"),
        "switch to an actor": ({"policy": {"rule": "ppo", "learning_rate": 0.4, "horizon": 8}},
                               "policy.learning_rate"),
        "switch to a leash": ({"policy": {"horizon": 5, "returns": "session", "beta": 0.2}}, "policy.beta"),
    }  # fmt: skip
    made: Cases = {}
    for name, (change, probe) in given.items():
        scenario = uneven(2, intensity=HABIT, policy={"learning_rate": 0.5}, intervention=change | {"at": 24})
        owner = "" if probe == "policy.learning_rate" and "policy" not in change else "intervention."
        made[name] = scenario, (owner + probe if change.get("policy", {}).get("learning_rate") != 0.0 else RATE)
    return made


def lens() -> Cases:
    """Return actions, labels, context, priming and retrieval."""

    def case(probe: str, **changes: Any) -> tuple[Scenario, str]:
        return uneven(**changes), probe

    ratings = {"source": "ratings", "intentionality": 0.7, "noise": 1.5, "rate": 0.6}
    model = {"source": "reward_model", "model": REFERENCE}
    context = {"kappa": 0.8, "memory": 5, "blur": 0.1, "priming": 0.5}
    session = {"horizon": 4, "group": 2, "returns": "session"}
    weights = {"reaction": 0.2, "dwell": 0.05, "scroll": -0.6, "like": 1.1, "reply": 2.5, "hide": -3.0}
    acts = {"weights": weights, "scale": 1.5}
    shelf = {"corpus": "posts", "refresh": 8, "count": 6, "memory": 5}
    return {
        "ratings": case("reward.noise", reward=ratings),
        "ratings at another intentionality": case("reward.intentionality", reward=ratings | {"rate": 1.0}),
        "click and rating in a mixture": case("reward.weight", reward=ratings | {"source": "mixture", "weight": 0.3}),
        "reward model": case("reward.model", reward=model),
        "objective of actions": case("objective.scale", objective=acts, actions=ACTIONS),
        "objective of predictions": case(
            "objective.scale", objective=acts | {"learns_from": "predictions"}, actions=ACTIONS),
        "objective and ratings under sessions": case("objective.scale", objective=acts, actions=ACTIONS,
            reward=ratings | {"source": "mixture", "rate": 1.0}, policy=session),
        "objective of people who are nudged": case("intervention.nudge", objective=acts, actions=ACTIONS,
            intervention={"at": 16, "nudge": 0.3, "nudge_share": 0.75}),
        "session context and priming": case("context.kappa", context=context),
        "memory and blur": case("context.blur", context=context | {"priming": -0.4}),
        "priming alone": case("context.priming", context={"priming": 0.6, "memory": 3}),
        "context of a query": case("context.kappa", context={"source": "query", "kappa": 0.7}),
        "context and ratings under sessions": case(
            "context.kappa", context=context, reward=ratings | {"rate": 1.0}, policy=session),
        "whole corpus": case(RATE, retrieval={"corpus": "posts"}),
        **{f"retrieval by {how}": case(RATE, retrieval=shelf | {"retriever": how})
           for how in ("history", "query", "random")},
        "diverse retrieval": case(RATE, retrieval=shelf | {"retriever": "diverse", "diversity": 0.4}),
        "retrieval under sessions": case(RATE, retrieval=shelf | {"retriever": "history"}, policy=session),
    }  # fmt: skip
