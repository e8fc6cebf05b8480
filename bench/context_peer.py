"""One simulator or environment of `context.py`, in a process and a Python of its own, for Python 3.8 and later.

Usage: python bench/context_peer.py NAME
It prepares itself and prints one line of JSON: how many steps a turn has, versions, and what it found. Then it takes a
turn for every line that it reads, and prints the seconds of processor time.
"""

from __future__ import annotations

import json
import platform
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from typing import NamedTuple

ENVIRONMENTS, POSTS = 1024, 200


class Ready(NamedTuple):
    """A peer that is ready: steps of a turn, which is what `turn` does; the packages to name; a figure to compare."""

    steps: int
    turn: Callable[[], object]
    packages: list[str]
    found: float | None = None


def simulated(users: int, own: dict[str, object]) -> Ready:
    """Return a run of the default scenario with a recommender of one's own; it compiles here."""
    import mirrorfield as mf

    scenario = mf.Scenario(users=users, steps=POSTS)
    warm = mf.simulate(scenario.model_copy(update={"users": 1000}), threads=1, **own)
    found = float(warm.dataset.mean_reaction[-1])
    return Ready(
        users * POSTS,
        lambda: mf.simulate(scenario, threads=1, **own),
        ["mirrorfield", "numba", "numpy"],
        found,
    )


def loop() -> Ready:
    """The compiled loop."""
    return simulated(100_000, {})


def rule() -> Ready:
    """The same learner as a compiled rule of one's own."""
    from mirrorfield.recommenders import update_rule

    @update_rule()
    def reinforce(logit, policy, chosen, advantage, reward, propensity, rate=0.1):
        return logit + rate * advantage * (chosen - policy)

    return simulated(100_000, {"recommender": reinforce, "observe": "state"})


def arrays() -> Ready:
    """The same learner as a class of one's own in NumPy."""
    import numpy as np

    class Reinforce:
        shared = False

        def start(self, people, categories, rng):
            return np.zeros((people, 3, categories)), np.zeros(people)

        def serve(self, state, seen):
            logits = state[0][np.arange(len(seen.state)), seen.state]
            raised = np.exp(logits - logits.max(axis=1, keepdims=True))
            return raised / raised.sum(axis=1, keepdims=True)

        def learn(self, state, seen, shown, reward, propensity):
            logits, mean = state
            score = -self.serve(state, seen)
            score[np.arange(len(shown)), shown] += 1
            logits[np.arange(len(shown)), seen.state] += 0.1 * (reward - mean)[:, None] * score
            return logits, mean + (reward - mean) / (seen.step + 1)

    return simulated(10_000, {"recommender": Reinforce(), "observe": "state"})


def stepped(environments: object, steps: int, arms: int, packages: list[str]) -> Ready:
    """Return so many steps of a vector of environments under uniform random actions, which are drawn here."""
    import numpy as np

    actions = np.random.default_rng(1).integers(arms, size=(steps, ENVIRONMENTS)).astype(np.int32)

    def turn() -> None:
        for action in actions:
            environments.step(action)

    turn()
    return Ready(steps * ENVIRONMENTS, turn, [*packages, "numpy"])


def gymnasium_vector(name: str, steps: int, arms: int, mode: str, **options: object) -> Ready:
    """Return steps of a vector that Gymnasium makes."""
    import gymnasium

    vector = gymnasium.make_vec(name, num_envs=ENVIRONMENTS, vectorization_mode=mode, **options)
    vector.reset(seed=1)
    return stepped(vector, steps, arms, ["gymnasium"])


def feed() -> Ready:
    """mirrorfield's vector: three episodes of 1,500 posts, and the steps that begin the next."""
    import mirrorfield.gym

    return gymnasium_vector(mirrorfield.gym.FEED, 4503, 4, "vector_entry_point")


def feed_sync() -> Ready:
    """mirrorfield's environment, an object for each person."""
    import mirrorfield.gym

    return gymnasium_vector(mirrorfield.gym.FEED, 20, 4, "sync")


def cartpole() -> Ready:
    """Gymnasium's CartPole in arrays."""
    return gymnasium_vector("CartPole-v1", 4503, 2, "vector_entry_point")


def cartpole_sync() -> Ready:
    """Gymnasium's CartPole, an object for each environment."""
    return gymnasium_vector("CartPole-v1", 50, 2, "sync")


def envpool() -> Ready:
    """EnvPool's CartPole, with one thread."""
    import envpool

    pool = envpool.make_gymnasium("CartPole-v1", num_envs=ENVIRONMENTS, num_threads=1, seed=1)
    pool.reset()
    return stepped(pool, 500, 2, ["envpool", "gymnasium"])


def pufferlib() -> Ready:
    """PufferLib's serial vector of Gymnasium's CartPole."""
    import gymnasium
    from pufferlib import emulation, vector

    def one() -> object:
        return emulation.GymnasiumPufferEnv(env_creator=lambda: gymnasium.make("CartPole-v1"))

    pool = vector.make(one, num_envs=ENVIRONMENTS, backend=vector.Serial)
    pool.reset(seed=1)
    return stepped(pool, 50, 2, ["pufferlib", "gymnasium"])


def trecs(model: str, **options: int) -> Ready:
    """T-RECS: a model with its defaults and a thousand users."""
    from trecs import models

    users, steps = 1000, 2
    made = getattr(models, model)(num_users=users, seed=1, **options)
    made.run(1, disable_tqdm=True)
    return Ready(users * steps, lambda: made.run(steps, disable_tqdm=True), ["trecs", "numpy"])


def popularity() -> Ready:
    """T-RECS, a ranking by counts."""
    return trecs("PopularityRecommender")


def content() -> Ready:
    """T-RECS, a profile fitted for each user at each step."""
    return trecs("ContentFiltering", num_attributes=20)


def recsim_ng() -> Ready:
    """RecSim NG: its ecosystem of providers, with the users, providers and topics of its demo."""
    import tensorflow as tf
    from recsim_ng.applications.ecosystem_simulation import simulation_config, user
    from recsim_ng.core.network import Network
    from recsim_ng.lib.tensorflow.runtime import TFRuntime

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    users, steps = 2000, 50
    providers = user.init_random_provider_clusters(64.0, 2, 40, 2)
    variables = simulation_config.create_viable_provider_simulation_network(providers, num_users=users)
    runtime = TFRuntime(network=Network(variables=variables))

    def turn() -> object:
        return runtime.execute(num_steps=steps)["metrics state"].get("cumulative_reward").numpy()

    turn()
    return Ready(users * steps, turn, ["recsim_ng", "tensorflow"])


PEERS = {
    "loop": loop,
    "rule": rule,
    "arrays": arrays,
    "feed": feed,
    "feed-sync": feed_sync,
    "cartpole": cartpole,
    "cartpole-sync": cartpole_sync,
    "envpool": envpool,
    "pufferlib": pufferlib,
    "popularity": popularity,
    "content": content,
    "recsim-ng": recsim_ng,
}


def main() -> None:
    """Prepare, and take turns."""
    warnings.simplefilter("ignore")
    answers, sys.stdout = sys.stdout, sys.stderr
    ready = PEERS[sys.argv[1]]()
    versions = {"Python": platform.python_version(), **{name: version(name) for name in ready.packages}}
    print(json.dumps({"steps": ready.steps, "versions": versions, "found": ready.found}), file=answers, flush=True)
    for _ in sys.stdin:
        began = time.process_time()
        ready.turn()
        print(time.process_time() - began, file=answers, flush=True)


if __name__ == "__main__":
    main()
