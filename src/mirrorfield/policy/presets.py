"""Named rules, each with the conventions of the implementation it is named after; docs/rules.md has the table.

All take plain gradient steps, where the implementations use Adam or RMSprop, and none clips the gradient's norm. The
sizes of sessions are ours, because theirs fit networks and not one user's table.
"""

from collections.abc import Callable

from mirrorfield.errors import InputError, nearest
from mirrorfield.policy.chain import Piece, baseline, chain, clip, entropy, kl_leash, normalise, returns, session
from mirrorfield.policy.chain import reinforce as update
from mirrorfield.policy.rule import Rule

GROUP = 8


def preset(name: str, learning_rate: float = 0.1) -> Rule:
    """Return the rule with this name; `dataclasses.replace` changes parts of it.

    Parameters: name, one of PRESETS; learning_rate alpha > 0. Returns a Rule. Raises InputError for an unknown name,
    with the nearest one. Source: docs/rules.md.

    >>> preset("rloo").group
    2
    """
    if name not in PRESETS:
        raise InputError(f'rule: "{name}" is not a preset.{nearest(name, PRESETS)} Presets: {", ".join(PRESETS)}.')
    return PRESETS[name](learning_rate)


def reinforce(alpha: float) -> Rule:
    """Return plain REINFORCE with a running mean: every bolt-on off."""
    return chain(update(alpha))


def a2c(alpha: float) -> Rule:
    """Return advantage actor-critic as Stable-Baselines3 has it: 5 posts, no normalisation, no entropy bonus.

    Its value loss is 0.5 times the squared error without a half, so the value's step size is alpha, and at most 1.
    """
    return chain(
        update(alpha),
        session(horizon=5),
        returns("gae", discount=0.99, trace_decay=1.0),
        baseline("value", value_rate=min(alpha, 1.0)),
    )


def ppo(alpha: float) -> Rule:
    """Return PPO as CleanRL has it: z-scores per minibatch, 4 epochs of 4 minibatches, entropy bonus 0.01.

    Its value loss is 0.5 times half the squared error, so the value's step size is alpha / 2, at most 1.
    Its ddof is 1.
    """
    return chain(
        update(alpha),
        session(horizon=32, epochs=4, minibatches=4),
        returns("gae", discount=0.99, trace_decay=0.95),
        baseline("value", value_rate=min(0.5 * alpha, 1.0)),
        normalise("minibatch", ddof=1, eps=1e-8),
        clip(0.2),
        entropy(0.01),
    )


def ppo_trl(alpha: float) -> Rule:
    """Return PPO as TRL has it for language models: k1 in the reward, whole-batch whitening, no discount, no entropy.

    Its value's step size is 0.1 alpha, at most 1; an answer's end is the end, so nothing is bootstrapped.
    """
    return chain(
        update(alpha),
        session(horizon=32, epochs=4),
        kl_leash(0.05, "k1-in-reward"),
        returns("gae", discount=1.0, trace_decay=0.95, bootstrap=False),
        baseline("value", value_rate=min(0.1 * alpha, 1.0)),
        normalise("batch", ddof=1, eps=1e-8, eps_inside_root=True),
        clip(0.2),
    )


def _grouped(alpha: float, *parts: Piece, group: int = GROUP) -> Rule:
    return chain(update(alpha), session(group=group), *parts)


def grpo(alpha: float) -> Rule:
    """Return GRPO as its paper has it: z-score in the group, clip 0.2, k3 in the loss with 0.04.

    The paper adds nothing to the std; eps is 1e-8 here, so that a group of equal rewards has advantage 0.
    """
    z_score = normalise("group", ddof=1, eps=1e-8)
    return _grouped(alpha, baseline("group-mean"), z_score, clip(0.2), kl_leash(0.04, "k3-in-loss"))


def grpo_trl(alpha: float) -> Rule:
    """Return GRPO with TRL's defaults: eps 1e-4 beside a sample std, clip 0.2, and no leash (beta = 0)."""
    z_score = normalise("group", ddof=1, eps=1e-4)
    return _grouped(alpha, baseline("group-mean"), z_score, clip(0.2), kl_leash(0.0, "k3-in-loss"))


def grpo_verl(alpha: float) -> Rule:
    """Return GRPO as verl's examples run it: eps 1e-6, dual clip 3 always on, k3 in the loss with 0.001."""
    z_score = normalise("group", ddof=1, eps=1e-6)
    return _grouped(alpha, baseline("group-mean"), z_score, clip(0.2, dual=3.0), kl_leash(0.001, "k3-in-loss"))


def dr_grpo(alpha: float) -> Rule:
    """Return Dr. GRPO: the group's mean, no std, a constant length normaliser, no leash; (K-1)/K times RLOO."""
    return _grouped(alpha, baseline("group-mean"), clip(0.2))


def rloo(alpha: float) -> Rule:
    """Return RLOO with TRL's defaults: 2 rollouts, leave-one-out, k1 in the reward with 0.05, no whitening."""
    return _grouped(alpha, kl_leash(0.05, "k1-in-reward"), baseline("leave-one-out"), clip(0.2), group=2)


def dapo(alpha: float) -> Rule:
    """Return DAPO: GRPO with clip-higher 0.28 and without a leash; groups of equal rewards are kept, and add 0."""
    return _grouped(alpha, baseline("group-mean"), normalise("group", ddof=1, eps=1e-6), clip(0.2, high=0.28))


PRESETS: dict[str, Callable[[float], Rule]] = {
    "reinforce": reinforce,
    "a2c": a2c,
    "ppo": ppo,
    "ppo-trl": ppo_trl,
    "grpo": grpo,
    "grpo-trl": grpo_trl,
    "grpo-verl": grpo_verl,
    "dr-grpo": dr_grpo,
    "rloo": rloo,
    "dapo": dapo,
}
