"""The model's counterpart of each published fact: one number of everybody, with a 95% interval.

Every function takes a Bench and who serves: "model", or a null model of `bench.NULLS`. Indices of categories are those
of the default scenario: threat, tribal, validation, depth.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray
from mirrorfield.kernel import Trace
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.concentration import effective_categories
from mirrorfield.metrics.mirrors import Z95, wilson
from mirrorfield.metrics.moments import Moments
from mirrorfield.metrics.outcomes import category_of, deliberate_value
from mirrorfield.policy.softmax import softmax
from mirrorfield.study.bench import Bench
from mirrorfield.study.goodhart import BETAS
from mirrorfield.validation.facing import Measured
from mirrorfield.world.rlhf.labellers import draw_labellers
from mirrorfield.world.rlhf.overoptimisation import goodhart_curve
from mirrorfield.world.rlhf.preferences import collect
from mirrorfield.world.rlhf.reward_model import fit_reward_model

THREAT, TRIBAL, DEPTH = 0, 1, 3
AROUSING = (THREAT, TRIBAL)
RESOLUTION = 1e-6
SESSION, FILM, PAGE = 20, 10, 10
AFTER = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
DRAWS, LABELLERS, LABELS, RIDGE, GOOD = 160, 100, 100, 0.1, (-2.0, -2.0, -1.0, 1.0)
STILL = {"policy.learning_rate": 0.0}
LEVEL = np.arange(3.0)  # of arousal: calm 0, engaged 1, hooked 2


def _mean(values: FloatArray) -> Measured:
    """Return a mean over people with Student's interval; what float32 cannot tell from zero is zero."""
    moments = Moments.of(np.asarray(values, float))
    return Measured(*(0.0 if abs(x) < RESOLUTION else float(x) for x in (moments.mean, *moments.interval())))


def _diet(trace: Trace) -> FloatArray:
    return np.asarray(trace.diet[-1].T, float)


def page_spread(value: FloatArray) -> float:
    """Return the standard deviation over people of the mean of ten posts drawn evenly from categories.

    Formula: sqrt(Var_a v_a / 10), a uniform. The field experiment on timelines gives its effects in this unit: that of
    means of ten posts, in the feed without an algorithm.

    Parameters: value v (K,).

    >>> round(page_spread(np.array([0.0, 1.0])), 4)
    0.1581
    """
    return float(np.sqrt(np.var(value) / PAGE))


def forgetting(bench: Bench, server: str) -> Measured:
    """Posts after everybody's lambda goes from 0 to 1 until depth leads half of the diets; by "fresh", from a start."""
    leads = []
    for posts in AFTER:
        everyone: dict[str, Any] = {
            "population.intentionality": {"distribution": "point", "value": float(server == "fresh")}
        }
        if server == "fresh":
            settings = everyone | {"steps": posts}
        else:
            at = bench.base.steps
            settings = everyone | {"steps": at + posts, "intervention.at": at, "intervention.nudge": 1.0}
        trace = bench.run("model" if server == "fresh" else server, settings)
        leads.append((category_of(_diet(trace), np.arange(trace.state.shape[1])) == DEPTH).sum())
    counts, people = np.array(leads), bench.base.users
    low, high = wilson(counts, np.full(len(counts), people))
    return Measured(_crossing(counts / people), _crossing(high), _crossing(low))


def _crossing(share: FloatArray) -> float:
    """Return where a share first passes one half, linear in log posts; inf if it never does."""
    above = np.flatnonzero(share >= 0.5)
    if not len(above):
        return float("inf")
    i = int(above[0])
    if i == 0:
        return float(AFTER[0])
    part = (0.5 - share[i - 1]) / (share[i] - share[i - 1])
    return float(AFTER[i - 1] * (AFTER[i] / AFTER[i - 1]) ** part)


def session_climb(bench: Bench, server: str) -> Measured:
    """Chance of threat or tribal at the 20th post of a session minus that at the first: start calm, policies fixed."""
    trace = bench.run(server)
    moves, served = trace.moves.astype(float), trace.served.astype(float)[:, list(AROUSING)].sum(axis=1)
    state = np.zeros_like(served)
    state[0] = 1.0
    first = (state * served).sum(axis=0)
    for _ in range(SESSION - 1):
        state = np.einsum("sn,stn->tn", state, moves)
    return _mean((state * served).sum(axis=0) - first)


def arousal(bench: Bench, server: str) -> Measured:
    """Arousal (0, 1, 2) minus that in a random feed, in standard deviations over people in the random feed."""
    return _arousal(bench, bench.run(server))


def arousal_rated(bench: Bench, server: str) -> Measured:
    """The same, for a feed that learns from deliberate ratings in place of reactions."""
    return _arousal(bench, bench.run(server, {"reward.source": "ratings"}))


def _arousal(bench: Bench, trace: Trace) -> Measured:
    chance = bench.run("random").state[-1].astype(float)
    return _mean((trace.state[-1] - chance) / chance.std(ddof=1))


def outgroup(bench: Bench, server: str) -> Measured:
    """Share of tribal in the diet minus 1 / K, in standard deviations of the share among ten posts drawn evenly."""
    diet = _diet(bench.run(server))
    tribal = np.eye(diet.shape[1])[TRIBAL]
    return _mean((diet @ tribal - tribal.mean()) / page_spread(tribal))


def satisfaction(bench: Bench, server: str) -> Measured:
    """Deliberate value of the diet minus that of a random feed, in standard deviations of ten posts drawn evenly."""
    return _satisfaction(bench, bench.run(server))


def satisfaction_rated(bench: Bench, server: str) -> Measured:
    """The same, for a feed that learns from deliberate ratings in place of reactions."""
    return _satisfaction(bench, bench.run(server, {"reward.source": "ratings"}))


def _satisfaction(bench: Bench, trace: Trace) -> Measured:
    worth = bench.base.intentional.table("mean", bench.base.k)
    gained = deliberate_value(trace.served, trace.time_in_state, worth) - worth[0].mean()
    return _mean(gained / page_spread(worth[0]))


def narrowing(bench: Bench, server: str) -> Measured:
    """Effective categories of the diet after the last post minus those after the first."""
    trace = bench.run(server)
    first, last = (effective_categories(trace.diet[at].T.astype(float)) for at in (0, -1))
    return _mean(last - first)


def homogenisation(bench: Bench, server: str) -> Measured:
    """Overlap of two people's diets minus what it would be if each got the category that they react to most.

    Formula: mean over pairs of p_u . p_v minus mean over pairs of q_u . q_v, where q_u is 1 at the category with the
    largest sum_s d_u(s) mu_u[s, a]; the interval is that of the difference's influence function,
    2 (p_u . pbar - q_u . qbar).
    """
    trace = bench.run(server)
    diet = _diet(trace)
    worth = np.einsum("sn,nsa->na", trace.time_in_state.astype(float), bench.mean(server, trace))
    ideal = np.eye(diet.shape[1])[worth.argmax(axis=1)]
    people, value = len(diet), 0.0
    influence = np.zeros(people)
    for sign, feed in ((1, diet), (-1, ideal)):
        total = feed.sum(axis=0)
        value += sign * float(total @ total - (feed**2).sum()) / (people * (people - 1))
        influence += sign * 2 * (feed @ total) / people
    half = Z95 * float(influence.std(ddof=1)) / float(np.sqrt(people))
    return Measured(value, value - half, value + half)


def exploration(bench: Bench, server: str) -> Measured:
    """Share of people locked in if a tenth of all posts is drawn at random, minus the share if not."""
    without, with_it = (
        _diet(bench.run(server, settings)).max(axis=1) > LOCKED_IN
        for settings in (None, {"intervention.exploration": 0.1})
    )
    return _mean(with_it.astype(float) - without)


def films(bench: Bench, server: str) -> Measured:
    """Arousal that ten posts of threat add, minus that of ten of depth, in standard deviations in a random feed."""
    trace = bench.run(server, STILL)
    law, start = bench.transition(server, trace), trace.time_in_state.T.astype(float)
    added = []
    for category in (THREAT, DEPTH):
        state = start
        for _ in range(FILM):
            state = np.einsum("ns,nst->nt", state, law[:, :, category])
        added.append((state - start) @ LEVEL)
    return _mean((added[0] - added[1]) / trace.state[-1].astype(float).std(ddof=1))


def restraint(bench: Bench, server: str) -> Measured:
    """1 minus the ratio of what people do to what impulse alone would have them do, for tribal posts in a random feed.

    Formula: 1 - mean_u sum_s d_u(s) mu_u[s, tribal] / mean_u sum_s d_u(s) w_u mu_reactive[s, tribal]; delta method.
    """
    trace = bench.run(server, STILL)
    time = trace.time_in_state.T.astype(float)
    table = bench.scenario(server).reactive.table("mean", bench.base.k)[:, TRIBAL]
    want = (time @ table) * trace.susceptibility[TRIBAL]
    lam = trace.intentionality.astype(float)
    deliberate = time @ bench.scenario(server).intentional.table("mean", bench.base.k)[:, TRIBAL]
    do = (1 - lam) * want + lam * deliberate
    ratio = float(do.mean() / want.mean())
    half = Z95 * float((do - ratio * want).std(ddof=1)) / float(want.mean()) / float(np.sqrt(len(want)))
    return Measured(1 - ratio, 1 - ratio - half, 1 - ratio + half)


def time_order(bench: Bench, server: str) -> Measured:
    """Mean reaction over all posts in a random feed minus that under the algorithm, each person with themselves."""
    chance, served = bench.run("random"), bench.run(server)
    return _mean(chance.mean_reaction[-1].astype(float) - served.mean_reaction[-1])


def negativity(bench: Bench, server: str) -> Measured:
    """Mean reaction to threat minus that to depth, in a random feed."""
    trace = bench.run(server, STILL)
    means = np.einsum("sn,nsa->na", trace.time_in_state.astype(float), bench.mean(server, trace))
    return _mean(means[:, THREAT] - means[:, DEPTH])


def over_optimisation(bench: Bench, server: str) -> Measured:
    """Deliberate value at the loosest leash minus that at the best one, in reactions, over draws of labels.

    The policy that is optimised serves the last category most of the time, as in docs/rlhf.md, section 8. The best
    leash is that of every second draw, and the difference is measured on the others.
    """
    base, gains = bench.base, []
    reference = np.broadcast_to(softmax(np.array(GOOD)), (len(LEVEL), base.k))
    names, weight = [category.name for category in base.categories], np.full(len(LEVEL), 1 / len(LEVEL))
    for number in range(DRAWS):
        people = draw_labellers(base.model_copy(update={"seed": base.seed + 1 + number}), LABELLERS)
        truth = people.deliberate.mean(axis=0)
        if server == "perfect":
            score = truth
        else:
            labels = collect(people, LABELS, "random", reference)
            score = fit_reward_model(labels, "shared", RIDGE, 0.0, names).score
        gains.append(goodhart_curve(score, reference, {"truth": truth}, weight, BETAS).gain["truth"])
    chosen, judged = np.array(gains[::2]), np.array(gains[1::2])
    return _mean(judged[:, -1] - judged[:, int(chosen.mean(axis=0).argmax())])


MEASURES: dict[str, Callable[[Bench, str], Measured]] = {
    one.__name__: one
    for one in (
        *(forgetting, session_climb, arousal, arousal_rated, outgroup, satisfaction, satisfaction_rated, narrowing),
        *(homogenisation, exploration, films, restraint, time_order, negativity, over_optimisation),
    )
}
