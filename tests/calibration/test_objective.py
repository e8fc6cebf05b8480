"""What a reaction is made of: expressions that are parsed and never run, actions with weights, transforms."""

import math

import numpy as np
import pytest

from mirrorfield.calibration.objective import objective_of, weighted_actions
from mirrorfield.calibration.transform import check_transform, transform_of
from mirrorfield.errors import InputError

HEADER = ("like", "dwell", "a-b", "x")
LIKE, DWELL = np.array([1.0, 0.0, 1.0]), np.array([0.0, 3.0, 7.0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("like + 0.3*log1p(dwell)", LIKE + 0.3 * np.log1p(DWELL)),
        ("-(like - dwell) / 2", (DWELL - LIKE) / 2),
        ("min(dwell, 5) + max(like, 0.5) + abs(-like)", [1 + 1 + 0, 3 + 0.5, 5 + 1 + 1]),
        ("like + (dwell > 2)", [1, 1, 2]),
        ("sqrt(dwell) + exp(like)", np.sqrt(DWELL) + np.exp(LIKE)),
    ],
)
def test_an_expression_is_what_python_would_make_of_it(text: str, expected: np.ndarray) -> None:
    found = objective_of(text, HEADER)
    values = {"like": LIKE, "dwell": DWELL}
    np.testing.assert_allclose(found.of([values[name] for name in found.columns])[0], expected)


def test_a_column_of_that_name_comes_before_an_expression() -> None:
    assert objective_of("a-b", HEADER).columns == ("a-b",)
    assert objective_of("dwell", HEADER).columns == ("dwell",)


@pytest.mark.parametrize("text", ["log1p(dwell)", "sqrt(dwell)", "log(dwell)"])
def test_what_is_not_defined_for_a_negative_number_is_no_number(text: str) -> None:
    assert math.isnan(objective_of(text, HEADER).of([np.array([-0.5])])[0][0])


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')", "like.real", "like[0]", "(lambda: 1)()", "[like for like in x]", "like ** 9",
        "like if x else 1", "like and x", "log1p(like, x)", "log1p(*like)", "log1p(x=like)", "eval(like)", "'a' + like",
        "like + True", "like < x < 2", "(like := 3)", "like + 1e999", "like @ x", "f'{like}'", "like + 1j", "...",
    ],
)  # fmt: skip
def test_anything_beyond_the_list_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"not allowed: expected \+ - \* /|names no column") as caught:
        objective_of(text, HEADER)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["like +", "", "like\n+ = x", "(" * 400, "\0", "1 + 2", "a b", "x" * 2000 + "+"])
def test_what_is_no_expression_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        objective_of(text, HEADER)
    assert "\n" not in str(caught.value)


def test_actions_have_weights_1_unless_told() -> None:
    found = weighted_actions({"like": "fav", "dwell": "s", "hide": "h"}, {"dwell": 0.1, "hide": -5})
    assert found.columns == ("fav", "s", "h") and found.text == "1 like + 0.1 dwell + -5 hide"
    total, _ = found.of([np.array([1.0, 0.0]), np.array([10.0, 20.0]), np.array([0.0, 1.0])])
    assert total.tolist() == [2.0, -3.0]


def test_an_action_below_0_is_a_problem_of_its_event() -> None:
    _, problems = weighted_actions({"dwell": "s"}, None).of([np.array([1.0, -2.0, np.nan])])
    told = {reason: mask.tolist() for mask, reason in problems}
    assert told == {"dwell is not a number": [False, False, True], "dwell is negative": [False, True, False]}


@pytest.mark.parametrize(
    ("weights", "line"),
    [
        ({"like": 0, "dwell": 0.0}, "expected at least one that is not 0"),
        ({"lik": 1}, 'unknown action "lik"; the actions are like, dwell'),
        ({"like": math.nan}, "expected finite numbers, got nan for like"),
    ],
)
def test_weights_that_cannot_be_used_are_refused(weights: dict[str, float], line: str) -> None:
    with pytest.raises(InputError, match=line):
        weighted_actions({"like": "a", "dwell": "b"}, weights)


def test_transforms_keep_the_order_and_draw_in_tails() -> None:
    y = np.random.default_rng(0).pareto(1.0, size=4001)
    for name, top in (("log", np.log1p(y.max())), ("rank", 1.0), ("clip:99", np.percentile(y, 99))):
        found = transform_of(name, y).of(y)
        assert np.all(np.diff(found[np.argsort(y)]) >= 0) and found.max() <= top + 1e-12
    np.testing.assert_allclose(np.sort(transform_of("rank", y).of(y)), (np.arange(4001) + 0.5) / 4001)


def test_log_of_a_negative_reaction_is_refused() -> None:
    with pytest.raises(InputError, match="--transform log: expected reactions of 0 or more, got -1"):
        transform_of("log", np.array([-1.0, 3.0]))


@pytest.mark.parametrize("name", ["clip", "clip:50", "clip:101", "clip:x", "ranks", "", "clip:nan"])
def test_unknown_transforms_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r'--transform: expected "log", "rank" or "clip:Q"'):
        check_transform(name)
