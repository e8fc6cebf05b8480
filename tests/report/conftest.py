"""A small NumPy simulation of the demo model, from which the tests make results of any size and shape."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr

BANDS = 20
COLORS = ("#c44536", "#e09f3e", "#7b5ea7", "#2a7f8e", "#0072b2", "#d55e00", "#009e73", "#cc79a7")
NAMES = ("threat", "tribal", "validation", "depth")
Result = tuple[xr.Dataset, dict[str, Any], str]


def _tables(count: int) -> tuple[np.ndarray, ...]:
    x = np.linspace(0, 1, count)
    potency = np.array([1.0, 1.1, 0.8, 0.3]) if count == 4 else 1.1 - 0.8 * x
    arousal = np.array([0.8, 0.9, 0.5, 0.05]) if count == 4 else 0.9 - 0.85 * x
    intended = np.where(np.arange(count) == count - 1, 1.0, 0.1)
    gain = np.array([0.6, 1.0, 1.5])[:, None]
    return gain * potency, 0.6 * gain * potency, intended, arousal


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def simulate(users: int, steps: int, count: int, records: Sequence[int], intentionality: np.ndarray, seed: int) -> dict:
    """Run the model for every user at once and keep feeds and states after the recorded steps."""
    rng, rows = np.random.default_rng(seed), np.arange(users)
    mean, std, intended, arousal = _tables(count)
    lam, weight = intentionality, np.exp(0.5 * rng.standard_normal((users, count)))
    logits, baseline = np.zeros((users, 3, count)), np.zeros(users)
    state, kept = np.zeros(users, dtype=np.int8), {"feed": [], "state": [], "reaction": [], "exposures": 0}
    exposures = np.zeros((users, count), dtype=np.int64)
    for step in range(1, steps + 1):
        policy = _softmax(logits[rows, state])
        arm = np.minimum((policy.cumsum(axis=1) < rng.random(users)[:, None]).sum(axis=1), count - 1)
        mu = (1 - lam) * weight[rows, arm] * mean[state, arm] + lam * intended[arm]
        reaction = mu + ((1 - lam) * std[state, arm] + lam * 0.15) * rng.standard_normal(users)
        advantage = reaction - baseline
        logits[rows, state] += 0.1 * advantage[:, None] * (np.eye(count)[arm] - policy)
        baseline += advantage / step
        up = (1 - lam) * 0.5 * arousal[arm] + lam * 0.03
        down = (1 - lam) * 0.4 * (1 - arousal[arm]) + lam * 0.4
        draw = rng.random(users)
        state = np.clip(state + (draw < up) - (draw > 1 - down), 0, 2).astype(np.int8)
        exposures[rows, arm] += 1
        if step in records:
            kept["feed"].append(_softmax(logits[rows, state]).astype(np.float32))
            kept["state"].append(state.copy())
            kept["reaction"].append(reaction.mean())
    return kept | {"weight": weight, "logits": logits, "baseline": baseline, "exposures": exposures}


def _by_band(band: np.ndarray, flags: np.ndarray) -> np.ndarray:
    return np.stack([np.stack([row[band == b].sum(axis=0) for b in range(BANDS)]) for row in flags])


def _entropy(chance: np.ndarray) -> np.ndarray:
    return -np.where(chance > 0, chance * np.log(np.maximum(chance, 1e-30)), 0).sum(axis=-1)


def _fraction(values: np.ndarray, total: int) -> float:
    return float(values.sum()) / total if total else float("nan")


def _population(feed: np.ndarray, state: np.ndarray, band: np.ndarray) -> dict[str, tuple]:
    users, count = feed.shape[1:]
    held = np.eye(count, dtype=np.int64)[feed.argmax(axis=-1)]
    locked = feed.max(axis=-1) > 0.9
    in_state = np.eye(3, dtype=np.int64)[state]
    center, within = feed.mean(axis=1, dtype=float), _entropy(feed.astype(float))
    pairs = users * (users - 1)
    norms = (feed.astype(float) ** 2).sum(axis=(1, 2))
    overlap = ((users * center) ** 2).sum(axis=-1) - norms
    before = np.concatenate([np.eye(3, dtype=np.int64)[np.zeros((1, users), dtype=int)], in_state[:-1]])
    return {
        "share": (("step", "category"), held.mean(axis=1)),
        "locked_in": ("step", locked.mean(axis=1)),
        "effective_categories": ("step", np.exp(within).mean(axis=1)),
        "filter_bubble": ("step", (_entropy(center) - within.mean(axis=1)) / np.log(count)),
        "overlap": ("step", overlap / pairs if pairs else np.full(len(feed), np.nan)),
        "state_share": (("step", "state"), in_state.mean(axis=1)),
        "state_flow": (("step", "state", "to_state"), np.einsum("cus,cut->cst", before, in_state)),
        "band_users": ("band", np.bincount(band, minlength=BANDS)),
        "band_category": (("step", "band", "category"), _by_band(band, held)),
        "band_locked": (("step", "band", "category"), _by_band(band, held * locked[..., None])),
        "band_state": (("step", "band", "state"), _by_band(band, in_state)),
    }


def _summary(data: xr.Dataset) -> dict[str, Any]:
    last, names = data.isel(step=-1), [str(name) for name in data["category"].values]
    rows = []
    for first in range(0, BANDS, 4):
        group = last.isel(band=slice(first, first + 4))
        total = int(group["band_users"].sum())
        rows.append(
            {
                "low": float(group["band_low"].values[0]),
                "high": float(group["band_high"].values[-1]),
                "users": total,
                "shares": {n: _fraction(group["band_category"].values[:, k], total) for k, n in enumerate(names)},
                "hooked": _fraction(group["band_state"].values[:, 2], total),
                "locked_in": _fraction(group["band_locked"].values, total),
            }
        )
    scalars = ("locked_in", "effective_categories", "filter_bubble", "overlap", "mean_reaction")
    return {
        **{key: data.attrs[key] for key in ("users", "steps", "seed")},
        **{key: float(last[key]) for key in scalars},
        "shares": dict(zip(names, map(float, last["share"].values), strict=True)),
        "states": dict(zip(("calm", "engaged", "hooked"), map(float, last["state_share"].values), strict=True)),
        "by_intentionality": rows,
    }


def build(
    users: int = 3000,
    steps: int = 500,
    count: int = 4,
    recorded: int = 24,
    one_band: bool = False,
    names: tuple[str, ...] = (),
    scenario: str = 'name = "demo"\n',
) -> Result:
    """Return a dataset, its summary and its scenario text as the package's store would give them."""
    rng = np.random.default_rng(7)
    lam = rng.uniform(0.41, 0.44, users) if one_band else rng.random(users)
    records = np.unique(np.geomspace(1, steps, recorded).round().astype(int)) if recorded > 1 else np.array([steps])
    kept = simulate(users, steps, count, records.tolist(), lam, seed=1)
    feed, state = np.stack(kept["feed"]), np.stack(kept["state"])
    band = np.minimum((lam * BANDS).astype(int), BANDS - 1)
    names = names or tuple((NAMES + tuple(f"topic {k + 1}" for k in range(4, count)))[:count])
    variables = _population(feed, state, band) | {
        "mean_reaction": ("step", np.array(kept["reaction"])),
        "intentionality": ("user", lam),
        "susceptibility": (("user", "category"), kept["weight"]),
        "segment": ("user", np.zeros(users, dtype=np.int64)),
        "logits": (("user", "state", "category"), kept["logits"]),
        "baseline": ("user", kept["baseline"]),
        "exposures": (("user", "category"), kept["exposures"]),
        "final_state": ("user", state[-1]),
        "diet": (("step", "user", "category"), feed),
        "sample_state": (("step", "user"), state),
    }
    coords = {
        "step": records,
        "category": list(names),
        "category_color": ("category", [COLORS[k % len(COLORS)] for k in range(count)]),
        "category_post": ("category", [f"A post about {name}, and why it matters to you today." for name in names]),
        "state": ["calm", "engaged", "hooked"],
        "to_state": ["calm", "engaged", "hooked"],
        "band_low": ("band", np.arange(BANDS) / BANDS),
        "band_high": ("band", np.arange(1, BANDS + 1) / BANDS),
        "user": np.arange(users),
    }
    attrs = {"name": "demo", "version": "0.1.0", "seed": 1, "users": users, "steps": steps, "scenario": scenario}
    data = xr.Dataset(variables, coords, attrs)
    return data, _summary(data), scenario


@pytest.fixture(scope="session")
def make_result() -> Callable[..., Result]:
    """Return `build`, remembering each result it made."""
    return cache(build)
