"""Each model to copy against a form of its own: a second computation, an integral or a derivative."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import mirrorfield as mf
from mirrorfield.contract import Seen
from mirrorfield.recommenders import BPR, UCB, EpsilonGreedy, Popularity, Random, Thompson
from mirrorfield.recommenders.means import Means

RNG = np.random.default_rng(4)
N, K, POSTS = 40, 4, 60


def history(recommender, posts: int = POSTS):
    """Return policies, shown arms and rewards of a recommender that serves people with fixed mean rewards."""
    liked, allowed = RNG.normal(0.5, 0.5, (N, K)), np.ones((N, K), bool)
    state = recommender.start(N, K, np.random.default_rng(0))
    shown, reward, found = np.full(N, -1), np.zeros(N), []
    for t in range(posts):
        seen = Seen(t, shown, reward, allowed, np.zeros((N, K)))
        policy = recommender.serve(state, seen)
        shown = (RNG.random(N)[:, None] >= policy.cumsum(1)[:, :-1]).sum(1)
        reward = liked[np.arange(N), shown] + 0.3 * RNG.normal(size=N)
        state = recommender.learn(state, seen, shown, reward, policy[np.arange(N), shown])
        found.append((policy.copy(), shown, reward))
    return found


def means(past, person: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how often a person was shown each arm, and the mean reward of each, by a second computation."""
    of = [[reward[person] for _, shown, reward in past if shown[person] == arm] for arm in range(K)]
    return np.array([len(rewards) for rewards in of]), np.array([np.mean(rewards or [0.0]) for rewards in of])


def test_random_is_even_over_what_may_be_shown() -> None:
    seen = SimpleNamespace(allowed=np.array([[True, True, False], [True, True, True]]))
    assert Random().serve(None, seen).tolist() == [[0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]


def test_epsilon_greedy_by_hand() -> None:
    past = history(EpsilonGreedy(0.2))
    for person in range(N):
        _, mean = means(past[:-1], person)
        policy = np.full(K, 0.2 / K)
        policy[mean.argmax()] += 0.8
        np.testing.assert_allclose(past[-1][0][person], policy, atol=1e-12)


def test_ucb_by_hand() -> None:
    past = history(UCB(0.7))
    for person in range(N):
        for t in (K + 1, 20, POSTS - 1):
            count, mean = means(past[:t], person)
            bound = mean + 0.7 * np.sqrt(2 * np.log(t) / count)
            assert past[t][1][person] == bound.argmax()
        assert sorted(int(shown[person]) for _, shown, _ in past[:K]) == list(range(K))


def best(centre: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Return the probability of each arm to be the best, by adaptive quadrature of the integral."""

    def density(x: float, arm: int) -> float:
        others = [norm.cdf(x, centre[b], width[b]) for b in range(len(centre)) if b != arm]
        return float(norm.pdf(x, centre[arm], width[arm]) * np.prod(others))

    def of(arm: int) -> float:
        ends, steps = centre[arm] + width[arm] * np.array([-9, 9]), centre + width * np.array([[-2], [0], [2]])
        inside = steps[(steps > ends[0]) & (steps < ends[1])]
        return quad(density, *ends, args=(arm,), limit=400, points=inside)[0]

    return np.array([of(arm) for arm in range(len(centre))])


def test_thompson_is_the_probability_to_be_best() -> None:
    """Phi is approximated to 2e-4, which an arm's share of the sum halves or better."""
    past, model = history(Thompson(0.3, 1.0), 30), Thompson(0.3, 1.0)
    for person in range(10):
        count, mean = means(past[:-1], person)
        weight = count + model.spread**2 / model.prior**2
        expected = best(mean * count / weight, model.spread / np.sqrt(weight))
        np.testing.assert_allclose(past[-1][0][person], expected, atol=3e-4)


@pytest.mark.parametrize("counts", [(1, 1, 300, 300), (2000, 1, 40, 5), (1500, 0, 0, 3), (10**5, 10, 10, 10)])
def test_thompson_knows_well_and_badly_known_arms_apart(counts: tuple[int, ...]) -> None:
    """Posteriors up to 100 times as wide as others: nodes that lie evenly miss the narrow ones altogether."""
    model, mean = Thompson(), np.array([[0.9, 0.4, 0.6, 0.7]])
    count = np.array([counts], float)
    found = model.serve(Means(count, mean), SimpleNamespace(allowed=np.ones((1, 4), bool)))
    weight = count + 0.25
    np.testing.assert_allclose(found[0], best((mean * count / weight)[0], (0.5 / np.sqrt(weight))[0]), atol=1e-2)


def test_thompson_never_shows_what_it_may_not() -> None:
    state = Means(np.ones((1, 3)), np.array([[0.0, 5.0, 0.0]]))
    policy = Thompson().serve(state, SimpleNamespace(allowed=np.array([[True, False, True]])))
    np.testing.assert_allclose(policy, [[0.5, 0.0, 0.5]], atol=1e-6)


def test_popularity_is_one_share_for_all() -> None:
    past = history(Popularity(1.0))
    brought = np.ones(K)
    for _, shown, reward in past[:-1]:
        brought += np.bincount(shown, reward.clip(min=0), K) / N
    np.testing.assert_allclose(past[-1][0], np.tile(brought / brought.sum(), (N, 1)), atol=1e-12)


def test_bpr_goes_up_the_logarithm_of_the_sigmoid() -> None:
    """One step from random factors is the rate times the derivative of the objective, by central differences."""
    model = BPR(factors=3, rate=1e-3, decay=0.02)
    p, q = RNG.normal(size=(N, 3)), RNG.normal(size=(K, 3))
    shown, reward = RNG.integers(0, K, N), RNG.choice([-1.0, 1.0], N)
    seen = SimpleNamespace(step=5)
    after_p, after_q, _ = model.learn((p.copy(), q.copy(), np.zeros(N)), seen, shown, reward, None)
    other = (shown + 1 + 5 % (K - 1)) % K
    assert (other != shown).all()

    def objective(p, q) -> float:
        apart = reward * ((q[shown] - q[other]) * p).sum(1)
        penalty = 0.02 / 2 * ((p**2).sum() / N + (q**2).sum())
        return float(-np.log1p(np.exp(-apart)).mean() - penalty)

    for person, factor in ((0, 0), (7, 2)):
        up, down = p.copy(), p.copy()
        up[person, factor] += 1e-5
        down[person, factor] -= 1e-5
        slope = N * (objective(up, q) - objective(down, q)) / 2e-5
        assert (after_p - p)[person, factor] == pytest.approx(1e-3 * slope, rel=1e-5)
    for arm, factor in ((0, 1), (3, 0)):
        up, down = q.copy(), q.copy()
        up[arm, factor] += 1e-5
        down[arm, factor] -= 1e-5
        slope = (objective(p, up) - objective(p, down)) / 2e-5
        assert (after_q - q)[arm, factor] == pytest.approx(1e-3 * slope, rel=1e-5)


@pytest.mark.slow
def test_bandits_find_what_pays_most() -> None:
    """After 300 posts, people who are all intentional are served depth, which pays them ten times as much."""
    world = mf.Scenario(users=300, steps=300, population={"intentionality": {"distribution": "point", "value": 1.0}})
    for own in (EpsilonGreedy(), UCB(), Thompson(), BPR(rate=0.3), Popularity()):
        shown = mf.simulate(world, recommender=own).part.sample.exposures
        share = shown[3].sum() / shown.sum()
        assert share > (0.4 if isinstance(own, Popularity) else 0.75), (own, share)
