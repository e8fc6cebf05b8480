"""The scorecard: its numbers where the truth is known, its verdicts on made facts, its JSON, its pages."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.cli.main import app
from mirrorfield.errors import InputError
from mirrorfield.metrics.outcomes import category_of
from mirrorfield.population.scenario import Scenario
from mirrorfield.report.scorecard import markdown, page, plain, told_apart
from mirrorfield.report.strips import number, strips, zone
from mirrorfield.study import counterparts
from mirrorfield.study.bench import NULLS, Bench
from mirrorfield.study.counterparts import MEASURES, page_spread
from mirrorfield.study.scorecard import Row, Scorecard, scorecard
from mirrorfield.validation.facing import ORDER, Measured, Verdict, judge
from mirrorfield.validation.facts import Fact, facts

PAGE = Path(__file__).parents[1] / "docs/results/scorecard.md"
FEW = Scenario(users=256, steps=60)
KEYS = {
    "": {"scenario", "rule", "counts", "rows"},
    "row": {"fact", "model", "verdict", "why", "nulls", "nearest"},
    "fact": {
        *("id", "statement", "kind", "value", "low", "high", "margin", "unit", "population", "source", "checked"),
        *("unchecked", "role", "measure", "reason", "counterpart", "tried", "change"),
    },
    "source": {"authors", "year", "title", "address", "place"},
    "number": {"value", "low", "high"},
    "judged": {"value", "low", "high", "verdict", "why"},
}


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(FEW)


def made(name: str, **changes: object) -> Fact:
    """Return a fact about the narrowing of diets whose truth in the model is known: they narrow, by 0 to 3."""
    fact = next(fact for fact in facts() if fact.id == "narrowing")
    return fact.model_copy(update={"id": name, "nulls": ("random",), **changes})


def test_made_facts_get_the_right_verdict_and_contradicted_ones_come_first() -> None:
    known = [
        made("none-there", measure=None, reason="the model has no such thing", nulls=()),
        made("narrower", value=-1.0),
        made("much-wider", kind="size", value=2.0),
        made("wider", value=1.0),
        made("nothing-happens", kind="zero", value=0.0, margin=0.01),
        made("at-most-three", kind="size", value=-1.5, low=-3.0, high=0.0),
    ]
    card = scorecard(FEW, known=known)
    assert [(row.fact.id, row.verdict.word) for row in card.rows] == [
        *((name, "contradicts") for name in ("much-wider", "wider", "nothing-happens")),
        *((name, "agrees") for name in ("narrower", "at-most-three")),
        ("none-there", "cannot be compared"),
    ]
    for row in card.rows[:-1]:
        found, verdict = row.nulls["random"]
        assert found == Measured(0.0, 0.0, 0.0)  # a random feed does not narrow at all
        assert verdict.word == ("agrees" if row.fact.id in ("nothing-happens", "at-most-three") else "contradicts")
    assert card.rows[-1].model is None and card.rows[-1].verdict.why == "the model has no such thing"
    assert told_apart(card) == (
        "Of the 2 facts that the model agrees with, 1 are contradicted by every null model beside them, and 0 of these "
        "test it. Of the 3 that it contradicts, 0 agree with the nearest settings known, which were chosen on them."
    )
    assert [card.count(word) for word in ("contradicts", "agrees", "cannot be compared")] == [3, 2, 1]


def test_settings_that_bring_the_model_nearer_are_measured_too() -> None:
    fact = made("still", kind="zero", value=0.0, margin=0.01, nearest={"policy.learning_rate": 0.0})
    (row,) = scorecard(FEW, known=[fact]).rows
    assert row.verdict.word == "contradicts" and row.nearest is not None
    assert "Of the 1 that it contradicts, 1 agree" in told_apart(Scorecard(FEW, [row]))
    assert row.nearest[0] == Measured(0.0, 0.0, 0.0) and row.nearest[1].word == "agrees"


def test_a_session_is_a_chain_of_states_under_fixed_policies(bench: Bench) -> None:
    trace, climbs = bench.run("model"), []
    for user in range(FEW.users):
        law, hot = trace.moves[:, :, user].astype(float), trace.served[:, :2, user].sum(axis=1).astype(float)
        climbs.append(np.linalg.matrix_power(law, 19)[0] @ hot - hot[0])
    assert MEASURES["session_climb"](bench, "model").value == pytest.approx(np.mean(climbs), abs=1e-6)


def test_homogenisation_is_a_mean_over_pairs(bench: Bench) -> None:
    trace = bench.run("model")
    diet, mean = trace.diet[-1].T.astype(float), bench.mean("model", trace)
    best = [int((trace.time_in_state[:, u].astype(float) @ mean[u]).argmax()) for u in range(FEW.users)]
    pairs = list(combinations(range(FEW.users), 2))
    expected = np.mean([diet[u] @ diet[v] - (best[u] == best[v]) for u, v in pairs])
    assert MEASURES["homogenisation"](bench, "model").value == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
def test_the_interval_of_homogenisation_is_as_wide_as_its_spread_over_crowds() -> None:
    found = [MEASURES["homogenisation"](Bench(Scenario(users=128, steps=30, seed=s)), "model") for s in range(40)]
    half = np.mean([one.high - one.low for one in found]) / 2
    assert 0.65 < half / (1.96 * np.std([one.value for one in found], ddof=1)) < 1.54  # 40 crowds: s.e. of 11%


def test_people_are_those_of_the_scenario(bench: Bench) -> None:
    """Against docs/model.md, eq. 1, written out for one person."""
    trace = bench.run("model")
    user, s, a = 5, 2, 1
    lam, w = float(trace.intentionality[user]), float(trace.susceptibility[a, user])
    reactive, deliberate = FEW.reactive.table("mean", 4)[s, a], FEW.intentional.table("mean", 4)[s, a]
    assert bench.mean("model", trace)[user, s, a] == pytest.approx(
        (1 - lam) * w * reactive + lam * deliberate, rel=1e-6
    )
    law = bench.transition("model", trace)
    ends = FEW.reactive.transition_table(4)[s, a], FEW.intentional.transition_table(4)[s, a]
    np.testing.assert_allclose(law[user, s, a], (1 - lam) * ends[0] + lam * ends[1], rtol=1e-6)


def test_films_follow_each_persons_law(bench: Bench) -> None:
    trace = bench.run("random")
    law, start, added = bench.transition("random", trace), trace.time_in_state.astype(float), []
    for user in range(FEW.users):
        after = [start[:, user] @ np.linalg.matrix_power(law[user, :, a], 10) @ [0, 1, 2] for a in (0, 3)]
        added.append(after[0] - after[1])
    expected = np.mean(added) / trace.state[-1].astype(float).std(ddof=1)
    assert MEASURES["films"](bench, "model").value == pytest.approx(expected, rel=1e-6)


def test_restraint_of_people_with_one_lambda_is_known_in_closed_form() -> None:
    """With w = 1 and lambda = 0.4 for everybody, in a world of one mean for all states: 0.4 (1 - 0.1 / 1.1)."""
    point = {"distribution": "point", "value": 0.4}
    flat = {"mean": (1.0, 1.1, 0.8, 0.3), "std": 0.1, "up": 0.2, "down": 0.2}
    crowd = {"intentionality": point, "susceptibility": {"distribution": "point", "value": 1.0}}
    found = MEASURES["restraint"](Bench(Scenario(users=64, steps=20, population=crowd, reactive=flat)), "model")
    assert found.value == pytest.approx(0.4 * (1 - 0.1 / 1.1), rel=1e-5) and found.high - found.low < 1e-5


def test_null_models_are_what_they_say(bench: Bench) -> None:
    chance, popular, alike = (bench.run(name) for name in ("random", "popular", "alike"))
    assert np.ptp(chance.diet) < 1e-6 and np.ptp(popular.diet[-1], axis=1).max() < 1e-6
    shown = bench.run("model").exposures.sum(axis=1)
    np.testing.assert_allclose(popular.diet[-1, :, 0], shown / shown.sum(), rtol=1e-4)
    assert np.ptp(bench.mean("alike", alike), axis=2).max() < 1e-6
    assert np.ptp(bench.transition("alike", alike), axis=2).max() < 1e-6
    for name in ("outgroup", "satisfaction", "arousal", "narrowing", "exploration", "time_order"):
        assert MEASURES[name](bench, "random") == Measured(0.0, 0.0, 0.0), name
    for name in ("films", "negativity"):
        assert MEASURES[name](bench, "alike") == Measured(0.0, 0.0, 0.0), name
    share = shown[1] / shown.sum()
    spread = page_spread(np.array([0.0, 1.0, 0.0, 0.0]))
    assert MEASURES["outgroup"](bench, "popular").value == pytest.approx((share - 0.25) / spread, rel=1e-3)
    assert MEASURES["over_optimisation"](bench, "perfect") == Measured(0.0, 0.0, 0.0)


def test_the_spread_of_ten_posts() -> None:
    worth = np.array([0.1, 0.1, 0.2, 1.0])
    pages = np.random.default_rng(1).choice(worth, (200_000, 10)).mean(axis=1)
    assert pages.std() == pytest.approx(page_spread(worth), rel=4 / np.sqrt(2 * 200_000))


def test_forgetting_counts_posts_until_half() -> None:
    after = np.array(counterparts.AFTER, float)
    for half in (3.0, 30.0, 300.0):
        share = 0.5 + 0.1 * np.log(after / half)  # linear in log posts, so that interpolation is exact
        assert counterparts._crossing(share) == pytest.approx(half)
    assert counterparts._crossing(np.full(len(after), 0.4)) == float("inf")
    assert counterparts._crossing(np.full(len(after), 0.6)) == 1.0


def test_forgetting_agrees_with_a_run_that_stops_there() -> None:
    base = Scenario(users=256, steps=300)
    found = MEASURES["forgetting"](Bench(base), "model")
    assert found.low <= found.value <= found.high
    posts = round(found.value)
    switched = {"steps": 300 + posts, "intervention.at": 300, "intervention.nudge": 1.0}
    everyone = {"population.intentionality": {"distribution": "point", "value": 0.0}}
    trace = Bench(base).run("model", everyone | switched)
    share = (category_of(trace.diet[-1].T, np.arange(256)) == 3).mean()
    assert abs(share - 0.5) < 0.05 + 4 * np.sqrt(0.25 / 256) / 2  # between grid points the share is not quite linear


def card_of_everything() -> Scorecard:
    """Return a scorecard of all facts with made numbers, one of them never."""
    rows = []
    for fact in facts():
        found = Measured(0.5, 0.4, float("inf")), Verdict("agrees", "made")
        known = fact.measure is not None
        nulls = dict.fromkeys(fact.nulls, found)
        rows.append(Row(fact, found[1], found[0] if known else None, nulls, found if fact.nearest else None))
    return Scorecard(FEW, rows)


def test_the_json_keeps_its_schema() -> None:
    told = json.loads(json.dumps(plain(card_of_everything()), allow_nan=False))
    assert set(told) == KEYS[""] and told["scenario"]["users"] == FEW.users
    assert told["counts"] == {"contradicts": 0, "agrees": len(facts()), "cannot be compared": 0}
    assert [row["fact"]["id"] for row in told["rows"]] == [fact.id for fact in facts()]
    for row in told["rows"]:
        assert (
            set(row) == KEYS["row"]
            and set(row["fact"]) == KEYS["fact"]
            and set(row["fact"]["source"]) == KEYS["source"]
        )
        assert (row["model"] is None) == (row["fact"]["measure"] is None)
        assert row["model"] is None or (set(row["model"]) == KEYS["number"] and row["model"]["high"] is None)
        assert set(row["nulls"]) <= set(NULLS) and all(set(null) == KEYS["judged"] for null in row["nulls"].values())
        assert row["nearest"] is None or set(row["nearest"]) == KEYS["judged"] | {"settings"}


def test_the_pages_hold_every_fact_and_mark_what_was_not_read() -> None:
    card = card_of_everything()
    text, html = markdown(card, "mirrorfield scorecard"), page(card, "mirrorfield scorecard")
    for fact in facts():
        assert f"### {fact.id}\n\n{fact.statement}\n" in text and f"<h2>{fact.id}</h2>" in html
        assert fact.source.address in text and fact.change in text
        (line,) = (line for line in text.splitlines() if line.startswith(f"| {fact.id} |"))
        assert (" * |" in line) != fact.checked and line.count("|") == 7
    assert "[0.4, never]" in text and number(1e-9) == "1e-09"


def drawn(card: Scorecard, ends: tuple[float, ...]) -> list[list[float]]:
    """Return where each strip of the picture has its marks, in units of the largest number of the fact."""
    figure = strips(card.rows)
    marks = [
        [line.get_xdata()[0] for line in axes.lines if line.get_marker() not in ("None", "")]
        for axes in figure.axes[1:]
    ]
    assert all(axes.get_xlim() == ends for axes in figure.axes[1:])
    return marks


def test_the_picture_has_every_number_at_its_place() -> None:
    """Scaled by the largest number of a fact, zero in the middle; the published number first, then the model, nulls."""
    size = made("size", kind="size", value=2.0, low=1.0, high=4.0)
    sign, still = made("sign", value=-1.0), made("still", kind="zero", value=0.0, margin=0.5)
    model, null = Measured(-1.0, -2.0, 0.0), {"random": (Measured(8.0, 8.0, 8.0), Verdict("contradicts", "made"))}
    rows = [Row(fact, judge(fact, model), model, null, None) for fact in (size, sign, still)]
    low, high = strips(rows).axes[1].get_xlim()
    assert low == -high
    places = drawn(Scorecard(FEW, rows), (low, high))
    assert [row.verdict.word for row in rows] == ["contradicts", "cannot be compared", "agrees"]  # and drawn in ORDER
    assert places == [[0.25, -0.125, 1.0], [0.0, -0.125, 1.0], [-0.125, 1.0]]
    never = Measured(float("inf"), 8.0, float("inf"))
    assert drawn(Scorecard(FEW, [Row(size, judge(size, never), never, {}, None)]), (low, high)) == [[0.25, high]]


@pytest.mark.parametrize("value", np.linspace(-40, 40, 161))
def test_a_number_in_the_zone_of_the_picture_agrees(value: float) -> None:
    found = Measured(value, value, value)
    facts_ = [
        made("size", kind="size", value=6.0, low=1.0, high=7.0),
        made("minus", kind="size", value=-6.0),
        made("sign", value=-1.0),
        made("still", kind="zero", value=0.0, margin=2.0),
    ]
    for fact in facts_:
        low, high = zone(fact)
        inside = low <= value <= high and not (fact.kind == "sign" and value == 0)
        assert (judge(fact, found).word == "agrees") == inside, fact.id


def test_a_scorecard_shows_itself_in_python() -> None:
    card = mf.scorecard(Scenario(users=64, steps=20), ["narrowing", "party-warmth"])
    assert repr(card).startswith("Scorecard of default: 0 contradicted, 1 agreed with, 1 not compared\n")
    assert "narrowing agrees: the same sign" in repr(card) and "<table" in card._repr_html_()
    frame = card.to_frame()
    row = card.rows[0]
    assert list(frame["of"]) == ["published", "model", *(f"null: {name}" for name in row.nulls), "published"]
    assert row.model is not None
    assert tuple(frame.loc[1, ["value", "low", "high"]]) == (row.model.value, row.model.low, row.model.high)
    assert card.plain() == plain(card) and "mirrorfield.scorecard(...)" in card.report()
    assert card.report().count("<svg") == 1 and len(card.plot.facts().axes) == 2
    assert [card.count(word) for word in ORDER] == [0, 1, 1]


def test_no_number_is_no_picture(tmp_path: Path) -> None:
    words = ["scorecard", "--users", "64", "--only", "party-warmth", "--out", str(tmp_path / "card.md")]
    app(words, standalone_mode=False)
    assert [file.name for file in tmp_path.iterdir()] == ["card.md"]
    card = scorecard(Scenario(users=64), ["party-warmth"])
    assert "<svg" not in card.report() and "![" not in (tmp_path / "card.md").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="expected at least one fact that the model has a number for"):
        card.plot.facts()


def test_progress_is_told_fact_by_fact() -> None:
    done: list[int] = []
    scorecard(Scenario(users=64, steps=20), ["narrowing", "party-warmth"], progress=done.append)
    assert done == [1, 1]


def test_the_command_prints_what_python_returns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--users", "64", "--steps", "20", "--only", "narrowing", "--only", "party-warmth"]
    files = [tmp_path / name for name in ("card.md", "card.html", "card.png")]
    app(["scorecard", *words, "--json", "--out", str(files[0])], standalone_mode=False)
    card = scorecard(Scenario(users=64, steps=20), ["narrowing", "party-warmth"])
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(plain(card)))
    command = f"mirrorfield scorecard {' '.join(words[:4])} --seed 1 {' '.join(words[4:])}"
    assert files[0].read_text(encoding="utf-8") == markdown(card, command, "card.png")
    assert files[2].read_bytes().startswith(b"\x89PNG") and "](card.png)" in markdown(card, command, "card.png")
    app(["scorecard", *words, "--out", str(files[1])], standalone_mode=False)
    assert files[1].read_text(encoding="utf-8") == page(card, command)
    assert "narrowing" in (told := capsys.readouterr().out) and "agrees with 1, and cannot be compared with 1" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--only", "narowing"], 'unknown fact "narowing". Did you mean "narrowing"?'),
        (["--users", "1"], "users: expected 2 or more, got 1"),
        (["--out", "card.txt"], "--out: expected a file that ends in .md or .html"),
        (["--set", "intensity.rungs=3"], "posts without intensity"),
        (["--set", "policy.learning_rte=1"], 'Did you mean "learning_rate"?'),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(words: list[str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        app(["scorecard", *words], standalone_mode=False)
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_the_embedding_world_is_refused() -> None:
    with pytest.raises(InputError, match="scorecard: expected people one by one"):
        scorecard(mf.EmbeddingScenario())  # type: ignore[arg-type]


def test_an_unknown_measurement_is_refused() -> None:
    with pytest.raises(InputError, match='made: unknown measurement "narowing"'):
        scorecard(FEW, known=[made("made", measure="narowing")])


@pytest.mark.slow(20)
def test_the_page_is_what_the_command_writes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    command = next(line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ "))
    words = command.split()
    values = dict(zip(words[2::2], map(int, words[3::2]), strict=True))
    card = scorecard(Scenario(users=values["--users"], steps=values["--steps"], seed=values["--seed"]))
    assert text == markdown(card, command, "scorecard.png") and (PAGE.parent / "scorecard.png").is_file()


@pytest.mark.skipif(not PAGE.is_file(), reason="the docs are not in the source distribution")
def test_what_is_recorded_of_contradicted_facts_is_on_the_published_scorecard() -> None:
    rows = [line.strip("| \n").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if " | " in line]
    printed = {
        row[0]: f"{row[3]}; {row[5].removeprefix('contradicts: ')}" for row in rows if "contradicts: " in row[-1]
    }
    assert printed and printed == {fact.id: fact.recorded for fact in facts() if fact.recorded}
