"""Whether three states of arousal predict sessions that they were not fitted to, and what these states are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from mirrorfield.calibration.hidden import ROUGH, STARTS, Found, Kind, expect, fit_chain
from mirrorfield.calibration.information import covariance, intervals
from mirrorfield.calibration.sessions import Sessions
from mirrorfield.errors import InputError

Array = NDArray[np.float64]

FOLDS, STATES = 5, 3
NAMES = ("calm", "engaged", "hooked")
MOST_EVENTS = 1 << 16
"""Events, about, that are fitted: people spread evenly over a longer log."""
THREE = "three states"
MODELS: dict[str, tuple[int, Kind]] = {
    THREE: (3, "free"),
    "one state": (1, "free"),
    "two states": (2, "free"),
    "three states without memory": (3, "no memory"),
    "three kinds of session": (3, "no moves"),
}
"""Three states, and what they are held against: without memory, every event draws its state anew; of three kinds of
session, each stays in the state that it began in."""


class StatesVerdict(NamedTuple):
    """Whether three states predict held-out sessions better than all that they are held against, and the line on it."""

    holds: bool
    line: str


@dataclass(frozen=True)
class States:
    """The fitted chain of three states with intervals, and its score beside that of the other models.

    found: the model; low_high: as `intervals` returns; share (3,): of events in each state; score: by model, mean
    held-out log-likelihood per event in nats; beyond: by other model, that of three states minus it, value and half of
    its 95% interval; people, sessions, events: how many were fitted; seeds of the starts.
    """

    found: Found
    low_high: dict[str, Array]
    share: Array
    score: dict[str, float]
    beyond: dict[str, tuple[float, float]]
    centre: float
    actions: tuple[str, ...]
    has_dwell: bool
    counts: dict[str, int]
    seeds: tuple[int, ...]

    @property
    def verdict(self) -> StatesVerdict:
        """Whether the log bears out three states."""
        told = {name: f"{value:+.4f} ± {half:.4f}" for name, (value, half) in self.beyond.items()}
        missed = [name for name, (value, half) in self.beyond.items() if value - half <= 0]
        nats = "nats per event"
        if "one state" in missed:
            line = f"Three states do not predict held-out sessions better than one: {told['one state']} {nats}."
            return StatesVerdict(False, line)
        line = f"Three states predict held-out sessions better than one by {told['one state']} {nats}"
        if missed:
            beaten_by = " or ".join(f"{name} ({told[name]})" for name in missed)
            return StatesVerdict(False, f"{line}, but not better than {beaten_by}.")
        return StatesVerdict(
            True, f"{line}, and better than {', '.join(name for name in told if name != 'one state')}."
        )

    def summary(self) -> dict[str, Any]:
        """Return the states, the moves and the comparison as plain data that json.dumps accepts."""
        chain, wide = self.found.chains, self.low_high
        rows = []
        for j, name in enumerate(NAMES):
            row: dict[str, Any] = {"state": name, "share": float(self.share[j])}
            row["start"] = _interval(chain.start[0, j], wide["start"][:, j])
            if self.has_dwell:
                median = np.exp(self.centre + np.array([chain.mean[0, j], *wide["mean"][:, j]]))
                row["median_dwell"] = _interval(median[0], median[1:])
                row["sd_log_dwell"] = _interval(chain.sd[0, j], wide["sd"][:, j])
            row["actions"] = {
                action: _interval(chain.acts[0, j, k], wide["acts"][:, j, k]) for k, action in enumerate(self.actions)
            }
            moves = {to: _interval(chain.moves[0, j, i], wide["moves"][:, j, i]) for i, to in enumerate(NAMES)}
            rows.append(row | {"moves": moves})
        return {
            "verdict": self.verdict._asdict(),
            "fitted": self.counts,
            "states": rows,
            "heldout": {
                "nats_per_event": self.score,
                "three_states_minus": {
                    name: {"value": value, "low": value - half, "high": value + half}
                    for name, (value, half) in self.beyond.items()
                },
            },
            "starts": {"seeds": list(self.seeds), "gap": self.found.gap, "steps": self.found.steps},
            "order": "of mean ln(dwell)" if self.has_dwell else "of how many actions happen",
        }


def _interval(value: float, wide: Array) -> dict[str, float | None]:
    low, high = (float(x) if np.isfinite(x) else None for x in wide)
    return {"value": float(value), "low": low, "high": high}


def sample(sessions: Sessions, most: int = MOST_EVENTS) -> Sessions:
    """Return the sessions of people spread evenly over all, with about `most` events at the most."""
    every = -(-len(sessions.features) // most)
    people = np.unique(sessions.person)
    return sessions if every == 1 else sessions.keep(np.isin(sessions.person, people[::every]))


def held_out(sessions: Sessions, folds: NDArray[np.int64], seeds: Sequence[int]) -> dict[str, Array]:
    """Return for every model the log-likelihood (U,) of each person's sessions under a fit to those of other folds.

    Parameters: sessions, with persons 0 ... U - 1; folds (U,) int64; seeds of the starts. In nats.
    """
    found = {name: np.zeros(len(folds)) for name in MODELS}
    for fold in np.unique(folds):
        out = folds[sessions.person] == fold
        trained, rest = sessions.keep(~out), sessions.keep(out)
        for name, (n, kind) in MODELS.items():
            loglik = expect(rest, fit_chain(trained, n, kind, seeds, ROUGH).chains).loglik[0]
            found[name] += np.bincount(rest.person, weights=loglik, minlength=len(folds))
    return found


def difference(mine: Array, other: Array, events: Array) -> tuple[float, float]:
    """Return the mean difference per event and half of its 95% interval over people.

    Formula: r = sum_u D_u / sum_u n_u, with standard error sqrt(U / (U - 1) sum_u (D_u - r n_u)^2) / sum_u n_u, times
    the 97.5% quantile of Student's t with U - 1 degrees of freedom. Source: the delta method for a ratio of means.

    Parameters: mine, other (U,) log-likelihoods of each person's events; events (U,) how many.
    """
    d, size = mine - other, len(events)
    r = d.sum() / events.sum()
    error = np.sqrt(size / (size - 1) * ((d - r * events) ** 2).sum()) / events.sum()
    return float(r), float(student.ppf(0.975, size - 1) * error)


def fit_states(sessions: Sessions, seed: int = 0, starts: int = STARTS) -> States:
    """Fit three states, and hold them against fewer states, states without memory and states without moves.

    People (sessions where there are no people) are dealt to five folds by chance; each fold is predicted by fits to the
    others. Parameters: sessions; seed of the folds and of the first start, the others being seed + 1, ...; starts.
    Raises InputError for fewer people than states.
    """
    sessions = sample(sessions)
    people, person = np.unique(sessions.person, return_inverse=True)
    if len(people) < STATES:
        raise InputError(
            f"The log has {len(people)} people: expected at least {STATES}, for states are checked on people that they "
            "were not fitted to. Leave out --user to hold out sessions instead."
        )
    sessions = Sessions(
        sessions.features, sessions.length, person, sessions.actions, sessions.centre, sessions.has_dwell
    )
    seeds = tuple(range(seed, seed + starts))
    folds = np.random.default_rng(seed).permutation(len(people)) % min(FOLDS, len(people))
    events = np.bincount(person, weights=sessions.length).astype(np.float64)
    loglik = held_out(sessions, folds, seeds)
    found = fit_chain(sessions, STATES, "free", seeds)
    sums = expect(sessions, found.chains)
    share = sums.features[0, :, 0] / len(sessions.features)
    others = [name for name in MODELS if name != THREE]
    counts = {"people": len(people), "sessions": len(sessions.length), "events": len(sessions.features)}
    return States(
        found, intervals(found.chains, covariance(sessions, found.chains)), share,
        {name: float(values.sum() / events.sum()) for name, values in loglik.items()},
        {name: difference(loglik[THREE], loglik[name], events) for name in others},
        sessions.centre, sessions.actions, sessions.has_dwell, counts, seeds,
    )  # fmt: skip
