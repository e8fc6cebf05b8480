"""What the page replays is what the package computes, by the commands that stand beside it."""

import json
import shlex
import struct
from importlib import resources
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mirrorfield as mf
from mirrorfield.cli.main import loaded
from mirrorfield.cli.settings import build_population
from mirrorfield.metrics.outcomes import category_of
from mirrorfield.metrics.summary import population_figures
from mirrorfield.population.live import LiveCrowd
from mirrorfield.server.crowd import places_of

RECORDED = resources.files("mirrorfield.server") / "static" / "recorded"
NEAR = 1e-5  # figures are recorded to six digits


def read(name: str) -> tuple[list[int], NDArray[np.uint8]]:
    """Return the steps of a recorded crowd, and its planes x, y and kind, (frames, 3, n)."""
    content = (RECORDED / name).read_bytes()
    magic, people, frames, *steps = struct.unpack_from(f"<{3 + struct.unpack_from('<3I', content)[2]}I", content)
    assert magic == 0x4D465231 and len(steps) == frames
    moved = np.frombuffer(content, np.uint8, offset=4 * (3 + frames)).reshape(frames, 3, people)
    return steps, np.cumsum(moved, axis=0, dtype=np.uint8)


def told(name: str) -> dict[str, Any]:
    return json.loads((RECORDED / name).read_text(encoding="utf-8"))


def summary_of(command: str) -> dict[str, Any]:
    """Return the summary of the run that a command line asks for."""
    program, called, *words = shlex.split(command)
    assert (program, called) == ("mirrorfield", "run")
    asked = loaded(called).make_context(called, words).params
    top = {name: asked[name] for name in ("users", "steps", "seed")}
    return mf.simulate(build_population(asked["scenario"] or "default", asked["set_"] or [], **top)).summary


def planes(diet: NDArray[np.float32], steps_a_unit: int) -> NDArray[np.uint8]:
    """Return x, y and kind of people with these diets, (4, n), in so many steps from -1 to 1, as bytes."""
    place = np.rint(np.rint((places_of(diet) + 1) / 2 * steps_a_unit) * 255 / steps_a_unit)
    kind = category_of(diet.T.astype(float), np.arange(diet.shape[1]))
    return np.vstack([place, kind]).astype(np.uint8)


def commands(part: Any) -> list[str]:
    """Return every value under the key `command`, at any depth."""
    if isinstance(part, dict):
        return [one for key, value in part.items() for one in ([value] if key == "command" else commands(value))]
    return [one for value in part for one in commands(value)] if isinstance(part, list) else []


def agrees(recorded: dict[str, Any], summary: dict[str, Any]) -> None:
    """Assert that recorded figures are those of a run's summary."""
    figures = population_figures(summary)
    for name in ("locked_in", "filter_bubble", "overlap", "mean_reaction", "effective_categories", "hooked"):
        assert recorded[name] == pytest.approx(figures[name], rel=NEAR), name
    assert recorded["shares"] == pytest.approx(list(summary["shares"].values()), rel=NEAR)


CROWDS = [("crowd.bin", 20_000, 1, 255), ("opening.bin", 1500, 1, 127), ("opening2.bin", 1500, 2, 127)]


@pytest.mark.parametrize(("name", "people", "seed", "fine"), CROWDS)
def test_recorded_people_are_those_of_the_package_bit_for_bit(name: str, people: int, seed: int, fine: int) -> None:
    steps, seen = read(name)
    assert seen.shape[2] == people and steps[0] == 0 and steps[-1] == 1500 and steps == sorted({*steps})
    crowd = LiveCrowd(mf.Scenario(users=500, seed=seed))
    for step, planes_seen in zip(steps, seen, strict=True):
        crowd.advance(step - crowd.t)
        assert (planes_seen[:, :500] == planes(crowd.look().diet[0, :, :500], fine)).all(), step
    run = mf.simulate(mf.Scenario(users=people, seed=seed, record={"users": people, "steps": 1}))
    assert (seen[-1] == planes(run.part.sample.diet[-1], fine)).all()


def test_figures_of_the_crowd_are_those_of_its_command() -> None:
    steps, seen = read("crowd.bin")
    story = told("crowd.json")
    assert [frame["step"] for frame in story["frames"]] == steps
    for frame, (_, _, kind) in zip(story["frames"], seen, strict=True):
        assert frame["shares"] == pytest.approx((np.bincount(kind, minlength=4) / len(kind)).tolist(), rel=NEAR)
    agrees(story["frames"][-1], summary_of(story["command"]))


@pytest.mark.parametrize("part", ["raised", "left"])
def test_the_crowd_with_lambda_raised_is_what_its_command_prints(part: str) -> None:
    story = told("crowd.json")[part]
    assert story["frames"][0]["step"] == 1500 and story["frames"][-1]["step"] == 3000
    agrees(story["frames"][-1], summary_of(story["command"]))


def test_first_locked_in_is_nobody_else_and_shown_what_the_kernel_showed() -> None:
    cards = {card["kind"]: card for card in told("crowd.json")["first_locked_in"]}
    crowd, found = LiveCrowd(mf.Scenario(users=20_000)), dict[str, tuple[int, int]]()
    for post in range(1, max(card["post"] for card in cards.values()) + 1):
        crowd.advance(1)
        diet = crowd.look().diet[0, :, :20_000]
        for kind, name in enumerate(cards):
            if name not in found and (there := np.flatnonzero(diet[kind] > np.float32(0.9))).size:
                found[name] = (post, int(there[0]))
    assert found == {name: (card["post"], card["user"]) for name, card in cards.items()}
    crowd.advance(200 - crowd.t)
    for card in cards.values():
        who = crowd.one(card["user"])
        assert np.bincount([*map(int, card["shown"])], minlength=4).tolist() == who.exposures[:, 0].tolist()
        assert card["intentionality"] == pytest.approx(float(who.intentionality[0]), rel=NEAR)


@pytest.mark.parametrize("name", ["crowd.json"])
def test_every_recorded_command_is_one_of_the_command_line(name: str) -> None:
    found = commands(told(name))
    assert found
    for command in found:
        program, called, *words = shlex.split(command)
        assert program == "mirrorfield"
        loaded(called).make_context(called, words)
