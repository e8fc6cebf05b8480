"""Hidden Markov models of sessions, by expectation and maximisation, many parameter sets at a time.

The state of a person moves within a session as a Markov chain, and every session begins anew. In state j the logarithm
of a dwell above 0 is Normal(m_j, s_j^2), and every action happens with its own probability p_jk, independently; that a
dwell is 0 is one of the actions. These laws are an exponential family, so the log-likelihood of an event is linear in
its features, and what maximises is a ratio of weighted sums of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mirrorfield.calibration.sessions import DWELL, Sessions

Array = NDArray[np.float64]
Kind = Literal["free", "no memory", "no moves"]

SHORT, MOST = 20, 1000
"""Steps from every start, and steps in all."""
GAIN, ROUGH = 1e-8, 1e-6
"""The gain in nats per event below which steps end: where intervals are wanted, and for predictions."""
STARTS, FINALISTS, PRIOR_DWELL = 8, 2, 0.1
FLOOR = -500.0
"""The least log-likelihood of an event in a state, relative to that in the best state: exp(FLOOR) is above 0."""
AT_ONCE = 1 << 22
"""Numbers of (parameter set, event, state) that are held at a time when parameters are moved one by one."""


@dataclass(frozen=True)
class Chains:
    """R hidden Markov models of n states, float64.

    start (R, n): law of the first state. moves (R, n, n): from state, to state; rows sum to 1. mean, sd (R, n): of
    ln(dwell) - centre. acts (R, n, M): probability of every action.
    """

    start: Array
    moves: Array
    mean: Array
    sd: Array
    acts: Array

    def pick(self, order: Sequence[int] | NDArray[np.int64]) -> "Chains":
        """Return some of the models, in this order."""
        return Chains(self.start[order], self.moves[order], self.mean[order], self.sd[order], self.acts[order])

    def ordered(self, has_dwell: bool) -> "Chains":
        """Return the models with their states in order of mean ln(dwell), or of how many actions happen without it."""
        key = self.mean if has_dwell else self.acts.sum(axis=2)
        order = np.argsort(key, axis=1)
        row = np.arange(len(order))[:, None]
        moves = self.moves[row[:, :, None], order[:, :, None], order[:, None, :]]
        return Chains(self.start[row, order], moves, self.mean[row, order], self.sd[row, order], self.acts[row, order])


@dataclass(frozen=True)
class Sums:
    """What expectation leaves of the sessions: expected sums over events in each state, under R models.

    start (R, n): first events. moves (R, n, n): moves. features (R, n, 4 + M): the features of the events, weighted by
    the probability of the state. loglik (R, S): log-likelihood of every session, in nats.
    """

    start: Array
    moves: Array
    features: Array
    loglik: Array


def prior_sums(sessions: Sessions, n: int) -> Sums:
    """Return the prior as one event in each state, with half of every action and even moves, and a tenth of a dwell.

    It keeps every probability off 0 and 1 and every spread off 0. Its weight falls as one over the number of events.
    The dwell has the overall mean and spread, and less weight because it would widen the spreads.
    """
    of_all = sessions.features.mean(axis=0)
    dwelt = max(of_all[1], 1e-9)
    of_dwell = PRIOR_DWELL * np.array([1.0, of_all[2] / dwelt, max(of_all[3] / dwelt, 1e-6)])
    one = np.concatenate([[1.0], of_dwell, np.full(len(sessions.actions), 0.5)])
    moves = np.full((1, n, n), 1 / n)
    return Sums(moves[:, 0], moves, np.broadcast_to(one, (1, n, len(one))), np.zeros((1, 0)))


def coefficients(chains: Chains) -> Array:
    """Return (R, 4 + M, n): by how much every feature of an event adds to its log-likelihood in every state."""
    m, v = chains.mean, chains.sd**2
    odds = np.log(chains.acts) - np.log1p(-chains.acts)
    base = np.log1p(-chains.acts).sum(axis=2)
    dwelt = -0.5 * (m * m / v + np.log(2 * np.pi * v))
    return np.concatenate([np.stack([base, dwelt, m / v, -0.5 / v], axis=1), odds.transpose(0, 2, 1)], axis=1)


def expect(sessions: Sessions, chains: Chains) -> Sums:
    """Return the expected sums and the log-likelihood of every session under every model.

    Formula: alpha_t = b_t (A' alpha_{t-1}) / c_t, beta_t = A (b_{t+1} beta_{t+1}) / c_{t+1}, gamma = alpha beta, and
    ln L = sum_t ln c_t, with c_t such that alpha sums to 1. Source: Rabiner (1989), https://doi.org/10.1109/5.18626.
    """
    order, sizes, longest = sessions.packed
    ends = np.cumsum(sizes)
    features = sessions.features[order]
    b = features @ coefficients(chains)
    top = b.max(axis=2)
    b -= top[:, :, None]
    np.exp(np.maximum(b, FLOOR, out=b), out=b)
    alpha, c = np.empty_like(b), np.empty(b.shape[:2])
    ahead = np.repeat(chains.start[:, None, :], sizes[0], axis=1)
    for m, end in zip(sizes, ends, strict=True):
        joint = ahead[:, :m] * b[:, end - m : end]
        total = joint.sum(axis=2)
        c[:, end - m : end] = total
        alpha[:, end - m : end] = ahead = joint / total[:, :, None]
        ahead = ahead @ chains.moves
    moves = np.zeros_like(chains.moves)
    b /= c[:, :, None]
    back = chains.moves.transpose(0, 2, 1)
    beta = np.ones((len(b), sizes[-1], b.shape[2]))
    for t in range(len(sizes) - 1, 0, -1):
        m, end = sizes[t], ends[t]
        after = b[:, end - m : end] * beta
        before = alpha[:, end - m - sizes[t - 1] : end - m]
        moves += before[:, :m].transpose(0, 2, 1) @ after
        alpha[:, end - m : end] *= beta
        beta = np.ones((len(b), sizes[t - 1], b.shape[2]))
        beta[:, :m] = after @ back
    alpha[:, : sizes[0]] *= beta
    nats = np.log(c) + top
    rank = np.concatenate([np.arange(m) for m in sizes])
    loglik = np.empty((len(b), sizes[0]))
    loglik[:, longest] = [np.bincount(rank, weights=row, minlength=sizes[0]) for row in nats]
    weighted = alpha.transpose(0, 2, 1) @ features
    return Sums(alpha[:, : sizes[0]].sum(axis=1), moves * chains.moves, weighted, loglik)


def total(sums: Sums, prior: Sums) -> Sums:
    """Return sums with those of the prior added."""
    features = sums.features + prior.features
    return Sums(sums.start + prior.start, sums.moves + prior.moves, features, sums.loglik)


def maximise(sums: Sums, kind: Kind) -> Chains:
    """Return the models that maximise the expected log-likelihood.

    "free": any moves. "no memory": every event draws its state anew, from one law. "no moves": a session stays in the
    state that it began in.
    """
    f = sums.features
    mean = f[:, :, 2] / f[:, :, 1]
    sd = np.sqrt(f[:, :, 3] / f[:, :, 1] - mean**2)
    acts = f[:, :, DWELL:] / f[:, :, :1]
    start, moves = sums.start, sums.moves
    if kind == "no memory":
        start, moves = f[:, :, 0], np.repeat(f[:, None, :, 0], f.shape[1], axis=1)
    elif kind == "no moves":
        moves = np.broadcast_to(np.eye(f.shape[1]), moves.shape)
    start = start / start.sum(axis=1, keepdims=True)
    return Chains(start, moves / moves.sum(axis=2, keepdims=True), mean, sd, acts)


def objective(chains: Chains, sums: Sums, prior: Sums, kind: Kind) -> Array:
    """Return what the steps increase (R,): the log-likelihood plus that of the events of the prior, in nats."""
    told: Array = np.einsum("rfn,nf->r", coefficients(chains), prior.features[0])
    told += sums.loglik.sum(axis=1)
    if kind == "free":
        told += (np.log(chains.start) * prior.start).sum(axis=1) + (np.log(chains.moves) * prior.moves).sum(axis=(1, 2))
    elif kind == "no moves":
        told += (np.log(chains.start) * prior.start).sum(axis=1)
    else:
        told += np.log(chains.start).sum(axis=1)
    return told


def starts(sessions: Sessions, n: int, seeds: Sequence[int], kind: Kind) -> Chains:
    """Return one start for each seed: means at random events, the overall spread, likely actions, moves that linger."""
    drawn = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        dwelt = sessions.features[sessions.features[:, 1] > 0]
        mean = np.sort(rng.choice(dwelt[:, 2], n)) if len(dwelt) else np.zeros(n)
        sd = np.full(n, (float(dwelt[:, 2].std()) or 1.0) if len(dwelt) else 1.0)
        near = np.exp(rng.uniform(-1, 1, (n, len(sessions.actions))))
        acts = np.clip(near * sessions.features[:, DWELL:].mean(axis=0), 0.01, 0.99)
        stay = rng.uniform(0.3, 0.9) if kind == "free" else float(kind == "no moves")
        moves = stay * np.eye(n) + (1 - stay) / n
        drawn.append((np.full(n, 1 / n), moves, mean, sd, acts))
    return Chains(*(np.stack(part) for part in zip(*drawn, strict=True)))


@dataclass(frozen=True)
class Found:
    """The best model (R = 1), its objective, how far the second best of the starts stayed below it, and the steps."""

    chains: Chains
    objective: float
    gap: float
    steps: int


def fit_chain(
    sessions: Sessions, n: int, kind: Kind = "free", seeds: Sequence[int] = range(STARTS), gain: float = GAIN
) -> Found:
    """Return the model of n states that the sessions fit best, its states in order.

    Every seed gives a start that is taken 20 steps; the best two go on until a step gains less than `gain` nats per
    event. gap is how much lower the second of them ended, in nats: 0 where both ended in one place.
    Source: Baum, Petrie, Soules & Weiss (1970), https://doi.org/10.1214/aoms/1177697196, for the steps.
    """
    prior = prior_sums(sessions, n)
    chains = starts(sessions, n, seeds if n > 1 else seeds[:1], kind)
    goal, steps = np.full(len(chains.mean), -np.inf), 0
    while steps < MOST:
        sums = expect(sessions, chains)
        before, goal = goal, objective(chains, sums, prior, kind)
        if steps and (goal - before).max() < gain * len(sessions.features):
            break
        if steps == SHORT:
            best = np.argsort(-goal)[:FINALISTS]
            chains, goal, sums = chains.pick(best), goal[best], expect(sessions, chains.pick(best))
        chains = maximise(total(sums, prior), kind)
        steps += 1
    best = np.argsort(-goal)
    gap = float(goal[best[0]] - goal[best[1]]) if len(best) > 1 else 0.0
    return Found(chains.pick(best[:1]).ordered(sessions.has_dwell), float(goal[best[0]]), gap, steps)
