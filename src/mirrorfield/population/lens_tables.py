"""Labels, context and retrieval in plain numbers: what the kernel and the reference read."""

import math
from pathlib import Path

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray, IntArray, S
from mirrorfield.errors import InputError
from mirrorfield.kernel import Lens
from mirrorfield.kernel.task import Acts, no_acts
from mirrorfield.maths64 import log
from mirrorfield.model.retrieval import Retriever
from mirrorfield.population.action import DEFAULT, DWELL, REACTION, SCROLL, stacked, table
from mirrorfield.population.corpus import Corpus, load_corpus
from mirrorfield.population.lens import MAX_REWARD
from mirrorfield.population.scenario import Scenario
from mirrorfield.reading import read_npy

GRAIN = 2.0**-15
MAX_ITEMS = 1024


def lens_of(scenario: Scenario) -> Lens | None:
    """Return what stands between a person and what is learned of it, or None where nothing does."""
    return make_lens(scenario) if scenario.lensed else None


def make_lens(scenario: Scenario) -> Lens:
    """Return what stands between a person and what is learned of it; with everything off, a lens that does nothing.

    Raises InputError for a reward model or a corpus that does not fit the scenario, CorruptError for a damaged file.
    """
    reward, context, part = scenario.reward, scenario.context, scenario.retrieval
    click, label = reward.weights
    prompted = context.source == "query"
    corpus = _corpus(scenario)
    items, gram = len(corpus), cosines(corpus)
    everything = part.retriever == "none" or part.count == "all"
    return Lens(
        acts=_acts(scenario),
        involuntary=np.float32(click),
        deliberate=np.float32(label),
        labelled=label > 0 and reward.source != "reward_model",
        rate=np.float32(reward.rate),
        intentionality=np.float32(reward.intentionality),
        noise=np.float32(reward.noise),
        model=reward_models(scenario),
        kappa=np.float32(context.kappa),
        blur=np.float32(context.blur),
        forget=np.float32(1 / context.memory),
        priming=np.float32(context.priming),
        prompt=_prompt(scenario).astype(np.float32),
        looks_back=context.kappa > 0 and not prompted,
        remembers=(context.kappa > 0 and not prompted) or context.priming != 0,
        even=np.float32(1 / scenario.arms),
        kind=corpus.category.astype(np.float32),
        quality=corpus.quality,
        gram=(gram * GRAIN**2).astype(np.float32),
        relevance=_relevance(deliberate_wish(scenario), corpus.category, gram).astype(np.float32),
        retriever=int(Retriever[part.retriever.upper()]),
        retrieved=items if everything else min(int(part.count), items),
        refresh=part.refresh,
        fade=np.float32(1 / part.memory),
        diversity=np.float32(part.diversity),
    )


def _acts(scenario: Scenario) -> Acts:
    """Return what people do and what the objective makes of it; actions without a weight are left out of the sum."""
    objective, people, k = scenario.objective, scenario.actions or DEFAULT, scenario.k
    if not objective.acts:
        return no_acts()
    weights, dwell = objective.resolved, people.dwell
    return Acts(
        asked=True,
        predicted=objective.learns_from == "predictions",
        felt=np.float32(weights.get(REACTION, 0)),
        second=np.float32(weights.get(DWELL, 0)),
        scroll=np.float32(weights.get(SCROLL, 0)),
        sigma=np.float32(dwell.sigma),
        short=np.float32(dwell.short),
        seconds_reactive=table(dwell, "reactive", k, "actions.dwell").ravel().astype(np.float32),
        seconds_intentional=table(dwell, "intentional", k, "actions.dwell").ravel().astype(np.float32),
        weight=np.array([weights.get(action.name, 0) for action in people.kinds], np.float32),
        susceptible=np.array([action.susceptible for action in people.kinds], np.float32),
        reactive=stacked(people, "reactive", k).astype(np.float32),
        intentional=stacked(people, "intentional", k).astype(np.float32),
    )


def deliberate_wish(scenario: Scenario) -> FloatArray:
    """Return what a user asks for when it asks deliberately: shares of categories, float64 (K,), summing to 1.

    Formula: q_a proportional to the mean over states of max(mu_intentional[s,a], 0); even if that is 0 everywhere.

    >>> deliberate_wish(Scenario()).round(3).tolist()
    [0.071, 0.071, 0.143, 0.714]
    """
    wish: FloatArray = scenario.intentional.table("mean", scenario.k).clip(min=0).mean(axis=0)
    return np.asarray(wish / wish.sum() if wish.sum() > 0 else np.full(scenario.k, 1 / scenario.k))


def _prompt(scenario: Scenario) -> FloatArray:
    """Return the tilt of the context before any post, (K I,): that of the user's own wish, or none."""
    context = scenario.context
    if context.source != "query":
        return np.zeros(scenario.arms)
    wish = deliberate_wish(scenario).repeat(scenario.intensity.rungs)
    return np.asarray(context.kappa * log(context.blur + (1 - context.blur) * wish))


def reward_models(scenario: Scenario) -> F32Array:
    """Return the learned rewards, float32 (n, S, K): user u has row u modulo n; (0, S, K) where there is no model.

    Raises InputError for a file that is not there or does not fit, CorruptError for one that cannot be read.
    """
    reward, shape = scenario.reward, (S, scenario.k)
    if reward.model is not None:
        return reward.table().astype(np.float32)[None]
    if reward.model_file is None:
        return np.empty((0, *shape), np.float32)
    file = Path(reward.model_file)
    if not file.is_file():
        raise InputError(f'reward.model_file: expected a .npy file, got "{file}", which is not there')
    models = read_npy(file)
    if models.ndim != 3 or models.shape[1:] != shape or not len(models):
        raise InputError(f"{file}: expected rewards of shape (n, {S}, {scenario.k}), got {np.shape(models)}")
    if models.dtype.kind != "f" or not (abs(models) <= MAX_REWARD).all():
        raise InputError(f"{file}: expected numbers within {MAX_REWARD:g} of zero")
    return np.ascontiguousarray(models, np.float32)


def _corpus(scenario: Scenario) -> Corpus:
    """Return the corpus in the order of the scenario's categories; one without items where there is none."""
    source, names = scenario.retrieval.corpus, [category.name for category in scenario.categories]
    if source is None:
        return Corpus((), np.empty(0, np.int32), np.empty(0, np.float32), np.empty((0, 1), np.float32), ())
    corpus = load_corpus(source).in_order(names)
    order = np.argsort(corpus.category, kind="stable")
    texts = tuple(corpus.text[i] for i in order)
    corpus = Corpus(corpus.categories, corpus.category[order], corpus.quality[order], corpus.embedding[order], texts)
    if len(corpus) > MAX_ITEMS:
        raise InputError(f"retrieval.corpus: expected at most {MAX_ITEMS:,} items, got {len(corpus):,}")
    return corpus


def cosines(corpus: Corpus) -> IntArray:
    """Return the inner products of all pairs of embeddings, int64 (M, M), in units of GRAIN squared.

    Embeddings are rounded to whole multiples of GRAIN first: sums of whole numbers are the same bits on every machine.
    Parameters: corpus. Source: docs/retrieval.md, section 1.

    >>> int(cosines(load_corpus("posts"))[0, 0] * GRAIN**2 * 1000 + 0.5)
    1000
    """
    whole = np.rint(corpus.embedding.astype(np.float64) / GRAIN).astype(np.int64)
    return np.asarray(whole @ whole.T)


def _relevance(wish: FloatArray, category: IntArray, gram: IntArray) -> FloatArray:
    """Return every item's cosine to the user's own query: the categories' mean embeddings, weighted by the wish."""
    if not len(category):
        return np.empty(0)
    query, square = np.zeros(len(category)), 0.0
    for a, weight in enumerate(wish):
        query += weight * (gram[:, category == a].sum(axis=1) / (category == a).sum())
    for a, weight in enumerate(wish):
        square += weight * math.fsum(query[category == a]) / float((category == a).sum())
    return query / math.sqrt(square) * GRAIN if square > 0 else query
