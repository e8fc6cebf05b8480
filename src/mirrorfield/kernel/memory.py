"""A rule in the numbers that compiled code reads, and room for the posts of a session."""

from math import inf
from typing import Any, NamedTuple

import numpy as np

from mirrorfield.arrays import F32Array, IntArray
from mirrorfield.kernel.jit import aligned_array
from mirrorfield.policy.options import Aggregate, Leash, Normalise
from mirrorfield.policy.rule import Rule
from mirrorfield.policy.softmax import log_softmax


class Terms(NamedTuple):
    """A Rule in the numbers that compiled code reads: whole ones, float32, and log pi_ref of shape (S K,)."""

    categories: Any
    posts: int
    horizon: int
    group: int
    epochs: int
    minibatches: int
    returns: int
    baseline: int
    normalise: int
    leash: int
    logs: bool  # whether any part asks for log pi
    reused: bool  # whether a session gives more than one step
    pulled: bool  # whether there is a leash in the loss
    in_reward: bool  # whether there is a leash in the reward
    adaptive: bool  # whether the leash's coefficient changes
    eps_inside_root: bool
    step_size: Any  # alpha / m, or alpha where posts add up
    value_size: Any
    bonus_size: Any
    discount: Any
    trace_decay: Any
    bootstrap: Any
    exponential_weight: Any
    ddof: Any
    eps: Any
    clip_low: Any
    clip_high: Any
    dual_clip: Any
    beta: Any
    kl_target: Any
    posts_per_kl_horizon: Any
    inverse_posts: Any
    reference: F32Array  # (S K,) log pi_ref


class Memory(NamedTuple):
    """The posts of a session of P posts, for n users; a cell is s K + a, the state and category of a post."""

    cell: IntArray  # (P, n)
    target: F32Array  # (P, n) rewards, then what the posts are credited with
    gain: F32Array  # (P, n) advantages
    end: F32Array  # (group, n) state after each rollout
    running: F32Array  # (n,) running mean of returns
    lost: F32Array  # (n,) what rounding lost of it
    packed: IntArray  # (P, n) cell and advantage in one word, for shuffling
    place: IntArray  # (n,) scratch for shuffling
    shuffle: IntArray  # (4, n) words of the stream for shuffling
    passing: F32Array  # (4, n) scratch for crediting


def terms_of(rule: Rule, categories: int) -> Terms:
    """Return the rule's numbers, real ones rounded to float32."""
    f32 = np.float32
    rule = rule.in_single_precision()
    size = f32(1 / (rule.posts // rule.minibatches)) if rule.aggregate == Aggregate.MEAN else f32(1)
    alpha, steps, leashed = f32(rule.learning_rate), rule.epochs * rule.minibatches, rule.beta > 0
    whole = rule.normalise == Normalise.MINIBATCH and rule.minibatches == 1
    return Terms(
        categories=np.int32(categories),
        posts=rule.posts,
        horizon=rule.horizon,
        group=rule.group,
        epochs=rule.epochs,
        minibatches=rule.minibatches,
        returns=int(rule.returns),
        baseline=int(rule.baseline),
        normalise=int(Normalise.BATCH if whole else rule.normalise),
        leash=int(rule.leash),
        logs=leashed or rule.entropy > 0 or steps > 1,
        reused=steps > 1,
        pulled=leashed and rule.leash != Leash.K1_IN_REWARD,
        in_reward=leashed and rule.leash == Leash.K1_IN_REWARD,
        adaptive=leashed and rule.kl_horizon != inf,
        eps_inside_root=rule.eps_inside_root,
        step_size=alpha * size,
        value_size=f32(rule.value_rate) * size,
        bonus_size=alpha * size * f32(rule.entropy),
        discount=f32(rule.discount),
        trace_decay=f32(rule.trace_decay),
        bootstrap=f32(rule.bootstrap),
        exponential_weight=f32(rule.exponential_weight),
        ddof=f32(rule.ddof),
        eps=f32(rule.eps),
        clip_low=f32(rule.clip_low),
        clip_high=f32(rule.clip_high),
        dual_clip=f32(rule.dual_clip),
        beta=f32(rule.beta),
        kl_target=f32(rule.kl_target),
        posts_per_kl_horizon=f32(rule.posts / rule.kl_horizon),
        inverse_posts=f32(1 / rule.posts),
        reference=log_softmax(rule.reference_logits(categories)).astype(np.float32).reshape(-1),
    )


def empty_memory(rule: Rule, lanes: int) -> Memory:
    """Return memory for a block of `lanes` users under a rule."""
    posts, shuffled = rule.posts, rule.posts if rule.minibatches > 1 else 0
    return Memory(
        cell=aligned_array(posts, lanes, dtype=np.int32),
        target=aligned_array(posts, lanes),
        gain=aligned_array(posts, lanes),
        end=aligned_array(rule.group, lanes),
        running=aligned_array(lanes),
        lost=aligned_array(lanes),
        packed=np.empty((shuffled, lanes), np.uint64),
        place=aligned_array(lanes, dtype=np.int32),
        shuffle=aligned_array(4, lanes, dtype=np.uint32),
        passing=aligned_array(4, lanes),
    )
