"""Neighbours, tipping points and sweeps: limits that must hold, theory where there is one, and words for mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mirrorfield as mf
from mirrorfield.cli.main import app
from mirrorfield.errors import CorruptError, InputError
from mirrorfield.metrics.logistic import fit_logistic
from mirrorfield.metrics.mirrors import decided, wilson_share
from mirrorfield.store.population import write_population
from mirrorfield.study.design import Axis, design_of

SMALL = mf.Scenario(users=2000, steps=400, record={"users": 2000, "steps": 4})


@pytest.fixture(scope="module")
def pairs() -> mf.Neighbours:
    return mf.neighbours(SMALL, (0.0, 0.05, 2.0), pairs=4000)


def test_the_same_profile_with_the_same_luck_is_the_same_mirror(pairs: mf.Neighbours) -> None:
    assert pairs.distances[0].same_luck.value == 0
    parted = [pair.same_luck.value for pair in pairs.distances]
    assert parted == sorted(parted) and pairs.strangers.value > pairs.distances[1].other_luck.value


def test_strangers_are_pairs_that_share_nobody(pairs: mf.Neighbours) -> None:
    """Were everyone in two pairs, the interval would count the same people twice: n pairs in place of n / 2."""
    half = (pairs.strangers.high - pairs.strangers.low) / 2
    p = pairs.strangers.value
    assert half == pytest.approx(1.96 * (p * (1 - p) / (pairs.pairs // 2)) ** 0.5, rel=0.01)


def test_what_decides_is_between_none_and_all(pairs: mf.Neighbours) -> None:
    (profile, error), (luck, other) = pairs.profile, pairs.luck
    assert 0 < error < 0.05 and 0 < other < 0.05
    assert profile > 0.3 and profile + luck < 1 + 4 * (error + other)


def test_of_identical_people_luck_decides_all() -> None:
    same = {
        "susceptibility": {"distribution": "point", "value": 1.0},
        "intentionality": {"distribution": "point", "value": 0.2},
    }
    found = mf.neighbours(mf.Scenario(steps=400, population=same), (), pairs=3000)
    assert found.luck[0] == pytest.approx(1) and abs(found.profile[0]) < 4 * found.profile[1]


def test_the_index_is_that_of_a_known_mixture() -> None:
    """A label that is its user's own with chance 0.6 in either run, and drawn afresh else, is decided to 0.36."""
    rng, n = np.random.default_rng(2), 40_000
    own = rng.integers(0, 3, n)
    one, two = (np.where(rng.random(n) < 0.6, own, rng.integers(0, 3, n)) for _ in range(2))
    index, error = decided(one, two, 3)
    assert abs(index - 0.36) < 4 * error and error < 0.01
    spread = [decided(one[i::100], two[i::100], 3)[0] for i in range(100)]
    assert np.std(spread) / 10 == pytest.approx(error, rel=0.25)


def test_wilson_by_hand() -> None:
    share = wilson_share(0, 10)
    assert share.low == pytest.approx(0, abs=1e-12) and share.high == pytest.approx(0.2775, abs=1e-4)


def test_bisection_brackets_the_crossing_of_the_grid() -> None:
    found = mf.tip(SMALL, warm=False, tolerance=0.02)
    low, high = found.bracket
    assert high - low <= 0.02 and found.hysteresis is None
    at = dict(zip(found.place.tolist(), found.value.tolist(), strict=True))
    assert at[low] <= 0.5 < at[high]
    assert found.fit is not None and abs(found.fit.midpoint - (low + high) / 2) < 0.05


def test_a_warm_policy_stays_where_it_was_learned() -> None:
    found = mf.tip(SMALL.model_copy(update={"users": 500}), tolerance=0.2)
    assert found.hysteresis is not None
    middle = len(found.hysteresis.place) // 2
    assert found.hysteresis.down[middle] > found.hysteresis.up[middle] + 0.2


def test_the_logistic_interval_holds_the_midpoint_as_often_as_it_says() -> None:
    """The same users at every place: an interval that took them for new ones would be too narrow."""
    rng, places, held = np.random.default_rng(3), np.linspace(0, 1, 9), 0
    for _ in range(400):
        fit = fit_logistic(places, rng.logistic(0.45, 0.07, 500) < places[:, None])
        assert fit is not None
        held += fit.midpoint_low <= 0.45 <= fit.midpoint_high
    assert 0.91 <= held / 400 <= 0.98
    assert fit_logistic(places, np.ones((9, 5))) is None


def write(folder: Path, text: str) -> Path:
    file = folder / "what.toml"
    file.write_text(text, encoding="utf-8")
    return file


GRID = """
metrics = ["locked_in", "share:depth"]
set = { users = 300, steps = 60 }
[over]
"policy.learning_rate" = { values = [0.1, 0.5] }
"population.intentionality" = { values = [0.0, 0.5, 1.0] }
"""


def test_a_grid_is_the_runs_one_by_one_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    spec, out = mf.Sweep.load(write(tmp_path, GRID)), tmp_path / "out"
    seen: list[int] = []

    def stop_in_the_middle(done: int, total: int) -> None:
        seen.append(total)
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mf.sweep(spec, out, progress=stop_in_the_middle)
    assert len(list((out / "points").iterdir())) == 4 and seen == [6] * 4
    dataset = mf.sweep(spec, out)
    assert dict(dataset.sizes) == {"policy.learning_rate": 2, "population.intentionality": 3}
    point = {"distribution": "point", "value": 0.5}
    one = mf.simulate(
        mf.Scenario(users=300, steps=60, policy={"learning_rate": 0.5}, population={"intentionality": point})
    )
    cell = dataset.sel({"policy.learning_rate": 0.5, "population.intentionality": 0.5})
    assert float(cell["locked_in"]) == one.summary["locked_in"]
    assert float(cell["share:depth"]) == one.summary["shares"]["depth"]
    with xr.open_zarr(out / "sweep.zarr", consolidated=False) as stored:
        assert stored.load().identical(dataset)
    assert mf.sweep(spec, tmp_path / "again").identical(dataset)


def test_a_point_that_was_tampered_with_is_named(tmp_path: Path) -> None:
    spec, out = mf.Sweep.load(write(tmp_path, GRID)), tmp_path / "out"
    mf.sweep(spec, out)
    point = out / "points" / "000003.json"
    edited = json.loads(point.read_text(encoding="utf-8"))
    edited["figures"]["locked_in"] += 0.25
    for told in ({"scenario": "another", "figures": {}}, edited, []):
        point.write_text(json.dumps(told), encoding="utf-8")
        with pytest.raises(
            CorruptError, match=r"000003\.json: is not a point of this sweep, or has changed; delete it"
        ):
            mf.sweep(spec, out)
    with pytest.raises(InputError, match="holds another sweep"):
        mf.sweep(spec.model_copy(update={"seed": 2}), out)


def test_sobol_indices_are_those_of_a_function_that_has_them() -> None:
    """x + 2 y over the unit square: 1/5 and 4/5 of the variance, no interaction."""
    from mirrorfield.study.answer import dataset_of

    axes = {"a": {"low": 0.0, "high": 1.0}, "b": {"low": 0.0, "high": 1.0}}
    spec = mf.Sweep(method="sobol", samples=1024, over=axes)
    places = design_of("sobol", spec.over, 1024, 1)
    found = dataset_of(spec, mf.Scenario(), places, [{"y": float(x + 2 * y)} for x, y in places])
    assert found["first_order"].values[0] == pytest.approx([0.2, 0.8], abs=0.02)
    assert found["total_order"].values[0] == pytest.approx([0.2, 0.8], abs=0.02)
    assert (found["first_order_half"].values[0] < 0.1).all()


def test_designs_fill_their_ranges() -> None:
    axes = {"x": Axis(low=0.01, high=1.0, log=True), "n": Axis(low=1, high=10, integer=True)}
    places = design_of("latin-hypercube", axes, 100, 1)
    deciles = np.floor(np.log(places[:, 0] / 0.01) / np.log(100) * 100).astype(int)
    assert sorted(deciles.tolist()) == list(range(100))
    assert set(places[:, 1]) == set(range(1, 11))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('over = { "policy.beta" = { values = [1] } }\nmethod = "gird"', "what.toml: method: expected"),
        ('over = { "policy.beta" = { low = 0, high = 1 } }', "over.policy.beta: expected values = [...] for a grid"),
        ('over = { "policy.beta" = { low = 1, high = 0 } }', "expected low below high, got 1 and 0"),
        ('method = "sobol"\nsamples = 3\n[over]\n"policy.beta" = { low = 0, high = 1 }', "expected a power of 2"),
        ('[over]\n"policy.bet" = { values = [1] }', 'unknown key "policy.bet"'),
        (
            'metrics = ["x"]\nset = { users = 9, steps = 2 }\n[over]\nseed = { values = [1], integer = true }',
            'unknown metric "x"',
        ),
    ],
)  # fmt: skip
def test_a_sweep_that_cannot_be_is_refused_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        mf.sweep(mf.Sweep.load(write(tmp_path, text)), tmp_path / "out")
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_words_for_what_cannot_tip_or_be_paired() -> None:
    with pytest.raises(InputError, match=r"tip: expected locked_in to cross 0.5 between 0 and 1"):
        mf.tip(mf.Scenario(users=50, steps=5), "locked_in")
    with pytest.raises(InputError, match=r'unknown metric "share:deph"\. Did you mean "share:depth"'):
        mf.tip(mf.Scenario(users=50, steps=5), "share:deph")
    with pytest.raises(InputError, match="expected low below high"):
        mf.tip(low=1.0, high=0.0)
    with pytest.raises(InputError, match="expected distances of 0 or more, got -1"):
        mf.neighbours(SMALL, (-1.0,), pairs=10)


def test_the_commands_write_what_they_print(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    app(["neighbours", "--pairs", "200", "--steps", "50", "--eps", "0.1", "--out", "n.html"], standalone_mode=False)
    app(["tip", "--users", "300", "--steps", "200", "--tolerance", "0.2", "--out", "t.html"], standalone_mode=False)
    app(["sweep", str(write(tmp_path, GRID))], standalone_mode=False)
    said = capsys.readouterr().out
    assert "strangers" in said and "decided by profile alone" in said
    assert "crosses 0.5 between" in said and "with a warm policy" in said and "grid: 6 points" in said
    for page in ("n.html", "t.html"):
        text = (tmp_path / page).read_text(encoding="utf-8")
        assert "<svg" in text and "The base scenario" in text
    assert (tmp_path / "what" / "sweep.zarr").is_dir()


def test_open_loops_are_open() -> None:
    found = mf.compare(SMALL, {}, ["drift", "mean_reaction"], against=["random", "frozen", "popular"])
    assert [arm.name for arm in found.arms] == ["open loop: random", "open loop: frozen", "open loop: popular"]
    random, frozen, popular = ({e.metric: e for e in arm.effects} for arm in found.arms)
    assert random["drift"].changed == popular["drift"].changed == pytest.approx(0, abs=1e-6)
    assert 0 < frozen["drift"].changed < frozen["drift"].base
    assert all(arm["mean_reaction"].high < 0 for arm in (random, frozen, popular))
    with pytest.raises(InputError, match=r'unknown open loop "popula"\. Did you mean "popular"'):
        mf.compare(SMALL, {}, against=["popula"])
    meddled = SMALL.model_copy(update={"intervention": mf.Intervention(friction=0.5)})
    with pytest.raises(InputError, match="the base already has one"):
        mf.compare(meddled, {}, against=["frozen"])


def listed(folder: Path, intentionality: list[float]) -> str:
    """Write people of susceptibility 1 with these lambdas, and return where."""
    people = len(intentionality)
    users = xr.Dataset(
        {"susceptibility": (("user", "category"), np.ones((people, 4))), "intentionality": ("user", intentionality)},
        {"category": np.array([category.name for category in mf.Scenario().categories], object)},
    )
    write_population(folder, mf.Scenario(), {}, users)
    return str(folder)


def test_neighbours_are_of_the_listed_people(tmp_path: Path) -> None:
    """One person listed: everyone has their profile, so that the luck they share decides all, and profiles nothing."""
    people = {"file": listed(tmp_path / "one", [0.3])}
    found = mf.neighbours(mf.Scenario(steps=300, population=people), (0.0,), pairs=400)
    assert found.luck[0] == pytest.approx(1) and abs(found.profile[0]) < 4 * found.profile[1]
    assert found.distances[0].same_luck.value == 0


def test_listed_people_tip_where_all_of_them_have_one_lambda(tmp_path: Path) -> None:
    """The lambdas of the list give way to the place; susceptibilities stay, as a list of that lambda alone has them."""
    world = mf.Scenario(users=300, steps=200, population={"file": listed(tmp_path / "many", [0.0, 0.4, 1.0])})
    found = mf.tip(world, tolerance=0.1, warm=False)
    assert found.value[0] < 0.5 < found.value[-1]
    same = mf.Scenario(users=300, steps=200, population={"file": listed(tmp_path / "same", [0.25])})
    assert found.value[found.place.tolist().index(0.25)] == mf.simulate(same).summary["shares"]["depth"]
    rates = mf.tip(world, "locked_in", "policy.learning_rate", 0.0, 0.9, level=0.3, tolerance=0.3)
    assert rates.value[0] == 0 and rates.hysteresis is None


def test_the_command_tips_listed_people(tmp_path: Path, capsys) -> None:
    words = ["tip", "--population", listed(tmp_path / "many", [0.0, 1.0]), "--users", "200", "--steps", "128"]
    app([*words, "--tolerance", "0.3"], standalone_mode=False)
    said = capsys.readouterr().out
    assert "crosses 0.5 between" in said and "with a warm policy" in said


def test_a_sweep_of_what_listed_people_bring_along_is_refused(tmp_path: Path) -> None:
    """The list would win, and every point would be the same run."""
    people = {"population.file": listed(tmp_path / "many", [0.0, 1.0]), "users": 20, "steps": 5}
    with pytest.raises(InputError, match=r"^sweep: population\.intentionality.*: expected no population\.file"):
        mf.sweep(mf.Sweep(set=people, over={"population.intentionality": {"values": [0.1, 0.9]}}), tmp_path / "out")
