"""What the page replays is what the package computes, by the commands that stand beside it."""

import json
import re
import shlex
import struct
import tomllib
from importlib import import_module, resources
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import cKDTree

import mirrorfield as mf
from mirrorfield.cli.main import loaded
from mirrorfield.cli.settings import build_population
from mirrorfield.metrics.outcomes import category_of
from mirrorfield.metrics.summary import population_figures
from mirrorfield.population.live import LiveCrowd
from mirrorfield.server.crowd import places_of
from mirrorfield.server.givers import GIVERS
from mirrorfield.server.mirror import Mirror, Settings
from mirrorfield.server.panels import Change, Phenomenon, effects
from mirrorfield.server.parts import PRESETS, Parts

RECORDED = resources.files("mirrorfield.server") / "static" / "recorded"
DOCS = Path(__file__).parents[2] / "docs"
WHO = ("you", "luck")
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


def scenario_of(command: str) -> mf.Scenario:
    """Return the scenario that a line of `mirrorfield run` or `person` asks for."""
    program, called, *words = shlex.split(command)
    assert program == "mirrorfield" and called in ("run", "person")
    asked = loaded(called).make_context(called, words).params
    top = {name: asked[name] for name in ("users", "steps", "seed")}
    return build_population(asked["scenario"] or "default", asked.get("set_") or asked.get("settings") or [], **top)


def summary_of(command: str) -> dict[str, Any]:
    """Return the summary of the run that a command line asks for."""
    return mf.simulate(scenario_of(command)).summary


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


@pytest.mark.parametrize("name", ["crowd.json", "story.json"])
def test_every_recorded_command_is_one_of_the_command_line(name: str) -> None:
    found = commands(told(name))
    assert found
    for command in found:
        program, called, *words = shlex.split(command)
        assert program == "mirrorfield"
        loaded(called).make_context(called, words)


def documented(page: str) -> str:
    """Return a page of the documentation; skip where the tests came without it."""
    place = DOCS / page
    if not place.is_file():
        pytest.skip("no documentation beside these tests")
    return " ".join(place.read_text(encoding="utf-8").split())


def percent(share: float, digits: int) -> str:
    return f"{100 * share:.{digits}f}"


def test_neighbours_are_those_of_the_documentation() -> None:
    text, story = documented("phenomena/polarization.md"), told("story.json")["neighbours"]
    assert story["pairs"] == 10**6 and "Two neighbours, 10^6 pairs" in text
    for at in story["curve"]:
        cells = [f"{at['distance']:g}"]
        for luck in ("same_luck", "other_luck"):
            one = at[luck]
            digits = 3 if one["share"] < 0.001 else 2 if one["share"] < 0.1 else 1
            share, low, high = (percent(one[part], digits) for part in ("share", "low", "high"))
            cells.append(f"{share}% ({low} to {high})" if one["share"] else "0 of 10^6 pairs")
        assert f"| {' | '.join(cells)} |" in text
    strangers = story["strangers"]
    error = (strangers["high"] - strangers["low"]) / 2 / 1.96
    assert f"| strangers | | {percent(strangers['share'], 1)}% (s.e. {percent(error, 2)}) |" in text
    decided = [f"{percent(story[who]['share'], 2)}% ({percent(story[who]['standard_error'], 2)})" for who in WHO]
    assert f"| 0.1, 10^6 users | {' | '.join(decided)} |" in text


def test_neighbours_made_anew_part_as_often_as_recorded() -> None:
    story = told("story.json")["neighbours"]
    found = mf.neighbours(distances=(0.3, 1.0), pairs=5000)
    for at, fresh in zip(story["curve"][-2:], found.distances, strict=True):
        assert at["distance"] == fresh.distance
        assert fresh.same_luck.low < at["same_luck"]["share"] < fresh.same_luck.high
        assert fresh.other_luck.low < at["other_luck"]["share"] < fresh.other_luck.high
    away = found.strangers.value - story["strangers"]["share"]
    assert abs(away) < 2 * (found.strangers.high - found.strangers.low)
    for who, (share, error) in (("you", found.profile), ("luck", found.luck)):
        assert abs(story[who]["share"] - share) < 3 * error, who


def test_the_two_pairs_of_neighbours_are_as_far_apart_and_part_as_recorded() -> None:
    examples = told("story.json")["neighbours"]["examples"]
    run = mf.simulate(mf.Scenario(users=20_000, record={"users": 20_000, "steps": 1}))
    who = run.part.sample
    profile = np.vstack([np.log(who.susceptibility.astype(float)), who.intentionality]).T
    diet = who.diet[-1].T.astype(float)
    shown = mf.simulate(mf.Scenario(users=20_000, steps=200, record={"users": 20_000, "steps": 1})).part.sample
    for name, apart in (("parts", True), ("stays", False)):
        pair = examples[name]
        one, other = (person["user"] for person in pair["people"])
        distance = float(np.linalg.norm(profile[one] - profile[other]))
        assert 0.29 <= distance <= 0.31 and pair["distance"] == pytest.approx(distance, rel=NEAR)
        shared = float(np.minimum(diet[one], diet[other]).sum())
        assert pair["in_common"] == pytest.approx(shared, rel=NEAR) and (shared < 0.1) == apart
        for person in pair["people"]:
            counts = np.bincount([*map(int, person["shown"])], minlength=4)
            assert counts.tolist() == shown.exposures[:, person["user"]].tolist()
    pairs = cKDTree(profile).query_pairs(0.31, output_type="ndarray")
    near, far = pairs.T
    pairs = pairs[np.linalg.norm(profile[near] - profile[far], axis=1) >= 0.29]
    parted = np.minimum(*diet[pairs.T]).sum(axis=1) < 0.1
    assert (examples["pairs"], examples["parted"]) == (len(pairs), parted.sum())


def test_the_billion_is_the_recorded_run_of_the_documentation(monkeypatch) -> None:
    text, story = documented("results/billion.md"), told("story.json")["billion"]
    monkeypatch.syspath_prepend(DOCS.parent / "scripts")
    rounded = import_module("record_page").rounded
    kinds = [category.name for category in mf.Scenario().categories]
    recorded = tomllib.loads((DOCS.parent / "scripts/billion.toml").read_text(encoding="utf-8"))
    assert rounded(recorded) == {name: story[name] for name in recorded}
    assert (story["users"], story["t"]) == (10**9, 1500)
    assert story["command"] == "mirrorfield run --users 1_000_000_000" and story["command"] in text
    assert f"{recorded['filter_bubble']:.5f}" in text
    assert f"| locked in | {percent(recorded['locked_in'], 4)}% |" in text
    for kind, share in zip(kinds, recorded["shares"], strict=True):
        assert f"| {kind} leads | {percent(share, 4)}% |" in text
    cells = r"\| (0\.\d\d) to \d\.\d\d" + r" \| ([\d,]+)" * 5 + r" \|"
    table = np.array([[float(cell.replace(",", "")) for cell in row] for row in re.findall(cells, text)])
    assert len(table) == 20 and table[:, 1].sum() == 10**9
    for low, part in ((0.0, recorded), (recorded["on_purpose"]["above"], recorded["on_purpose"])):
        there = table[table[:, 0] >= low]
        assert part["users"] == there[:, 1].sum()
        assert list(part["locked_in_to"].values()) == there[:, 2:].sum(axis=0).tolist()
    assert recorded["locked_in"] == pytest.approx(table[:, 2:].sum() / 10**9, abs=1e-9)
    few = mf.simulate(mf.Scenario(users=20_000)).summary
    for share, one in zip(
        [*recorded["shares"], recorded["locked_in"]], [*few["shares"].values(), few["locked_in"]], strict=True
    ):
        assert abs(share - one) < 4 * np.sqrt(share * (1 - share) / 20_000)


def test_where_the_crowd_tips_is_what_its_commands_print() -> None:
    story = told("story.json")["tipping"]
    place = np.array([at["intentionality"] for at in story["curve"]])
    depth = np.array([at["shares"][3] for at in story["curve"]])
    for at in story["curve"][::20]:
        agrees(at, summary_of(at["command"]))
    low, high = story["bracket"]
    assert high - low <= 0.002 and np.interp(low, place, depth) == pytest.approx(0.5, abs=0.02)
    for at in (low, high):
        words = story["curve"][0]["command"].replace("value=0", f"value={at}")
        assert (summary_of(words)["shares"]["depth"] > 0.5) == (at == high)
    moved = story["curve"][0]["command"].replace("value=0", "value=1")
    moved += " --steps 3000 --set intervention.at=1500 --set intervention.nudge=-1"
    assert summary_of(moved)["shares"]["depth"] == pytest.approx(story["warm"]["down"][0], rel=NEAR)
    assert story["warm"]["tips_down"] is None and min(story["warm"]["down"]) > 0.5


def test_the_twins_are_the_table_of_the_documentation() -> None:
    text, story = documented("results/twins.md"), told("story.json")["twins"]
    words = ["deliberate value", "hooked", "locked in", "filter-bubble index", "mostly depth", "mean reaction"]
    assert story["columns"] == [name.removesuffix(" index").replace("-", "_").replace(" ", "_") for name in words]
    assert f"| lever | dose | {' | '.join(words)} |" in text
    assert f"| no lever | | {' | '.join(f'{value:.3f}' for value in story['base']['value'])} |" in text
    rows = [(lever, row) for lever, rows in story["levers"].items() for row in rows]
    for lever, row in rows:
        cells = [f"{value:.3f} ± {half:.3f}" for value, half in zip(row["value"], row["half"], strict=True)]
        assert f"| {lever} | {row['dose']:g} | {' | '.join(cells)} |" in text
    assert len(rows) == len(re.findall(r"\| (?:lambda|labels|prompts|retrieval) \| [\d.]+ \| [\d.]+ ± ", text))


TURNED = [("base", 0), ("lambda", 1)]
SLOW_TURNED = [("labels", 4), ("prompts", 6), ("retrieval", 6)]


@pytest.mark.parametrize(
    ("lever", "place"), [*TURNED, *(pytest.param(*one, marks=pytest.mark.slow) for one in SLOW_TURNED)]
)
def test_a_twin_is_what_its_command_prints(lever: str, place: int) -> None:
    story = told("story.json")["twins"]
    row = story["base"] if lever == "base" else story["levers"][lever][place]
    figures = population_figures(summary_of(row["command"]))
    figures["mostly_depth"] = figures["share:depth"]
    for name, value in zip(story["columns"][1:], row["value"][1:], strict=True):
        assert value == pytest.approx(figures[name], abs=6e-4), name


QUICK_SCENES = [("echo-chamber", "open-loop"), ("filter-bubble", "open-loop")]
SCENES = [
    *((phenomenon, change) for phenomenon in get_args(Phenomenon) for change in get_args(Change)[:-1]),
    ("radicalization", "intensity-cap"),
]


@pytest.mark.parametrize(
    ("phenomenon", "change"),
    [*QUICK_SCENES, *(pytest.param(*one, marks=pytest.mark.slow) for one in SCENES if one not in QUICK_SCENES)],
)
def test_a_scene_is_what_its_panel_answers(phenomenon: Phenomenon, change: Change) -> None:
    found, fresh = told("story.json")["scenes"][phenomenon][change], effects(phenomenon, change).model_dump()
    assert {name: found[name] for name in ("pairs", "steps", "command")} == {
        name: fresh[name] for name in ("pairs", "steps", "command")
    }
    for one, other in zip(found["effects"], fresh["effects"], strict=True):
        assert one == {
            name: value if name == "metric" else pytest.approx(value, rel=NEAR) for name, value in other.items()
        }


def test_people_of_the_scenes_are_the_same_without_a_change_and_as_in_the_base() -> None:
    scenes = told("story.json")["scenes"]
    assert [(phenomenon, change) for phenomenon in scenes for change in scenes[phenomenon]] == SCENES
    for changes in scenes.values():
        [first, *others] = changes.values()
        assert all(other["people"]["without"] == first["people"]["without"] for other in others)
        assert all(len(one["people"][side]) == 60 for one in changes.values() for side in ("without", "with"))
    run = mf.simulate(mf.Scenario(users=4000, steps=1000))
    diet = run.part.sample.diet[-1].T[:60].astype(float)
    values = {
        "echo-chamber": run.part.sample.mean_reaction[-1][:60].astype(float),
        "filter-bubble": np.exp(-(diet * np.log(diet)).sum(axis=1)),
        "polarization": diet.max(axis=1),
    }
    for phenomenon, value in values.items():
        assert scenes[phenomenon]["open-loop"]["people"]["without"] == pytest.approx(value.tolist(), rel=NEAR)
        assert scenes[phenomenon]["open-loop"]["overlap"]["without"] == pytest.approx(run.summary["overlap"], rel=NEAR)
    strangers = scenes["polarization"]["quota"]["strangers"]["without"]
    last = run.part.sample.diet[-1].T.astype(float)
    shared = np.minimum(last[0::2], last[1::2]).sum(axis=1)
    assert strangers["mean"][-1] == pytest.approx(shared.mean(), rel=NEAR)
    assert strangers["half"][-1] == pytest.approx(1.96 * shared.std(ddof=1) / np.sqrt(2000), rel=NEAR)


@pytest.mark.parametrize(
    "name", ["REINFORCE", *(pytest.param(name, marks=pytest.mark.slow) for name in ("PPO", "GRPO"))]
)
def test_what_a_rule_shows_is_what_the_mirror_of_the_page_shows(name: str) -> None:
    found = next(one for one in told("story.json")["bolts"] if one["parts"] == PRESETS[name].model_dump())
    mirror = Mirror(Settings(seed=1, intentionality=0.2, learning_rate=0.5, parts=PRESETS[name]))
    assert "".join(str(mirror.react().category) for _ in range(200)) == found["shown"]


def test_every_combination_of_parts_is_recorded_under_its_own_command() -> None:
    found = told("story.json")["bolts"]
    assert found[0]["parts"] == Parts().model_dump() and len(found) == len({str(one["parts"]) for one in found}) > 30
    for one in found:
        settings = Settings(seed=1, intentionality=0.2, learning_rate=0.5, parts=Parts(**one["parts"]))
        asked = scenario_of(one["command"])
        assert asked.policy == settings.scenario(200).policy and asked.steps == 200 and asked.seed == 1
        assert len(one["shown"]) == 200
    for one in found[1::9]:
        again = mf.person(scenario_of(one["command"]))
        assert "".join(map(str, again.posts.shown.tolist())) == one["shown"]


@pytest.mark.parametrize(
    "name", [name if name == "clicker" else pytest.param(name, marks=pytest.mark.slow) for name in GIVERS]
)
def test_who_provides_the_reward_is_what_its_command_prints(name: str) -> None:
    found = told("story.json")["labels"][name]
    agrees(found, summary_of(found["command"]))
