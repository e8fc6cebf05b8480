"""A run of some users of a scenario, replayed in float64 with their exact luck, from the equations alone.

The kernel computes in float32, so the two agree up to rounding: the same posts and states, and numbers equal to
about 1e-5. Nothing is imported from the code under test; a scenario comes as its plain values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.theory.between import EMPTY, Shelf
from mirrorfield.theory.luck import Luck
from mirrorfield.theory.people import Values
from mirrorfield.theory.person import Person
from mirrorfield.theory.rules import Recipe, recipe
from mirrorfield.theory.session import Student


@dataclass
class Replay:
    """n users at C recorded steps: feeds and diets (C, n, K); the rest of shape (C, n), and all else at the end."""

    people: list[Person]
    feed: FloatArray
    diet: FloatArray
    state: IntArray
    mean_reaction: FloatArray
    next_intensity: FloatArray
    intensity: FloatArray
    floor: FloatArray

    @property
    def logits(self) -> FloatArray:
        """What was learned, (n, S, A)."""
        return np.array([person.logits for person in self.people])

    @property
    def exposures(self) -> IntArray:
        """Posts shown, (n, A)."""
        return np.array([person.exposures for person in self.people])


class _Run:
    def __init__(self, values: Values, users: Sequence[int], shelf: Shelf) -> None:
        self.values, self.change = values, values["intervention"]
        before = recipe(values["policy"])
        self.rules = before, recipe(self.change["policy"] or values["policy"])
        self.people = [Person(values, user, before, shelf) for user in users]
        self.plain = all(rule.plain for rule in self.rules)
        self.students = [Student(person, before) for person in self.people]
        self.set_rule(before)

    def set_rule(self, rule: Recipe) -> None:
        for person in self.people:
            person.alpha = rule.learning_rate

    def intervene(self, t: int) -> None:
        """Change what the intervention changes after t posts."""
        change, (before, after) = self.change, self.rules
        for person in self.people:
            person.change, person.cap = change, change["intensity_cap"]
            if change["nudge"] and Luck(self.values["seed"], person.user, "nudge").uniform() < change["nudge_share"]:
                person.set_profile(min(1.0, max(0.0, person.lam + change["nudge"])))
        self.set_rule(after)
        if after == before or self.plain:
            return
        count = t // after.posts * after.posts if after.returns == "immediate" else 0
        for place, person in enumerate(self.people):
            person.running, person.beta = person.rewarded, after.beta
            person.order = Luck(self.values["seed"], person.user, "shuffle")
            self.students[place] = Student(person, after, count)

    def post(self) -> None:
        """Show every user one post; users u and u xor 1 are partners."""
        if not self.plain:
            for student in self.students:
                student.meet()
            return
        laws = {person.user: person.served() for person in self.people}
        for person in self.people:
            person.meet(laws[person.user], laws.get(person.user ^ 1, laws[person.user]))


def _now(person: Person) -> tuple[FloatArray, FloatArray, int, float, float, float, float]:
    laws = person.laws()
    served, diet = laws[person.state], person.dwelling(laws) @ laws
    feed, by_category = (law.reshape(-1, person.rungs).sum(axis=1) for law in (served, diet))
    heights = float(served @ person.level), float(diet @ person.level)
    return feed, by_category, person.state, person.felt, *heights, person.floor


def replay(values: Values, users: Sequence[int], recorded: Sequence[int], shelf: Shelf = EMPTY) -> Replay:
    """Return a scenario's users after the `recorded` steps, in float64.

    Parameters: values, those of a Scenario (`model_dump()`); users, ids; for a swap, partners must both be among them;
    recorded, steps in ascending order; shelf, the items of a corpus. Source: docs/model.md, docs/rules.md,
    docs/labels.md, docs/context.md, docs/retrieval.md, docs/whatif.md.
    """
    run = _Run(values, users, shelf)
    kept: list[list[tuple[FloatArray, FloatArray, int, float, float, float, float]]] = []
    for t in range(recorded[-1]):
        if t == run.change["at"]:
            run.intervene(t)
        run.post()
        if t + 1 in recorded:
            kept.append([_now(person) for person in run.people])
    columns = [np.array([[one[i] for one in row] for row in kept]) for i in range(7)]
    return Replay(run.people, *columns)
