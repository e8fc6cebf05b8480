"""One person out of a run, again from their id. The Python door: `mirrorfield.person`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mirrorfield.arrays import STATES, F32Array, FloatArray, IntArray, S
from mirrorfield.engine.rerun import rerun
from mirrorfield.errors import InputError
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.population.run import run_block
from mirrorfield.population.scenario import Scenario
from mirrorfield.population.worlds import one_by_one

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Posts:
    """Every post of a person, (T,) each: the state before it, the arm shown, its propensity, the reaction."""

    state: IntArray
    shown: IntArray
    propensity: FloatArray
    reaction: FloatArray


@dataclass(frozen=True, repr=False)
class Person:
    """One person of a scenario: who they are, what they were shown, and what they are served at the end.

    susceptibility (K,); exposures, posts shown of every arm, (K I,); step, the C recorded steps, and at them state (C,)
    and diet (C, K); served, by state at the end, (S, K); time_in_state (S,), in the long run; locked_in_at, the first
    recorded step with max of the diet > 0.9, or None; two_faced, led by another category in another state they live in;
    posts, one after the other.
    """

    scenario: Scenario
    id: int
    intentionality: float
    susceptibility: F32Array
    exposures: IntArray
    mean_reaction: float
    step: IntArray
    state: IntArray
    diet: F32Array
    served: F32Array
    time_in_state: F32Array
    locked_in_at: int | None
    two_faced: bool
    posts: Posts

    def __repr__(self) -> str:
        from mirrorfield.report.card import text_card
        from mirrorfield.report.headline import person_figures

        return text_card(self._title, person_figures(self))

    def _repr_html_(self) -> str:
        from mirrorfield.report.card import html_card
        from mirrorfield.report.headline import person_figures

        return html_card(self._title, person_figures(self), "After the last post, unless it says otherwise.")

    @property
    def _title(self) -> str:
        return f"Person {self.id:,} of {self.scenario.users:,}, {self.scenario.name}, seed {self.scenario.seed}"

    @property
    def names(self) -> list[str]:
        """The names of the K categories."""
        return [category.name for category in self.scenario.categories]

    @property
    def posts_in_state(self) -> dict[str, int]:
        """In how many posts they were calm, engaged and hooked before it."""
        return dict(zip(STATES, np.bincount(self.posts.state, minlength=S).tolist(), strict=True))

    def to_frame(self) -> "pd.DataFrame":
        """Return one row for each post: step, state before it, shown, propensity, reaction."""
        import pandas as pd

        posts = self.posts
        return pd.DataFrame(
            {
                "step": np.arange(1, len(posts.shown) + 1),
                "state": np.array(STATES, object)[posts.state],
                "shown": np.array(self.scenario.arm_names, object)[posts.shown],
                "propensity": posts.propensity,
                "reaction": posts.reaction,
            }
        )


def person(scenario: Scenario | None = None, id: int = 0) -> Person:
    """Return the story of one person of a scenario, run again from their id.

    They are who they are in a run of everybody, with the same luck: the compiled lanes give the recorded steps, bit for
    bit, and the arrays engine, in float64, the posts, which could differ only from a draw on that lies within float32
    rounding of a boundary. Parameters: scenario, default `Scenario()`; id, 0 to users - 1.
    Raises InputError for an id that is not of the scenario. Source: docs/python.md.

    >>> found = person(Scenario(steps=50), 7)
    >>> found.id, sum(found.posts_in_state.values()), int(found.exposures.sum())
    (7, 50, 50)
    """
    from mirrorfield.api import prepare

    scenario = one_by_one(scenario or Scenario(), "person")
    if isinstance(id, bool) or not isinstance(id, int | np.integer) or not 0 <= id < scenario.users:
        raise InputError(f"person: expected an id from 0 to {scenario.users - 1:,}, got {id!r}")
    few = scenario.model_copy(update={"record": scenario.record.model_copy(update={"users": 1})})
    plan = prepare(few, None, None, None, keep_all=True)
    paired = scenario.intervention.swap > 0
    first = id - id % 2 if paired else id
    kept = run_block(plan, first, min(2, scenario.users - first) if paired else 1).table
    assert kept is not None  # keep_all
    one = id - first
    again = rerun(plan, np.array([first, first + 1]) if paired else np.array([id]))
    locked = np.flatnonzero(kept.diet[:, :, one].max(axis=1) > LOCKED_IN)
    return Person(
        scenario=scenario,
        id=int(id),
        intentionality=float(kept.intentionality[one]),
        susceptibility=kept.susceptibility[:, one].copy(),
        exposures=kept.exposures[:, one].copy(),
        mean_reaction=float(kept.mean_reaction[-1, one]),
        step=plan.steps,
        state=kept.state[:, one].astype(int),
        diet=kept.diet[:, :, one].copy(),
        served=kept.served[:, :, one].copy(),
        time_in_state=kept.time_in_state[:, one].copy(),
        locked_in_at=int(plan.steps[locked[0]]) if len(locked) else None,
        two_faced=bool(kept.two_faced[-1, one]),
        posts=Posts(again.state[:-1, one], again.shown[:, one], again.propensity[:, one], again.reaction[:, one]),
    )
