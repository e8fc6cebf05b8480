"""The crowd on the page: frames, tiles, figures, people and pairs, against the run and against each other."""

import asyncio
import json

import numpy as np
import pytest

import mirrorfield as mf
from mirrorfield.errors import InputError
from mirrorfield.metrics.outcomes import category_of
from mirrorfield.report.geometry import corners
from mirrorfield.server.again import crowd_again
from mirrorfield.server.crowd import (
    GRID,
    REACH,
    nearest_spot,
    neighbours,
    new_crowd,
    person,
    picture,
    places_of,
    profiles,
)
from mirrorfield.server.messages import CROWD_READER
from mirrorfield.server.shop import Share, Shop
from mirrorfield.server.show import Show

N = 20_000
SHOP = Shop(1)


def said(show: Show, **message: object) -> dict:
    return json.loads(asyncio.run(SHOP.do(Share(), show.answer(CROWD_READER.validate_python(message))))[0])


def test_frames_hold_where_everyone_stands() -> None:
    crowd = new_crowd(1, 0.1)
    crowd.advance(300)
    shown = picture(crowd)
    assert len(shown.frame) == 4 + 5 * N and np.frombuffer(shown.frame, "<u4", 1)[0] == 300
    spots = np.frombuffer(shown.frame, "<i2", 2 * N, 4).reshape(2, N).T / REACH
    feed = crowd.look().diet[0, :, :N].T.astype(float)
    assert np.abs(spots - feed @ corners(4) * np.sqrt(2)).max() <= 0.5 / REACH + 1e-9
    category = np.frombuffer(shown.frame, np.uint8, N, 4 + 4 * N)
    assert (category == category_of(feed, np.arange(N))).all()
    assert (np.bincount(category, minlength=4) / N).tolist() == shown.figures["shares"]


def test_figures_and_frames_are_those_of_the_python_that_the_page_shows(capsys) -> None:
    crowd = new_crowd(6, 0.1)
    crowd.turn(0.3)
    for _ in range(5):
        crowd.advance(30)
    assert crowd.straight
    shown, found = picture(crowd), {}
    exec(crowd_again(crowd)["python"], found)
    summary = found["run"].summary
    for name in ("locked_in", "effective_categories", "filter_bubble", "overlap", "mean_reaction"):
        assert shown.figures[name] == summary[name], name
    assert shown.figures["shares"] == list(summary["shares"].values())
    assert shown.figures["states"] == list(summary["states"].values())
    spots = np.rint(places_of(found["diets"]) * REACH).astype("<i2")
    assert spots.tobytes() == shown.frame[4 : 4 + 4 * N] and "locked_in" in capsys.readouterr().out
    crowd.turn(0.1, 0.2)
    assert not crowd.straight


def test_tiles_count_everyone_where_the_dots_are() -> None:
    crowd = new_crowd(1, 0.1, 200_000)
    crowd.advance(100)
    shown = picture(crowd)
    counts = np.frombuffer(shown.frame, "<u4", offset=4).reshape(4, GRID, GRID)
    assert (counts.sum(axis=(1, 2)) / 200_000).tolist() == shown.figures["shares"]
    feed = crowd.look().diet[0, :, :200_000]
    x, y = np.rint(places_of(feed) * REACH)
    edges = np.linspace(-REACH, REACH + 1, GRID + 1)
    assert (counts.sum(axis=0) == np.histogram2d(y, x, (edges, edges))[0]).all()
    summary = mf.simulate(mf.Scenario(users=200_000, steps=100)).summary
    assert shown.figures["filter_bubble"] == summary["filter_bubble"]
    assert nearest_spot(shown.spots, *(shown.spots[:, 7] / REACH)) in np.flatnonzero(
        (shown.spots == shown.spots[:, 7:8]).all(axis=0)
    )


def test_a_person_has_a_story() -> None:
    crowd = new_crowd(1, 0.5)
    assert person(crowd, 7)["story"] is None
    crowd.advance(300)
    one = person(crowd, 7)
    assert sum(one["shown"]) == 300 and sum(one["feed"]) == pytest.approx(1, abs=1e-5)
    told = one["story"]
    assert told["steps"][0] == 1 and told["steps"][-1] == 300
    assert told["feeds"][-1] == pytest.approx(one["feed"], abs=1e-4) and told["states"][-1] == one["state"]
    locked = [step for step, feed in zip(told["steps"], told["feeds"], strict=True) if max(feed) > 0.9]
    assert told["locked_in"] == (locked[0] if locked else None)


def test_neighbours_are_the_nearest_in_profile() -> None:
    crowd = new_crowd(1, 0.1)
    points = profiles(crowd)
    one, other = neighbours(crowd, 12)
    gap = np.linalg.norm(points - points[12], axis=1)
    assert one == 12 and other == np.argsort(gap)[1]
    nearest = np.linalg.norm(np.subtract(*points[list(neighbours(crowd))]))
    assert 0 < nearest < gap[other] and all(
        nearest <= np.linalg.norm(np.subtract(*points[list(neighbours(crowd, user))])) for user in range(50)
    )


def test_a_show_watches_whom_it_is_told_to() -> None:
    show = Show(posts=200)
    assert said(show, type="go", posts=100)["watched"] == []
    pair = said(show, type="pair", user=5)
    assert [one["user"] for one in pair["people"]] == list(neighbours(show.crowd, 5)) and pair["distance"] > 0
    assert said(show, type="pair", user=5, other=5)["distance"] == 0
    assert [one["user"] for one in said(show, type="go", posts=100)["watched"]] == [5, 5]
    place = person(show.crowd, 9)["place"]
    near = said(show, type="near", x=place[0], y=place[1])
    assert near["place"] == pytest.approx(place, abs=1e-3) and len(show.watched) == 2
    said(show, type="who", user=9)
    assert show.watched == [9]
    with pytest.raises(InputError, match="below 20,000"):
        said(show, type="who", user=20_000)
    with pytest.raises(InputError, match="200 posts are enough"):
        said(show, type="go", posts=1)
    assert said(show, type="begin", users=200_000)["users"] == 200_000
    assert said(show, type="who", user=150_000)["user"] == 150_000
    assert said(show, type="begin")["watched"] == []
