"""Build a Rule part by part, in the order in which a session's numbers pass through the parts."""

from enum import IntEnum
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple, TypeVar

from mirrorfield.errors import InputError, nearest
from mirrorfield.policy.options import Aggregate, Baseline, Leash, Normalise, Returns, word_of
from mirrorfield.policy.rule import Rule

Choice = TypeVar("Choice", bound=IntEnum)

ORDER = {
    "reinforce": "it is the update that all others are bolted on to",
    "session": "it says which posts there are to learn from",
    "kl_leash in the reward": "it changes the reward that returns, baselines and spreads are made of",
    "returns": "it turns rewards into what a post is credited with",
    "baseline": "it is taken off the return; a spread or a clip before it would belong to another quantity",
    "normalise": "it divides advantages, which exist after the baseline",
    "clip": "it bounds the step on the final advantage",
    "kl_leash in the loss": "it adds to the gradient, and neither baseline nor clip may act on it",
    "entropy": "it adds to the gradient, and neither baseline nor clip may act on it",
}


class Piece(NamedTuple):
    """One part of a chain: its place in ORDER, and the fields of the Rule that it sets."""

    name: str
    settings: dict[str, Any]


def chain(*parts: Piece) -> Rule:
    """Return the Rule made of `reinforce(...)` and any bolt-ons, each at most once and in order.

    Formula: theta[s_t] += alpha w_t (1[a_t] - pi), with w_t the advantage and whatever is bolted on to it.

    Parameters: parts in the order of ORDER. Returns a frozen Rule. Raises InputError for an unsound order or
    combination, with the reason. Source: docs/rules.md.

    >>> chain(reinforce(0.1), baseline("welford"), clip(inf)) == Rule(0.1)
    True
    """
    places = list(ORDER)
    if not parts or parts[0].name != "reinforce":
        came = f"{parts[0].name} first" if parts else "nothing"
        raise InputError(f"chain: expected reinforce(...) first, got {came}; {ORDER['reinforce']}")
    settings: dict[str, Any] = {}
    for before, part in pairwise(parts):
        if part.name == before.name:
            raise InputError(f"chain: expected {part.name} once, got it twice; keep one of them")
        if places.index(part.name) < places.index(before.name):
            raise InputError(
                f"chain: expected {part.name} before {before.name}, got it after; {ORDER[part.name]}. "
                f"The order is: {', '.join(places)}"
            )
    for part in parts:
        settings.update(part.settings)
    if sum(part.name.startswith("kl_leash") for part in parts) > 1:
        raise InputError("chain: expected one kl_leash, got two; a rule has one coefficient and one reference")
    return Rule(**settings)


def reinforce(learning_rate: float, start: Any = ()) -> Piece:
    """Return REINFORCE with step size alpha > 0, in 1/reaction; off value: it has none.

    Parameters: start, the logits that every user starts with: () for the uniform policy, K or S rows of K.
    """
    return Piece("reinforce", {"learning_rate": learning_rate, "start": _rows(start)})


def session(horizon: int = 1, group: int = 1, epochs: int = 1, minibatches: int = 1, aggregate: str = "mean") -> Piece:
    """Return the session: `group` rollouts of `horizon` posts from one state, and how often they are learned from.

    Parameters: whole numbers >= 1; aggregate, "sum" or "mean" over the posts of a minibatch. Off value: all 1.
    """
    how = choose(Aggregate, aggregate, "session: aggregate")
    names = {"horizon": horizon, "group": group, "epochs": epochs, "minibatches": minibatches}
    return Piece("session", {**names, "aggregate": how})


def returns(kind: str = "immediate", discount: float = 1.0, trace_decay: float = 1.0, bootstrap: bool = True) -> Piece:
    """Return what a post is credited with: "immediate", "session" or "gae"; off value: immediate.

    Parameters: discount gamma in (0, 1]; for gae, trace_decay lambda in [0, 1], and whether the state after the
    session's last post counts with its learned value (the user goes on) or with 0 (the session's end is the end).
    """
    numbers = {"discount": discount, "trace_decay": trace_decay, "bootstrap": bootstrap}
    return Piece("returns", {"returns": choose(Returns, kind, "returns"), **numbers})


def baseline(kind: str = "welford", weight: float = 1.0, value_rate: float = 0.0) -> Piece:
    """Return the baseline: "welford", "none", "welford-inclusive", "exponential", "value", "group-mean" or
    "leave-one-out"; off value: welford.

    Parameters: weight in (0, 1] of a new return, for exponential; value_rate > 0, the step size of a learned value.
    """
    kinds = {"baseline": choose(Baseline, kind, "baseline")}
    return Piece("baseline", {**kinds, "exponential_weight": weight, "value_rate": value_rate})


def normalise(kind: str = "none", ddof: int = 1, eps: float = 1e-8, eps_inside_root: bool = False) -> Piece:
    """Return the normalisation of advantages over a "group", the session's "batch" or a "minibatch"; off: "none".

    Parameters: ddof 0 or 1; eps > 0, added to the std, or to the variance if eps_inside_root.
    """
    kinds = {"normalise": choose(Normalise, kind, "normalise")}
    return Piece("normalise", {**kinds, "ddof": ddof, "eps": eps, "eps_inside_root": eps_inside_root})


def clip(low: float = inf, high: float | None = None, dual: float = inf) -> Piece:
    """Return the clip of the ratio to [1 - low, 1 + high], high = low if not given; off value: inf.

    Parameters: low in (0, 1] or inf; high > 0 or inf; dual > 1 + high, the cap where the advantage is < 0, or inf.
    """
    return Piece("clip", {"clip_low": low, "clip_high": low if high is None else high, "dual_clip": dual})


def kl_leash(
    beta: float = 0.0,
    estimator: str = "k2-in-loss",
    reference: Any = (),
    target: float = 1.0,
    horizon: float = inf,
) -> Piece:
    """Return the leash to a frozen reference: "k1-in-reward", "k2-in-loss", "k3-in-loss" or "k3*rho"; off: beta = 0.

    Parameters: beta >= 0, reaction per nat; reference, logits: () for the starting policy, K or S rows of K;
    target > 0, in nats, and horizon, in posts, of the adaptive coefficient (inf: fixed).
    """
    if estimator == "k1-in-loss":
        raise InputError(
            "kl_leash: expected an estimator that pulls, got k1-in-loss; the expected gradient of k1 in the loss is "
            "zero, so there would be no leash at all. Use k2-in-loss, whose expected gradient is that of the KL"
        )
    kind = choose(Leash, estimator.replace("*", "-times-"), "kl_leash: estimator")
    settings = {"leash": kind, "beta": beta, "reference": _rows(reference)}
    place = "reward" if kind is Leash.K1_IN_REWARD else "loss"
    return Piece(f"kl_leash in the {place}", {**settings, "kl_target": target, "kl_horizon": horizon})


def entropy(coefficient: float = 0.0) -> Piece:
    """Return the entropy bonus, coefficient >= 0 in reaction per nat; off value: 0."""
    return Piece("entropy", {"entropy": coefficient})


def choose(choices: type[Choice], word: str, place: str) -> Choice:
    """Return the member that a word such as "group-mean" names, or raise InputError with the nearest one.

    >>> choose(Baseline, "group-mean", "baseline").name
    'GROUP_MEAN'
    """
    words = {word_of(choice): choice for choice in choices}
    if word not in words:
        raise InputError(f'{place}: expected one of {", ".join(words)}, got "{word}".{nearest(word, words)}')
    return words[word]


def _rows(logits: Any) -> tuple[tuple[float, ...], ...]:
    rows = logits if logits and not isinstance(logits[0], int | float) else (logits,) * bool(logits)
    return tuple(tuple(map(float, row)) for row in rows)
