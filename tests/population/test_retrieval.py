"""Retrieval: what is taken, what can be seen, and what is refused."""

import numpy as np
import pytest

from mirrorfield import Category, Scenario, simulate
from mirrorfield.engine.between import start_between, take_best
from mirrorfield.errors import InputError
from mirrorfield.population.corpus import load_corpus
from mirrorfield.population.lens_tables import GRAIN, cosines, deliberate_wish, make_lens


def lens_with(**part):
    return make_lens(Scenario(retrieval={"corpus": "posts"} | part))


def test_cosines_are_whole_and_those_of_the_embeddings() -> None:
    posts = load_corpus("posts")
    exact = posts.embedding.astype(float) @ posts.embedding.astype(float).T
    assert np.abs(cosines(posts) * GRAIN**2 - exact).max() < 384**0.5 * GRAIN


def test_relevance_is_the_cosine_to_the_wish() -> None:
    posts, lens = load_corpus("posts"), lens_with(retriever="query")
    means = np.array([posts.embedding[posts.category == a].mean(axis=0) for a in range(4)], float)
    query = deliberate_wish(Scenario()) @ means
    np.testing.assert_allclose(lens.relevance, posts.embedding @ query / np.linalg.norm(query), atol=1e-4)


def test_diverse_items_are_taken_by_marginal_relevance_and_are_less_alike() -> None:
    plain, diverse = (lens_with(retriever=name, count=6) for name in ("history", "diverse"))
    score = np.random.default_rng(1).uniform(0, 1, (50, 60))
    sets = [take_best(score, lens) for lens in (plain, diverse)]
    assert (sets[0].sum(axis=1) == 6).all() and (sets[1].sum(axis=1) == 6).all()
    assert (np.sort(score[0])[-6:] == np.sort(score[0][sets[0][0]])).all()
    alike = [np.mean([plain.gram[np.ix_(taken, taken)].mean() for taken in found]) for found in sets]
    assert alike[1] < alike[0] - 0.02
    first = [int(score[0].argmax())]
    for _ in range(5):
        value = 0.5 * score[0] - 0.5 * plain.gram[:, first].max(axis=1).clip(min=0)
        value[first] = -np.inf
        first.append(int(value.argmax()))
    assert set(first) == set(np.flatnonzero(sets[1][0]))


def test_only_what_is_retrieved_is_served() -> None:
    """One item: its category has the whole feed, whatever was learned; and every user has an item of its own."""
    part = {"corpus": "posts", "retriever": "random", "count": 1, "refresh": 1_000_000}
    sample = simulate(Scenario(users=400, steps=50, retrieval=part)).part.sample
    assert (sample.feed[-1].max(axis=0) == 1).all() and (sample.exposures.max(axis=0) == 50).all()
    shares = np.bincount(sample.feed[-1].argmax(axis=0), minlength=4) / 400
    assert (abs(shares - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 400)).all()


def test_quality_scales_reactions_and_has_mean_one() -> None:
    base = {"users": 20_000, "steps": 20, "policy": {"learning_rate": 0.0}, "record": {"steps": 1}}
    plain, items = (simulate(Scenario(**base, retrieval=part)).part.sample for part in ({}, {"corpus": "posts"}))
    difference = items.mean_reaction[-1].astype(float) - plain.mean_reaction[-1]
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(20_000) and difference.std() > 0.01


def test_a_query_retrieves_what_is_wished_for() -> None:
    part = {"corpus": "posts", "retriever": "query", "count": 6}
    between = start_between(Scenario(retrieval=part), np.arange(10), np.ones((10, 4)))
    posts = load_corpus("posts")
    assert (between.taken.sum(axis=1) == 6).all()
    assert ((between.taken * (posts.category == 3)).sum(axis=1) >= 5).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"retrieval": {"retriever": "history"}}, r'retrieval: corpus: expected a corpus .* "posts" comes with'),
        (
            {"retrieval": {"corpus": "posts", "retriever": "histry"}},
            "'none', 'history', 'query', 'random' or 'diverse'",
        ),
        ({"retrieval": {"corpus": "posts", "retriever": "query", "count": 0}}, r"retrieval\.count: expected"),
        (
            {"retrieval": {"corpus": "posts", "retriever": "query"}, "policy": {"rule": "dr-grpo"}},
            r"retrieval\.refresh: expected a multiple of the session's 8 posts, got 20; use 24",
        ),
        (
            {"retrieval": {"corpus": "posts", "retriever": "query"}, "intervention": {"quota": 0.7}},
            "quota and swap need every category",
        ),
        ({"retrieval": {"corpus": "posts", "retriever": "query"}, "policy": {"beta": 0.1}}, "expected no leash"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(changes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        Scenario(**changes)
    assert "\n" not in str(caught.value)


def test_a_corpus_of_other_categories_is_refused() -> None:
    two = tuple(Category(name=name, color="#000000") for name in ("threat", "calm"))
    profile = {"mean": 0.5, "std": 0.1, "up": 0.1, "down": 0.1}
    with pytest.raises(InputError, match='unknown category "tribal"'):
        simulate(
            Scenario(users=10, categories=two, reactive=profile, intentional=profile, retrieval={"corpus": "posts"})
        )
    with pytest.raises(InputError, match=r"expected \"posts\" or a file that ends in \.npz"):
        simulate(Scenario(users=10, retrieval={"corpus": "post"}))
