"""The preset `film-arousal`: its numbers are what the counts say, in the file, its comments and the docs."""

import re
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

import mirrorfield as mf

ROOT = Path(__file__).parents[2]
if not (ROOT / "scripts" / "film_arousal.py").is_file():
    pytest.skip("scripts and docs are not in the source distribution", allow_module_level=True)
sys.path.insert(0, str(ROOT / "scripts"))
import film_arousal as film  # noqa: E402

PAGE = (ROOT / "docs" / "results" / "film-arousal.md").read_text(encoding="utf-8")
FILE = (resources.files("mirrorfield.population") / "presets" / "film-arousal.toml").read_text(encoding="utf-8")
NUMBER = r"(\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\])"


def test_the_preset_has_the_most_likely_moves_and_is_the_default_otherwise() -> None:
    found, base = mf.Scenario.load("film-arousal"), mf.Scenario()
    best = [film.moves(film.COUNTS[a] + film.COUNTS[b]) for a, b in film.PAIRS.values()]
    for place in ("reactive", "intentional"):
        profile, same = getattr(found, place), getattr(base, place)
        assert (profile.mean, profile.std) == (same.mean, same.std)
        assert profile.up == tuple(round(one.up, 4) for one in best for _ in range(2))
        assert profile.down == tuple(round(one.down, 4) for one in best for _ in range(2))
    parts = {"name", "description", "reactive", "intentional"}
    assert found.model_dump(exclude=parts) == base.model_dump(exclude=parts)


def test_comments_of_the_file_and_the_page_tell_the_same_numbers_as_the_tables() -> None:
    in_file = re.findall(f"up {NUMBER}, down {NUMBER}", FILE)
    in_page = re.findall(rf"films \d and \d \| \d+ \| {NUMBER} \| {NUMBER}", PAGE)
    assert len(in_file) == 2 and in_file == in_page
    for (a, b), (up, down) in zip(film.PAIRS.values(), in_page, strict=True):
        best = film.moves(film.COUNTS[a] + film.COUNTS[b])
        assert [up[:5], down[:5]] == [f"{best.up:.3f}", f"{best.down:.3f}"]
    cells = re.findall(r"(\d+) / (\d+) / (\d+)", PAGE)
    assert (np.array(cells, int).reshape(3, 4, 3).transpose(1, 0, 2) == film.COUNTS).all()


def test_intervals_of_the_page_hold_what_the_likelihood_allows() -> None:
    """Twice the log-likelihood lost at each end is about the 3.84 of a 95% interval: an independent check."""
    for (a, b), told in zip(film.PAIRS.values(), re.findall(f"up {NUMBER}, down {NUMBER}", FILE), strict=True):
        counts = film.COUNTS[a] + film.COUNTS[b]
        best = film.moves(counts)

        def lost(up: float, down: float, counts=counts, best=best) -> float:
            ends = np.linalg.matrix_power(film.law(up, down), film.POSTS)
            return 2 * (best.fit - float((counts * np.log(np.maximum(ends, 1e-300))).sum()))

        fine = np.linspace(1e-4, 0.5, 2000)
        ends = (float(x) for text in told for x in re.findall(r"\d\.\d{3}(?=[,\]])", text))
        for low, high, profile in (
            (next(ends), next(ends), [min(lost(u, d) for d in np.linspace(1e-4, 0.2, 60)) for u in fine[::8]]),
            (next(ends), next(ends), [min(lost(u, d) for u in np.linspace(0.05, 0.35, 60)) for d in fine[::8]]),
        ):
            inside = fine[::8][np.array(profile) < 3.84]
            assert inside.min() == pytest.approx(low, abs=0.03) and inside.max() == pytest.approx(high, abs=0.03)


def test_moves_are_recovered_from_people_whose_moves_are_known() -> None:
    rng, ends = np.random.default_rng(3), np.linalg.matrix_power(film.law(0.2, 0.05), film.POSTS)
    found = film.moves(np.array([rng.multinomial(30_000, row) for row in ends]))
    assert (found.up, found.down) == pytest.approx((0.2, 0.05), rel=0.05)
    assert found.misfit < 18.5  # chi-squared with 4 degrees of freedom is above this once in a thousand
