"""`mirrorfield fit` and what is made of its people: what it says first, and what it marks as assumed."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mirrorfield as mf
from mirrorfield.population.assumed import assumption
from mirrorfield.study.rates import RATES

COLUMNS = ("--user", "who", "--category", "what", "--reaction", "stars", "--time", "when")
OVER = ("--over", "policy.learning_rate", "--low", "0.1", "--high", "3")
ASSUMED = "Assumed, not measured: arousal (calm, engaged, hooked), lambda, the learning rate (0.1)."
Call = Callable[..., tuple[int, str, str]]


def log_of(spread: float, people: int = 40, posts: int = 40) -> str:
    """Return a log in which people's tastes for a, b and c have this spread, and reactions a noise of 1."""
    rng = np.random.default_rng(3)
    taste = spread * rng.standard_normal((people, 3)) + [2, 3, 4]
    rows = []
    for post in range(posts):
        for person, kind in enumerate(rng.integers(3, size=people)):
            rows.append(f"p{person},{'abc'[kind]},{taste[person, kind] + rng.standard_normal():.4f},{post}")
    return "who,what,stars,when\n" + "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fit")


@pytest.fixture
def mirrorfield(folder: Path, monkeypatch, command_line: Call) -> Call:
    """Return a function that runs a command line in one folder for all tests: exit code, output, errors."""
    monkeypatch.chdir(folder)
    return command_line


@pytest.fixture
def people(folder: Path, mirrorfield: Call) -> Path:
    """Return a folder of people whose tastes differ, run for 40 posts each."""
    if not (folder / "people").exists():
        (folder / "log.csv").write_text(log_of(1.0))
        code, said, error = mirrorfield("fit", "log.csv", *COLUMNS, "--out", "people")
        assert code == 0, error
        (folder / "said").write_text(said, encoding="utf-8")
        assert mirrorfield("run", "--population", "people", "--steps", "40", "--out", "run")[0] == 0
    return folder / "people"


def test_people_who_differ_are_proposed_for_a_run(people: Path, folder: Path) -> None:
    said = (folder / "said").read_text(encoding="utf-8")
    assert said.startswith(
        "The profiles predict held-out reactions better than means do: RMSE minus that of the global mean -"
    )
    assert said.endswith("Next: mirrorfield run --population people\n")
    assert ASSUMED in said
    told = json.loads((people / "fit.json").read_text(encoding="utf-8"))
    assert told["verdict"]["holds"] is True
    assert [row["learning_rate"] for row in told["by_learning_rate"]] == list(RATES)
    assert "by the learning rate, which no log gives" in said


def test_people_who_do_not_differ_are_not(folder: Path, mirrorfield: Call) -> None:
    (folder / "alike.csv").write_text(log_of(0.0))
    code, said, _ = mirrorfield("fit", "alike.csv", *COLUMNS, "--out", "alike")
    assert code == 0
    assert said.startswith("The log shows no differences between people (p = ")
    assert "Next:" not in said and "mirrorfield run" not in said
    told = json.loads((folder / "alike/fit.json").read_text(encoding="utf-8"))
    assert told["verdict"]["holds"] is False and "by_learning_rate" not in told
    assert "The log shows no differences" in mf.Scenario.load(folder / "alike/scenario.toml").description


def test_a_run_s_summary_has_the_headline_at_three_learning_rates(people: Path, folder: Path) -> None:
    summary = json.loads((folder / "run/summary.json").read_text(encoding="utf-8"))
    assert summary["assumed"] == ["arousal", "intentionality", "learning_rate"]
    base = mf.Scenario.load(people / "scenario.toml")
    for row in summary["by_learning_rate"]:
        policy = {"learning_rate": row["learning_rate"]}
        plain = base.population.model_copy(update={"assumed": None})
        values = base.model_dump(exclude_none=True) | {"policy": policy, "steps": 40, "population": plain}
        found = mf.simulate(mf.Scenario(**values)).summary
        assert "by_learning_rate" in found  # the people's own folder says what was assumed of them
        for figure in ("users", "locked_in", "effective_categories", "filter_bubble"):
            assert row[figure] == found[figure], figure
    assert len({row["effective_categories"] for row in summary["by_learning_rate"]}) == 3


def test_every_table_of_a_run_marks_what_was_assumed(people: Path, mirrorfield: Call) -> None:
    _, said, _ = mirrorfield("show", "run")
    assert ASSUMED in said
    assert "calm / engaged / hooked (assumed)" in said and "hooked (assumed)  " in said
    assert "intentional) (assumed)" in said and "0.0–0.2" in said and "0.2–0.4" not in said
    assert "locked in at learning rate 0.1 / 1 / 3 (40 people)" in said


def test_every_picture_on_the_page_says_what_was_assumed(people: Path, folder: Path) -> None:
    page = (folder / "run/report.html").read_text(encoding="utf-8")
    figures = page.split("<figure ")[1:]
    assert len(figures) == 5 and all(ASSUMED in figure.split("</figure>")[0] for figure in figures)
    assert "of users hooked (assumed)" in page and ">λ (assumed)<" in page
    with xr.open_zarr(folder / "run/result.zarr") as data:
        assert data.attrs["assumed"] == ASSUMED


def test_pictures_and_cards_in_a_notebook_say_what_was_assumed(people: Path, folder: Path) -> None:
    run = mf.load(folder / "run")
    for draw in (run.plot.map, run.plot.shares, run.plot.diversity, run.plot.tipping, run.plot.flows):
        drawing = draw()
        assert [text.get_text().replace("\n", " ") for text in drawing.texts][-1] == ASSUMED
    assert "hooked (assumed)" in repr(run) and ASSUMED in run._repr_html_()


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "--change", "policy.learning_rate=1"),
        ("tip", "--metric", "effective_categories", "--level", "2.6", *OVER, "--cold"),
        ("person", "3"),
    ],
)
def test_every_answer_says_what_was_assumed(people: Path, folder: Path, mirrorfield: Call, words: tuple[str]) -> None:
    page = () if words[0] == "person" else ("--out", "page.html")
    code, said, error = mirrorfield(*words, "--population", "people", "--steps", "20", *page)
    assert code == 0, error
    assert ASSUMED in said
    if page:
        written = (folder / "page.html").read_text(encoding="utf-8")
        assert all(ASSUMED in figure.split("</figure>")[0] for figure in written.split("<figure>")[1:])


def test_a_scenario_of_one_s_own_is_marked_by_the_people_in_it(people: Path, folder: Path, mirrorfield: Call) -> None:
    own = mf.Scenario.load(people / "scenario.toml").model_dump(exclude_none=True)
    own["population"] = {"intentionality": {"distribution": "point", "value": 0.5}}
    (folder / "own.toml").write_text(mf.Scenario(**own | {"steps": 20}).to_toml(), encoding="utf-8")
    code, said, _ = mirrorfield("run", "own.toml", "--population", "people", "--json", "--out", "own")
    assert code == 0 and json.loads(said)["assumed"] == ["arousal", "intentionality", "learning_rate"]


def test_nothing_is_said_where_nothing_was_assumed() -> None:
    assert assumption(mf.Scenario()) == ""
    run = mf.simulate(mf.Scenario(users=20, steps=5))
    assert "assumed" not in run.summary and "assumed" not in run.dataset.attrs
    assert "ssumed" not in run.report_html() and not run.plot.shares().texts


def test_words_for_logs_as_they_are(folder: Path, mirrorfield: Call) -> None:
    """Tabs, no header, no time, an expression, sessions, propensities and a transform, in one call."""
    rng = np.random.default_rng(1)
    rows = []
    for post in range(60):
        for person, kind in enumerate(rng.integers(2, size=30)):
            like = int(rng.random() < 0.3 + 0.02 * person * kind)
            rows.append(f"p{person}\t{'ab'[kind]}\t{like}\t{rng.integers(9)}\t{post // 6}\t0.5")
    (folder / "bare.tsv").write_text("\n".join(rows) + "\n")
    words = ("--delimiter", "tab", "--no-header", "--user", "c1", "--category", "c2", "--session", "c5")
    more = ("--reaction", "c3 + 0.1*log1p(c4)", "--propensity", "c6", "--transform", "rank", "--out", "bare")
    code, said, error = mirrorfield("fit", "bare.tsv", *words, *more)
    assert code == 0, error
    assert "if all were shown evenly" in said
    told = json.loads((folder / "bare/fit.json").read_text(encoding="utf-8"))
    assert (told["log"]["events"], told["log"]["sessions"], told["log"]["time"]) == (1800, 10, "order of the log")
    assert told["log"]["reaction"] == "c3 + 0.1*log1p(c4)" and told["heldout"]["events"] == 1800 // 5
