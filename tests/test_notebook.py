"""What a notebook sees: short representations, a bar, pictures, tables, and a run read from its folder."""

import warnings
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import mirrorfield as mf
from mirrorfield.execution.bar import watched
from mirrorfield.study.tipping import Hysteresis

PLACES = np.linspace(0, 1, 3)
WARM = Hysteresis(PLACES, PLACES, PLACES, 0.5, float("nan"))
VOID = {"br", "img", "hr"}
SMALL = {"users": 300, "steps": 60, "record": {"users": 300, "steps": 8}}


class Balanced(HTMLParser):
    """Tags that were opened and not closed, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open += [tag] if tag not in VOID else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> Balanced:
    found = Balanced()
    found.feed(page)
    return found


@pytest.fixture(scope="module")
def run() -> mf.Run:
    return mf.simulate(mf.Scenario(**SMALL, name="<b>small</b>\x1b[2J"))


@pytest.fixture(scope="module")
def answers(run: mf.Run) -> dict[str, object]:
    base = mf.Scenario(**SMALL)
    return {
        "run": run,
        "comparison": mf.compare(base, {"<i>arm</i>": {"policy.learning_rate": 0.3}}),
        "tipping": replace(mf.tip(base, tolerance=0.2, warm=False), hysteresis=WARM),
        "neighbours": mf.neighbours(base, (0.0, 0.1), pairs=50),
    }


@pytest.mark.parametrize("name", ["run", "comparison", "tipping", "neighbours"])
def test_a_representation_is_short_and_its_html_is_whole(name: str, answers: dict[str, object]) -> None:
    lines = repr(answers[name]).splitlines()
    assert 2 <= len(lines) <= 5 and max(map(len, lines)) <= 110 and repr(answers[name]).replace("\n", "").isprintable()
    page = answers[name]._repr_html_()  # type: ignore[attr-defined]
    assert parsed(page).open == [] and "<td" in page and len(page) < 12_000
    assert "<b>small" not in page and "<i>arm" not in page


def test_a_card_tells_the_figures_of_the_summary(run: mf.Run) -> None:
    for told in (repr(run), parsed(run._repr_html_()).text):
        assert f"{100 * run.summary['locked_in']:.1f}%" in told and f"{run.summary['filter_bubble']:.3f}" in told


def test_a_policy_that_never_tips_says_so(answers: dict[str, object]) -> None:
    assert "on the way up tips at 0.500" in repr(answers["tipping"]).replace("\n ", "")
    assert "on the way down never tips" in repr(answers["tipping"]).replace("\n ", "")


@pytest.mark.parametrize("name", ["map", "shares", "diversity", "tipping", "flows"])
def test_a_picture_of_a_run_is_a_figure_with_something_drawn(name: str, run: mf.Run) -> None:
    figure = getattr(run.plot, name)()
    assert isinstance(figure, Figure)
    drawn = [axes for axes in figure.axes if axes.lines or axes.patches or axes.collections]
    assert drawn and figure._repr_png_()[:4] == b"\x89PNG"


def test_the_picture_of_a_tipping_point_has_every_place_that_was_tried(answers: dict[str, object]) -> None:
    found = answers["tipping"]
    assert isinstance(found, mf.Tipping)
    points = found.plot.tipping().axes[0].lines[1].get_xdata()
    assert np.array_equal(points, found.place)


def test_frames_hold_what_the_summary_holds(run: mf.Run) -> None:
    steps, people, bands = (run.to_frame(name) for name in ("steps", "people", "bands"))
    assert steps["locked_in"].iloc[-1] == pytest.approx(run.summary["locked_in"])
    assert len(people) == 300 and people["locked_in"].mean() == pytest.approx(run.summary["locked_in"])
    assert (people.filter(like="shown:").sum(axis=1) == 60).all()
    assert (people["category"] == "depth").mean() == pytest.approx(run.summary["shares"]["depth"])
    assert bands["people"].sum() == 300
    told = (bands["locked_in"] * bands["people"]).sum() / 300
    assert told == pytest.approx(run.summary["locked_in"])
    with pytest.raises(mf.InputError, match=r'unknown table "peple"\. Did you mean "people"'):
        run.to_frame("peple")


@pytest.mark.parametrize("out", [False, True])
def test_a_run_that_is_loaded_is_the_run_that_was_written(out: bool, run: mf.Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    mf.simulate(run.scenario, out=folder) if out else run.save(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found = mf.load(folder)
    assert found.scenario == run.scenario and found.summary == run.summary and repr(found) == repr(run)
    xr.testing.assert_identical(found.dataset, run.dataset.load())
    assert found.logs(2).to_frame().equals(run.logs(2).to_frame())
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert xr.open_zarr(folder / "result.zarr", chunks=None)["share"].shape == run.dataset["share"].shape
    chunk = next(path for path in (folder / "result.zarr/share/c").rglob("*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"?")
    with pytest.raises(mf.CorruptError, match=chunk.name):
        mf.load(folder)


def test_what_is_no_finished_run_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place, line in ((tmp_path / "nowhere", "no such folder"), (tmp_path, "is not a mirrorfield result")):
        with pytest.raises(mf.InputError, match=line):
            mf.load(place)
    with pytest.raises(mf.InputError):
        mf.load(tmp_path / "file")


def test_logs_of_a_loaded_run_with_somebodys_own_recommender_are_refused(tmp_path: Path) -> None:
    own = mf.simulate(mf.Scenario(**SMALL), recommender=mf.recommenders.Random())
    own.save(tmp_path / "own")
    with pytest.raises(mf.InputError, match="recommender of somebody's own"):
        mf.load(tmp_path / "own").logs(1)


def test_stored_metadata_opens_without_a_warning(run: mf.Run, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.save(tmp_path / "run")
        xr.open_zarr(tmp_path / "run" / "result.zarr", chunks=None).close()


def test_a_bar_counts_everyone_and_a_function_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    mf.simulate(mf.Scenario(**SMALL), progress=seen.append)
    assert sum(seen) == 300
    import rich.progress

    ends: list[tuple[float, float | None]] = []
    monkeypatch.setattr(
        rich.progress.Progress, "stop", lambda bar: ends.extend((t.completed, t.total) for t in bar.tasks)
    )
    base = mf.Scenario(**SMALL)
    mf.simulate(base, progress=True)
    mf.compare(base, {"same": {}}, against=["random"], progress=True)
    mf.neighbours(base, (0.0,), pairs=50, progress=True)
    assert ends == [(300, 300), (900, 900), (250, 250)]
    with pytest.raises(mf.InputError, match="progress: expected True or a function"), watched(3, 1):  # type: ignore
        pass
