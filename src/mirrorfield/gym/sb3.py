"""The feeds of n people as Stable-Baselines3 takes them, and a policy that it trained as a recommender."""

from typing import Any

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray
from mirrorfield.contract import Observe
from mirrorfield.errors import InputError
from mirrorfield.gym.feed import FeedVector
from mirrorfield.gym.policy import Trained
from mirrorfield.population.scenario import Scenario

try:
    from stable_baselines3.common.vec_env import VecEnv
except ImportError:
    raise InputError("gym.sb3: expected Stable-Baselines3; run: pip install stable-baselines3") from None


class FeedVecEnv(VecEnv):  # type: ignore[misc]
    """The feeds of n people at once, whose observations after the last post are those of other people's first.

    What the last post left is in the infos: `terminal_observation`, and `TimeLimit.truncated` because an episode never
    terminates. Parameters: as for `FeedVector`. Source: Raffin et al. (2021), https://jmlr.org/papers/v22/20-1364.html.
    """

    def __init__(
        self, num_envs: int, scenario: Scenario | None = None, observe: Observe = "history", people: Any = None
    ) -> None:
        self.feeds, self.render_mode = FeedVector(num_envs, scenario, observe, people), None
        super().__init__(num_envs, self.feeds.single_observation_space, self.feeds.single_action_space)

    def reset(self) -> F32Array:
        """Begin episodes about other people, whom the seed decides if one was given."""
        observation, info = self.feeds.reset(seed=self._seeds[0])
        self.reset_infos = [{"person": int(person)} for person in info["person"]]
        self._reset_seeds()
        return observation

    def step_async(self, actions: Any) -> None:
        """Take the arms to show, (n,)."""
        self.actions = actions

    def step_wait(self) -> tuple[F32Array, F32Array, Any, list[dict[str, Any]]]:
        """Show everyone their arm; return observations, reactions, whether it was the last post, and infos."""
        observation, reward, _, last, _ = self.feeds.step(self.actions)
        infos: list[dict[str, Any]] = [{} for _ in last]
        if last.all():
            infos = [{"terminal_observation": row, "TimeLimit.truncated": True} for row in observation]
            observation = self.reset()
        return observation, reward.astype(np.float32), last, infos

    def close(self) -> None:
        """Close nothing: there is no process and no window."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the feeds, once for each index."""
        return [getattr(self.feeds, attr_name, None) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Raise InputError: all people are in one environment."""
        raise InputError(f"gym.sb3: expected no change of {attr_name}: all people are in one environment")

    def env_method(self, method_name: str, *arguments: Any, indices: Any = None, **named: Any) -> list[Any]:
        """Raise InputError: all people are in one environment."""
        raise InputError(f"gym.sb3: expected no call of {method_name}: all people are in one environment")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Return False for each index."""
        return [False for _ in self._get_indices(indices)]


def recommender_of(model: Any, steps: int, observe: Observe = "history") -> Trained:
    """Return a model with a stochastic policy over arms (PPO, A2C) as a recommender.

    Parameters: model, as `PPO(...)` or `PPO.load(...)` returns it; steps, the length of the episodes it was trained
    on; observe, as in training.
    """

    def probabilities(observation: F32Array) -> FloatArray:
        import torch

        with torch.no_grad():
            seen = torch.as_tensor(observation, device=model.device)
            policy = model.policy.get_distribution(seen).distribution.probs.double()
        return np.asarray((policy / policy.sum(1, keepdim=True)).cpu())

    return Trained(probabilities, steps, observe)
