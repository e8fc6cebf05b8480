"""The scenario that a command line asks for, so that what the page shows is what the command beside it prints."""

import shlex
from typing import Any

import mirrorfield as mf
from mirrorfield.cli.compare import parse_change
from mirrorfield.cli.main import loaded
from mirrorfield.cli.settings import build_population
from mirrorfield.study.whatif import open_loops


def words_of(command: str) -> dict[str, Any]:
    """Return the arguments and options of a command line by name."""
    _, called, *words = shlex.split(command)
    found: dict[str, Any] = loaded(called).make_context(called, words).params
    return found


def asked(command: str) -> mf.Scenario:
    """Return the scenario of `mirrorfield run` or `person`, or the base of `mirrorfield compare`."""
    words = words_of(command)
    settings = [*(words.get("set_") or words.get("settings") or [])]
    if words.get("pairs"):
        settings.append(f"record.users={words['pairs']}")
    top = {name: words[name] for name in ("users", "steps", "seed")}
    return build_population(words["scenario"] or "default", settings, **top)


def arm_of(command: str, base: mf.Scenario) -> mf.Scenario:
    """Return the one arm of `mirrorfield compare`: its change, or its open loop."""
    words = words_of(command)
    if words["change"]:
        arm = parse_change(base, words["change"][0])
    else:
        exposures = mf.simulate(base).part.sample.exposures
        [arm] = open_loops(base, exposures, words["against"]).values()
    assert isinstance(arm, mf.Scenario)
    return arm


def run_line(words: dict[str, object], settings: dict[str, object]) -> str:
    """Return a line of `mirrorfield run` with options and settings.

    >>> run_line({"users": 9}, {"reward.weight": 0.5})
    'mirrorfield run --users 9 --set reward.weight=0.5'
    """
    options = [part for name, value in words.items() for part in (f"--{name}", str(value))]
    sets = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    return shlex.join(["mirrorfield", "run", *options, *sets])
