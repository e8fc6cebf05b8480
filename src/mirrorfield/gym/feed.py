"""A person's feed as a Gymnasium environment, and the feeds of n people as a vector of them."""

from typing import Any

import numpy as np
from gymnasium import Env
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from gymnasium.vector import AutoresetMode, VectorEnv

from mirrorfield.arrays import F32Array
from mirrorfield.contract import Observe
from mirrorfield.engine.history import History
from mirrorfield.gym.episode import MOST_PEOPLE, Episode, people_of, scenario_of_an_environment
from mirrorfield.population.scenario import Scenario


def _space(scenario: Scenario, observe: Observe) -> Any:
    return Box(-np.inf, np.inf, (History.size(scenario.arms, observe),), np.float32)


class Feed(Env[F32Array, Any]):
    """One person for each episode: an action is the arm to show, the reward is their reaction.

    An episode is `scenario.steps` posts long and then truncated; it never terminates, because a person does not end.
    reset(seed=...) decides whom the episodes are about; the person's luck is that of any run with the scenario's seed.

    Parameters: scenario, default `Scenario()`; observe, "history", or "state" for arousal too (see `History` for the
    observation); people, of your own. Raises InputError for scenarios with a lens or an intervention.

    >>> env = Feed(Scenario(steps=3))
    >>> observation, _ = env.reset(seed=1)
    >>> [env.step(0)[3] for _ in range(3)]
    [False, False, True]
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        scenario: Scenario | None = None,
        observe: Observe = "history",
        people: Any = None,
        render_mode: None = None,
    ) -> None:
        self.scenario, self.observe = scenario_of_an_environment(scenario), observe
        self.people, self.render_mode = people_of(self.scenario, people), render_mode
        self.observation_space, self.action_space = _space(self.scenario, observe), Discrete(self.scenario.arms)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[F32Array, dict[str, Any]]:
        """Begin an episode about another person, or with a seed about the one whom it decides."""
        super().reset(seed=seed)
        ids = self.np_random.integers(MOST_PEOPLE, size=1)
        self.episode = Episode(self.scenario, self.people, self.observe, ids)
        return self.episode.observation()[0], {"person": int(ids[0])}

    def step(self, action: Any) -> tuple[F32Array, float, bool, bool, dict[str, Any]]:
        """Show the person an arm; return observation, reaction, False, and whether it was the last post."""
        reward = self.episode.show(np.array([int(action)]))
        return self.episode.observation()[0], float(reward[0]), False, self.episode.t >= self.scenario.steps, {}


class FeedVector(VectorEnv[F32Array, Any, Any]):
    """The feeds of n people at once, who all begin and end together; the step after the last begins a new episode.

    Row i of everything is person i, the same as in a `Feed` about them. Parameters: num_envs n; the others as for
    `Feed`.
    """

    def __init__(
        self,
        num_envs: int = 1,
        scenario: Scenario | None = None,
        observe: Observe = "history",
        people: Any = None,
        render_mode: None = None,
    ) -> None:
        self.scenario, self.observe, self.num_envs = scenario_of_an_environment(scenario), observe, num_envs
        self.people, self.render_mode = people_of(self.scenario, people), render_mode
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}
        one = _space(self.scenario, observe)
        self.single_observation_space, self.single_action_space = one, Discrete(self.scenario.arms)
        self.observation_space = Box(-np.inf, np.inf, (num_envs, *one.shape), np.float32)
        self.action_space = MultiDiscrete(np.full(num_envs, self.scenario.arms))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[F32Array, dict[str, Any]]:
        """Begin episodes about other people, or with a seed about those whom it decides."""
        super().reset(seed=seed)
        ids = self.np_random.integers(MOST_PEOPLE, size=self.num_envs)
        self.episode = Episode(self.scenario, self.people, self.observe, ids)
        return self.episode.observation(), {"person": ids}

    def step(self, actions: Any) -> tuple[F32Array, Any, Any, Any, dict[str, Any]]:
        """Show everyone an arm; return observations, reactions, nobody, and whether it was the last post."""
        n = self.num_envs
        if self.episode.t >= self.scenario.steps:
            observation, info = self.reset()
            return observation, np.zeros(n), np.zeros(n, bool), np.zeros(n, bool), info
        reward = self.episode.show(actions)
        last = np.full(n, self.episode.t >= self.scenario.steps)
        return self.episode.observation(), reward, np.zeros(n, bool), last, {}
