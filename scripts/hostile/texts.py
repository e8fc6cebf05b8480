"""Hostile TOML, settings of the command line, and JSON."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from hostile.mutate import DEEP, HUGE, as_json, mutated, remade, toml, write_files
from mirrorfield.api import simulate
from mirrorfield.cli.compare import parse_change
from mirrorfield.cli.settings import build_scenario
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.run import plan_run
from mirrorfield.population.scenario import Scenario, read_toml
from mirrorfield.population.tables import mechanisms_of
from mirrorfield.seal import sha256
from mirrorfield.store.folder import read_result
from mirrorfield.store.ticket import FORMAT, _sha256, read_ticket
from mirrorfield.study.design import design_of
from mirrorfield.study.sweep import Sweep, _at, _point
from mirrorfield.version import VERSION, source_digest


def toml_files(*valid: Any) -> st.SearchStrategy[bytes]:
    """Return TOML files that are nearly these values."""
    return st.one_of(*(part for v in valid for part in (remade(v, 2).map(toml), mutated(st.just(toml(v))))))


def plain(scenario: Any) -> Any:
    """Return a scenario as nested values."""
    return json.loads(json.dumps(scenario.model_dump(mode="json", exclude_none=True)))


FULL = plain(Scenario(users=50, steps=20)) | {
    "intervention": {"at": 4, "nudge": 0.1, "policy": {"rule": "ppo", "epochs": 2}},
    "population": {"segments": [{"name": "a", "intentionality": {"distribution": "beta", "a": 1, "b": 2}}]},
    "policy": {"rule": "ppo", "horizon": 4, "start": [[0.1, 0.2, 0.3, 0.4]], "clip_low": 0.2},
    "reward": {"source": "reward_model", "model": [[0.1] * 4] * 3},
    "retrieval": {"corpus": "posts", "retriever": "random"},
}
SWEEP = {
    "method": "latin-hypercube",
    "samples": 4,
    "metrics": ["locked_in"],
    "set": {"users": 20, "steps": 10},
    "over": {
        "policy.learning_rate": {"low": 0.1, "high": 0.5, "log": True},
        "population.intentionality": {"low": 0, "high": 1},
    },
}
GRID = {"set": {"users": 20}, "over": {f"categories.{i}.name": {"values": [0.1, 0.2]} for i in range(3)}}


def read_scenario(folder: Path, data: bytes) -> None:
    """Read a scenario and make all that compiled code would read."""
    (folder / "x.toml").write_bytes(data)
    scenario = Scenario.from_values(read_toml(folder / "x.toml"))
    Scenario.from_toml(scenario.to_toml())
    plan_run(scenario), mechanisms_of(scenario)


def read_embedding(folder: Path, data: bytes) -> None:
    """Read a scenario of the embedding world."""
    (folder / "x.toml").write_bytes(data)
    EmbeddingScenario.from_values(read_toml(folder / "x.toml")).to_toml()


def read_sweep(folder: Path, data: bytes) -> None:
    """Read a sweep and make its first points."""
    (folder / "x.toml").write_bytes(data)
    spec = Sweep.load(folder / "x.toml")
    base = spec.base()
    for place in design_of(spec.method, spec.over, spec.samples, spec.seed)[:3]:
        _at(base, spec, place)


def read_settings(folder: Path, words: list[str]) -> None:
    """Read the settings of a command line."""
    build_scenario("default", words)


def read_change(folder: Path, word: str) -> None:
    """Read the change of an arm."""
    parse_change(Scenario(), word)


paths = st.sampled_from(
    [
        "users",
        "policy.learning_rate",
        "categories.0.name",
        "population.segments.0",
        "intervention.at",
        "x",
        "categories.99999.name",
        "categories." + "9" * 5000 + ".x",
        "policy.start.0",
        "",
    ]
)
said = st.sampled_from([HUGE, "9" * 5000, DEEP, "{a=1}", "1\nb=2", "true", "nan", "'", '"', "1e20", "0.2", "[[1]]", ""])
words = (
    st.sampled_from(["users=5", "policy.beta=0.1"])
    | st.builds("{}={}".format, paths, said | st.text(max_size=8))
    | st.text(max_size=12)
)

SUMMARY = {
    "users": 3,
    "shares": {"depth": 1.0},
    "states": {"calm": 1.0},
    "by_intentionality": [{"low": 0.0}],
    "steps": 1,
}
TICKET = {
    "format": FORMAT,
    "version": VERSION,
    "sources": source_digest(),
    "scenario": plain(Scenario()),
    "listed": None,
    "lens": None,
    "own": None,
    "block": 64,
    "keep": "sample",
    "population": None,
    "command": "mirrorfield run",
}
POINT = {"scenario": hashlib.sha256(Scenario().to_toml().encode()).hexdigest(), "figures": {"locked_in": 0.5}}


def read_summary(folder: Path, data: bytes) -> None:
    """Read a result."""
    write_files(folder, {"summary.json": data, "scenario.toml": Scenario().to_toml().encode()})
    read_result(folder)


def read_job(folder: Path, data: bytes) -> None:
    """Read a ticket: with a checksum that fits if it is JSON with one, else as it is."""
    with suppress(ValueError, RecursionError):
        values = json.loads(data)
        if isinstance(values, dict) and values.pop("checksum", None):
            data = as_json({"checksum": _sha256(values), **values})
    write_files(folder, {"job.json": data, "scenario.toml": b""})
    read_ticket(folder)


def read_sweep_point(folder: Path, data: bytes) -> None:
    """Read a saved point of a sweep: with a checksum that fits if it is a JSON object, else as it is."""
    with suppress(ValueError, RecursionError):
        values = json.loads(data)
        if isinstance(values, dict):
            told = {name: value for name, value in values.items() if name != "checksum"}
            data = json.dumps({"checksum": sha256(json.dumps(told).encode()), **told}).encode()
    (folder / "0.json").write_bytes(data)
    _point(folder / "0.json", Scenario(), (), simulate)


def jsons(values: Any) -> st.SearchStrategy[bytes]:
    """Return JSON files that are nearly these values."""
    return remade(values, 2).map(as_json) | mutated(st.just(as_json(values)))
