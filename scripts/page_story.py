"""The other figures of the page's story: a billion, where the crowd tips, the twins, what labs bolt on, who labels."""

import re
import tomllib
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from page_command import asked, run_line
from page_frames import CROWD, SHOWN
from pydantic import ValidationError

import mirrorfield as mf
from mirrorfield.server.again import mirror_again
from mirrorfield.server.givers import GIVERS
from mirrorfield.server.mirror import Settings
from mirrorfield.server.parts import Parts

DOCS = Path(__file__).parent.parent / "docs"
BILLION, TWINS = "docs/results/billion.md", "docs/results/twins.md"
PLACES = 21
TWIN_USERS = 50_000
COLUMNS = ("deliberate_value", "hooked", "locked_in", "filter_bubble", "mostly_depth", "mean_reaction")
HEADER = "| lever | dose | deliberate value | hooked | locked in | filter-bubble index | mostly depth | mean reaction |"
ROW = re.compile(r"^\| (no lever|lambda|labels|prompts|retrieval) \| ([\d.]*) ?\| (.*) \|$", re.MULTILINE)
FIGURES = ("locked_in", "filter_bubble", "overlap", "mean_reaction", "effective_categories")


def page(name: str) -> str:
    """Return the text of a page of the documentation."""
    return (DOCS.parent / name).read_text(encoding="utf-8")


def billion() -> dict[str, Any]:
    """Return the recorded run of a billion."""
    recorded = tomllib.loads((Path(__file__).parent / "billion.toml").read_text(encoding="utf-8"))
    return recorded | {"source": BILLION}


def everyone_at(value: float) -> dict[str, object]:
    """Return the setting by which everyone's lambda is one number."""
    return {"population.intentionality": f'{{distribution="point", value={value:g}}}'}


def figures(command: str) -> dict[str, Any]:
    """Return the figures that a line of `mirrorfield run` prints, and the line."""
    summary = mf.simulate(asked(command)).summary
    found = {"command": command, "shares": list(summary["shares"].values())}
    return found | {name: summary[name] for name in FIGURES} | {"hooked": summary["states"]["hooked"]}


def tipping() -> dict[str, Any]:
    """Return which kind leads against everyone's lambda, and where depth takes over, with fresh and warm policies."""
    found = mf.tip(mf.Scenario(users=CROWD))
    fit, warm = found.fit, found.hysteresis
    assert fit is not None and warm is not None
    lines = [run_line({"users": CROWD}, everyone_at(x)) for x in np.linspace(0, 1, PLACES).round(3).tolist()]
    return {
        "command": f"mirrorfield tip --users {CROWD}",
        "users": CROWD,
        "bracket": list(found.bracket),
        "midpoint": {"value": fit.midpoint, "low": fit.midpoint_low, "high": fit.midpoint_high},
        "width": {"value": fit.width, "low": fit.width_low, "high": fit.width_high},
        "misfit": fit.misfit,
        "warm": {
            "place": warm.place.tolist(),
            "up": warm.up.tolist(),
            "down": warm.down.tolist(),
            "tips_up": None if np.isnan(warm.tips_up) else warm.tips_up,
            "tips_down": None if np.isnan(warm.tips_down) else warm.tips_down,
        },
        "curve": [
            {"intentionality": x} | figures(line)
            for x, line in zip(np.linspace(0, 1, PLACES).round(3).tolist(), lines, strict=True)
        ],
    }


def twin_line(lever: str, dose: str) -> str:
    """Return the line of `mirrorfield run` that turns a lever to a dose, from people with lambda 0 who click."""
    settings: dict[str, dict[str, object]] = {
        "no lever": {},
        "lambda": {},
        "labels": {"reward.source": "mixture", "reward.weight": dose},
        "prompts": {"context.source": "query", "context.kappa": dose},
        "retrieval": {"retrieval.corpus": "posts", "retrieval.retriever": "query", "retrieval.count": dose},
    }
    return run_line({"users": TWIN_USERS}, everyone_at(float(dose) if lever == "lambda" else 0.0) | settings[lever])


def twins() -> dict[str, Any]:
    """Return the dose-response of the four dials, as the page of the twins has it: values, and half their intervals."""
    text = page(TWINS)
    if HEADER not in text:
        raise ValueError(f"{TWINS}: expected the columns {HEADER}")
    levers: dict[str, list[dict[str, Any]]] = {}
    for lever, dose, cells in ROW.findall(text[text.index(HEADER) :]):
        numbers = [[float(number) for number in cell.split(" ± ")] for cell in cells.split(" | ")]
        if len(numbers) != len(COLUMNS):
            raise ValueError(f"{TWINS}: {lever} {dose}: expected {len(COLUMNS)} cells, got {len(numbers)}")
        row: dict[str, Any] = {"dose": float(dose) if dose else None, "command": twin_line(lever, dose)}
        row["value"] = [one[0] for one in numbers]
        if dose:
            row["half"] = [one[1] for one in numbers]
        levers.setdefault(lever, []).append(row)
    [base] = levers.pop("no lever")
    return {"source": TWINS, "users": TWIN_USERS, "columns": list(COLUMNS), "base": base, "levers": levers}


CHOICES: dict[str, tuple[Any, ...]] = {
    "session": (1, 8),
    "epochs": (1, 4),
    "baseline": ("welford", "value", "group-mean"),
    "z_score": (False, True),
    "clip": (None, 0.2),
    "beta": (0.0, 0.05),
}


def combinations() -> list[Parts]:
    """Return every combination of parts that is a rule, the one without any part first."""
    found = []
    for values in product(*CHOICES.values()):
        with suppress(ValidationError):
            found.append(Parts(**dict(zip(CHOICES, values, strict=True))))
    return found


def bolts() -> list[dict[str, Any]]:
    """Return what one person is shown under every combination of parts, with the same luck."""
    found = []
    for parts in combinations():
        settings = Settings(seed=1, intentionality=0.2, learning_rate=0.5, parts=parts)
        one = mf.person(settings.scenario(SHOWN))
        line = mirror_again(settings, SHOWN)["command"]
        found.append(
            {
                "parts": parts.model_dump(),
                "command": line.replace("mirrorfield run one-user", "mirrorfield person 0 one-user"),
                "shown": "".join(map(str, one.posts.shown.tolist())),
                "mean_reaction": one.mean_reaction,
            }
        )
    return found


def labels() -> dict[str, Any]:
    """Return the crowd under each of those who may provide G, people and luck the same."""
    return {name: figures(run_line({"users": CROWD}, dotted(settings))) for name, settings in GIVERS.items()}


def dotted(settings: dict[str, dict[str, Any]]) -> dict[str, object]:
    """Return the settings of a scenario's parts by their names on the command line.

    >>> dotted({"reward": {"source": "ratings"}})
    {'reward.source': 'ratings'}
    """
    return {f"{part}.{name}": value for part, its in settings.items() for name, value in its.items()}
