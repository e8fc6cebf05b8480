"""Whether an object keeps the contract, tried on a few made-up people; what it does wrong is one line."""

import pickle
from typing import Any

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.contract import Seen, name_of
from mirrorfield.engine.calls import call, distribution, react
from mirrorfield.engine.luck import ArmLuck, PostLuck
from mirrorfield.errors import InputError
from mirrorfield.kernel import persons

PEOPLE, ARMS, POSTS, SPLIT, SEED = 12, 5, 8, 5, 7
RECOMMENDER, PERSON = ("start", "serve", "learn"), ("start", "react")


def _has(thing: Any, kind: str, methods: tuple[str, ...]) -> None:
    for method in methods:
        if not callable(getattr(thing, method, None)):
            expected = ", ".join(methods)
            raise InputError(f"{name_of(thing)}: expected {kind} with the methods {expected}; it has no {method}")
    if isinstance(thing, type):
        raise InputError(f"{thing.__name__}: expected an object, got a class; call it: {thing.__name__}()")


def check_picklable(thing: Any) -> None:
    """Raise InputError unless an object can be pickled and read again."""
    try:
        pickle.loads(pickle.dumps(thing))
    except Exception as error:
        raise InputError(
            f"{name_of(thing)}: cannot be pickled, so no other process can run it and no folder can name it: {error}"
        ) from None


def check_recommender(
    recommender: Any, *, categories: int = ARMS, observe: str = "history", closing: bool = True, portable: bool = True
) -> None:
    """Raise InputError, with one line, unless an object keeps the contract of a recommender.

    It runs 12 made-up people for 8 posts: its methods exist and do not raise; `serve` gives finite rows that sum to 1,
    0 on arms that may not be shown, and does not change the state; rows do not depend on who else is there, bit for
    bit, unless it is `shared`; it looks at arousal only under observe="state"; it can be pickled.

    Parameters: recommender; categories, how many arms there are; observe, "history" or "state"; closing, whether some
    arms may not be shown to some people, as under an intensity cap or retrieval; portable, whether it has to be
    picklable, as a run folder and other processes need. Source: docs/contract.md.

    >>> from mirrorfield.recommenders import EpsilonGreedy
    >>> check_recommender(EpsilonGreedy())
    """
    _has(recommender, "a recommender", RECOMMENDER)
    if not isinstance(getattr(recommender, "shared", None), bool):
        raise InputError(f"{name_of(recommender)}.shared: expected True or False")
    if observe not in ("history", "state"):
        raise InputError(f'observe: expected "history" or "state", got "{observe}"')
    if portable:
        check_picklable(recommender)
    everyone = np.arange(PEOPLE)
    together = _served(recommender, everyone, categories, observe, closing)
    if recommender.shared:
        return
    parts = np.split(everyone, [SPLIT])
    apart = np.concatenate([_served(recommender, part, categories, observe, closing) for part in parts], axis=1)
    if not np.array_equal(together, apart):
        post = int((together != apart).any(axis=(1, 2)).argmax())
        raise InputError(
            f"{name_of(recommender)}.{'serve' if post == 0 else 'learn'}: what one person is served depends on who "
            f"else is there, from post {post + 1} on; set shared = True, or use row i of everything for person i alone"
        )


def _served(recommender: Any, ids: IntArray, arms: int, observe: str, closing: bool) -> FloatArray:
    """Return what made-up people with these ids are served, (posts, n, K)."""
    n, rng = len(ids), np.random.default_rng(SEED)
    allowed = np.ones((n, arms), bool)
    allowed[ids % 4 == 3, 1] = not closing
    state = call(recommender, "start", n, arms, np.random.Generator(np.random.Philox(key=SEED)))
    luck, more = PostLuck(SEED, ids), ArmLuck(SEED, ids, int(getattr(recommender, "luck", 0)), arms)
    shown, reward, found = np.full(n, -1), np.zeros(n), []
    for t in range(POSTS):
        arousal = rng.integers(0, 3, PEOPLE)[ids]
        state_seen = arousal if observe == "state" else None
        seen = Seen(t, shown, reward, allowed, np.zeros((n, arms)), more.draw(), state_seen)
        policy = distribution(recommender, call(recommender, "serve", state, seen), allowed, int(ids[0]))
        again = distribution(recommender, call(recommender, "serve", state, seen), allowed, int(ids[0]))
        if not np.array_equal(policy, again):
            raise InputError(
                f"{name_of(recommender)}.serve: two calls on one state give two answers; change it in learn"
            )
        luck.next_post()
        shown, propensity = np.empty(n, np.int64), np.empty(n)
        persons.choose(policy, luck.choice, shown, propensity)
        reward = 0.3 * shown + luck.noise
        state = call(recommender, "learn", state, seen, shown, reward, propensity)
        found.append(policy)
    return np.array(found)


def check_people(people: Any, *, categories: int = ARMS, portable: bool = True) -> None:
    """Raise InputError, with one line, unless an object keeps the contract of people.

    It shows 12 of them 8 posts: the methods exist and do not raise; reactions are finite, (n,); what a person does
    does not depend on who else is there, bit for bit; arousal, where there is any, is 0, 1 or 2, and the law of the
    next state has rows that sum to 1; it can be pickled.

    Parameters: people; categories, how many arms they can be shown; portable, as for a recommender. Source:
    docs/contract.md.
    """
    _has(people, "people", PERSON)
    if portable:
        check_picklable(people)
    everyone = np.arange(PEOPLE)
    together = _reactions(people, everyone, categories)
    apart = np.concatenate([_reactions(people, part, categories) for part in np.split(everyone, [SPLIT])], axis=1)
    if not np.array_equal(together, apart):
        raise InputError(
            f"{name_of(people)}.react: what one person does depends on who else is there; use row i of everything, and "
            "the person's own luck, for person i alone"
        )


def _reactions(people: Any, ids: IntArray, arms: int) -> FloatArray:
    """Return the reactions of people with these ids to made-up posts, (posts, n)."""
    n, luck, found = len(ids), PostLuck(SEED, ids), []
    memory = call(people, "start", ids, luck)
    for t in range(POSTS):
        luck.next_post()
        reacted, memory = react(people, memory, (ids + t) % arms, luck, int(ids[0]))
        found.append(reacted)
        if hasattr(people, "arousal") and not np.isin(call(people, "arousal", memory), (0, 1, 2)).all():
            raise InputError(f"{name_of(people)}.arousal: expected 0, 1 or 2 for everyone")
        if hasattr(people, "law"):
            law = np.asarray(call(people, "law", memory, 1))
            if law.shape != (n, arms, 3) or not np.allclose(law.sum(-1), 1, atol=1e-6) or (law < 0).any():
                raise InputError(
                    f"{name_of(people)}.law: expected probabilities of shape {(n, arms, 3)}, rows summing to 1"
                )
    return np.array(found)
