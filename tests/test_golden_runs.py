"""What small runs of every mechanism, rule, world and intervention publish has not changed by a bit.

`python tests/test_golden_runs.py` writes their digests to `golden/runs.json`. Write them anew only where a definition
changes on purpose, and say so in the changelog.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.policy.presets import PRESETS
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.plausible import check_part

RUNS = Path(__file__).parent / "golden" / "runs.json"
FIXED: dict[str, Any] = {"users": 301, "steps": 40, "seed": 11, "record": {"steps": 8, "users": 301}}
LEANING = [[0.3, -0.2, 0.1, 0.0], [0.0, 0.4, 0.0, -0.4], [0.5, 0.0, -0.5, 0.0]]
CATEGORIES = [{"name": f"c{i}", "color": "#000000"} for i in range(16)]
FLAT = {"mean": 0.5, "std": 0.2, "up": 0.1, "down": 0.2}

SCENARIOS: dict[str, dict[str, Any]] = {
    "plain": {},
    "plain-16": {
        "categories": CATEGORIES,
        "reactive": FLAT | {"mean": [0.1 * i for i in range(16)]},
        "intentional": FLAT,
    },
    "plain-3": {"categories": CATEGORIES[:3], "reactive": FLAT | {"mean": [0.9, 0.5, 0.1]}, "intentional": FLAT},
    "start": {"policy": {"start": LEANING}},
    "open-loop": {"policy": {"learning_rate": 0.0}},
    "rungs": {"intensity": {"rungs": 3, "slope": 0.4, "width": 0.3, "eta": 0.2, "decay": 0.05}},
    "habituation": {"intensity": {"rungs": 2, "slope": 0.2, "eta": 0.1}},
    "cap": {"intensity": {"rungs": 4, "slope": 0.3, "eta": 0.1}, "intervention": {"at": 12, "intensity_cap": 0.5}},
    "exploration": {"intervention": {"at": 10, "exploration": 0.2}},
    "quota": {"intervention": {"at": 10, "quota": 0.6}},
    "friction": {"intervention": {"at": 10, "friction": 0.4}},
    "swap": {"intervention": {"at": 10, "swap": 0.3}},
    "nudge": {"intervention": {"at": 16, "nudge": 0.4, "nudge_share": 0.5}},
    "switched": {"intervention": {"at": 16, "policy": {"rule": "reinforce", "learning_rate": 0.5}}},
    "switched-session": {
        "policy": {"rule": "ppo", "horizon": 8, "learning_rate": 0.3},
        "intervention": {"at": 16, "policy": {"rule": "grpo", "learning_rate": 0.3}},
    },
    "everything": {
        "intensity": {"rungs": 2, "slope": 0.2, "eta": 0.1, "decay": 0.05},
        "intervention": {"at": 8, "swap": 0.2, "quota": 0.7, "friction": 0.1, "exploration": 0.1, "nudge": -0.2},
    },
    "ratings": {"reward": {"source": "ratings", "rate": 0.5, "noise": 0.7}},
    "mixture": {"reward": {"source": "mixture", "weight": 0.4, "rate": 0.6}},
    "reward-model": {"reward": {"source": "reward_model", "model": [[0.1, 0.2, 0.3, 0.9]] * 3}},
    "context": {"context": {"kappa": 0.7, "memory": 10.0}},
    "query": {"context": {"kappa": 0.7, "source": "query"}},
    "priming": {"context": {"priming": 0.5, "memory": 8.0}},
    "history": {"retrieval": {"corpus": "posts", "retriever": "history", "count": 6, "refresh": 8}},
    "random": {"retrieval": {"corpus": "posts", "retriever": "random", "count": 5, "refresh": 4}},
    "diverse": {"retrieval": {"corpus": "posts", "retriever": "diverse", "count": 6, "refresh": 8}},
    "rag": {
        "retrieval": {"corpus": "posts", "retriever": "query", "count": 6, "refresh": 8},
        "context": {"kappa": 0.5, "priming": 0.3},
        "reward": {"source": "mixture", "weight": 0.3},
    },
    "lens-sessions": {
        "policy": {"rule": "ppo", "horizon": 8, "learning_rate": 0.3},
        "context": {"kappa": 0.4, "priming": 0.2},
        "retrieval": {"corpus": "posts", "retriever": "history", "count": 6, "refresh": 8},
    },
    "rungs-sessions": {
        "policy": {"rule": "a2c", "horizon": 8, "learning_rate": 0.3},
        "intensity": {"rungs": 3, "slope": 0.4, "eta": 0.2, "decay": 0.05},
    },
    "minibatches": {
        "policy": {"rule": "ppo", "horizon": 8, "epochs": 2, "minibatches": 2, "normalise": "minibatch"},
    },
    "leash-k3": {"policy": {"rule": "grpo", "beta": 0.1, "reference": LEANING, "learning_rate": 0.3}},
    "leash-reward": {"policy": {"rule": "ppo", "horizon": 8, "leash": "k1-in-reward", "beta": 0.1, "kl_target": 0.05,
                                "kl_horizon": 100}},
    "entropy": {"policy": {"rule": "ppo", "horizon": 8, "entropy": 0.05}},
    "people": {
        "population": {
            "segments": [
                {"name": "one", "weight": 2, "intentionality": {"distribution": "beta", "a": 2, "b": 5}},
                {"name": "two", "susceptibility": {"distribution": "dirichlet", "concentration": 3}},
            ]
        }
    },
}  # fmt: skip


def digest(*values: Any) -> str:
    """Return a digest of plain values and arrays, in order."""
    seal = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray) and value.dtype != object:
            seal.update(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
        else:
            seal.update(json.dumps(value, sort_keys=True, default=str).encode())
    return seal.hexdigest()[:16]


def of_run(summary: Any, dataset: Any) -> dict[str, str]:
    """Return the digests of a summary, and of a dataset's variables."""
    variables = [part for name in sorted(dataset.variables) for part in (name, dataset[name].values)]
    return {"summary": digest(summary), "dataset": digest(*variables)}


def scenarios() -> dict[str, mf.Scenario]:
    """Return every scenario by name: the mechanisms, and each named rule."""
    named = {f"rule-{name}": {"policy": {"rule": name, "learning_rate": 0.2}} for name in PRESETS}
    return {name: mf.Scenario(**(FIXED | values)) for name, values in (SCENARIOS | named).items()}


def embeddings() -> dict[str, EmbeddingScenario]:
    """Return scenarios of the embedding world."""
    small: dict[str, Any] = {"users": 60, "steps": 30, "dimension": 8, "items": {"count": 40}, "record": {"users": 60}}
    return {
        "embedding": EmbeddingScenario(**small),
        "embedding-drift": EmbeddingScenario(**small, interest={"drift": 0.05}, policy={"slate": 3, "candidates": 0}),
        "embedding-biased": EmbeddingScenario(**small, policy={"correction": False, "candidates": 16}, first_user=7),
    }


def found(name: str) -> dict[str, str]:
    """Return the digests of what a run publishes."""
    if name in embeddings():
        fed = mf.simulate(embeddings()[name])
        return of_run(fed.summary, fed.dataset)
    run = mf.simulate(scenarios()[name], threads=1)
    check_part(run.plan, run.part)  # what a true run leaves behind passes for a part of a job
    return of_run(run.summary, run.dataset)


NAMES = [*scenarios(), *embeddings()]
GOLDEN: dict[str, dict[str, str]] = json.loads(RUNS.read_text(encoding="utf-8")) if RUNS.exists() else {}


def test_every_run_has_a_digest() -> None:
    assert list(GOLDEN) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_run(name: str) -> None:
    assert found(name) == GOLDEN[name]


if __name__ == "__main__":
    RUNS.write_text(json.dumps({name: found(name) for name in NAMES}, indent=1) + "\n", encoding="utf-8")
