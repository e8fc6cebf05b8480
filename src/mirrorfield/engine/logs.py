"""Logged bandit feedback of a run: every post with what was known, what was shown, its reward and its propensity."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mirrorfield.arrays import F32Array, FloatArray, IntArray
from mirrorfield.engine.arrays import CHUNK, Loop
from mirrorfield.engine.history import History
from mirrorfield.errors import InputError
from mirrorfield.population.action import DEFAULT, DWELL
from mirrorfield.population.run import Plan

if TYPE_CHECKING:
    import pandas as pd

MOST_POSTS = 50_000_000


@dataclass(frozen=True)
class Logs:
    """Posts of n people, T each, in the order of posts: everyone's first, then everyone's second, and so on.

    person, step from 1 on, shown, (T n,); reward and propensity, (T n,); policy, the probabilities of all arms, (T n,
    K); context, what a platform knew, float32 (T n, 3 K + 2) as `engine.history.History` has it; names of the arms;
    done, what people did under an objective of actions, by name: 0 or 1, and seconds of dwell, (T n,) each.
    """

    person: IntArray
    step: IntArray
    shown: IntArray
    reward: FloatArray
    propensity: FloatArray
    policy: FloatArray
    context: F32Array
    names: tuple[str, ...]
    done: dict[str, FloatArray]

    def __len__(self) -> int:
        return len(self.person)

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each post: person, step, shown (a name), reward, propensity, actions, p:NAME of arms."""
        import pandas as pd

        columns: dict[str, Any] = {
            "person": self.person,
            "step": self.step,
            "shown": pd.Categorical.from_codes(self.shown.tolist(), categories=pd.Index(self.names)),
            "reward": self.reward,
            "propensity": self.propensity,
        }
        columns |= self.done
        return pd.DataFrame(columns | {f"p:{name}": self.policy[:, k] for k, name in enumerate(self.names)})

    def bandit_feedback(self) -> dict[str, Any]:
        """Return the posts as the dictionary that Open Bandit Pipeline's estimators take.

        Its keys are n_rounds, n_actions, context, action, position (None), reward, pscore, and pi_b, the probabilities
        of all arms, of shape (rounds, actions, 1). Source: Saito et al. (2021), https://arxiv.org/abs/2008.07146.
        """
        return {
            "n_rounds": len(self),
            "n_actions": len(self.names),
            "context": self.context,
            "action": self.shown,
            "position": None,
            "reward": self.reward,
            "pscore": self.propensity,
            "pi_b": self.policy[:, :, None],
        }


def logs_of(plan: Plan, ids: IntArray) -> Logs:
    """Return the posts of the people with these ids, run again from their ids in the arrays engine.

    Raises InputError for more posts than fit, and under swap for people without their partners.
    """
    scenario = plan.scenario
    posts = len(ids) * scenario.steps
    if posts > MOST_POSTS:
        most = MOST_POSTS // scenario.steps
        raise InputError(
            f"logs: expected at most {MOST_POSTS:,} posts, got {posts:,}; ask for {most:,} people or fewer"
        )
    chunks = [ids] if plan.own.shared else np.split(ids, range(CHUNK, len(ids), CHUNK))
    found = [_chunk(plan, chunk) for chunk in chunks]
    columns = [np.concatenate([part[i] for part in found], axis=1) for i in range(len(found[0]))]
    person, step, shown, reward, propensity, policy, context, done = (
        column.reshape(posts, *column.shape[2:]) for column in columns
    )
    actions = dict(zip([DWELL, *(action.name for action in (scenario.actions or DEFAULT).kinds)], done.T, strict=False))
    return Logs(person, step, shown, reward, propensity, policy, context, scenario.arm_names, actions)


def _chunk(plan: Plan, ids: IntArray) -> list[Any]:
    """Return the columns of the posts of some people, (T, n, ...) each."""
    steps, n, arms = plan.scenario.steps, len(ids), plan.scenario.arms
    person, step = np.broadcast_to(ids, (steps, n)), np.broadcast_to(np.arange(1, steps + 1)[:, None], (steps, n))
    shown, reward, propensity = np.empty((steps, n), int), np.empty((steps, n)), np.empty((steps, n))
    policy = np.empty((steps, n, arms))
    context = np.empty((steps, n, History.size(arms, "history")), np.float32)
    loop, history = Loop(plan, ids), History(n, arms, steps, "history")
    acting = loop.acting
    done = np.empty((steps, n, 1 + len(acting.done) if acting else 0))
    for t in range(steps):
        context[t] = history.observation(loop.seen(loop.arousal))
        loop.post()
        shown[t], reward[t], propensity[t], policy[t] = loop.shown, loop.reward, loop.propensity, loop.served
        history.add(loop.shown, loop.reward)
        if acting:
            done[t] = np.vstack([acting.seconds, acting.done]).T
    return [person, step, shown, reward, propensity, policy, context, done]
