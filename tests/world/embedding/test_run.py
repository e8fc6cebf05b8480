"""The run: the same bytes for any threads and any interruption, switches that change no bit, and lines for mistakes."""

import hashlib
import io
import tracemalloc
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

import mirrorfield as mf
from mirrorfield import EmbeddingRun, EmbeddingScenario, load, simulate
from mirrorfield.api import execute_together
from mirrorfield.errors import CorruptError, InputError, StoppedError
from mirrorfield.world.embedding.checkpoint import MAGIC, checkpoint_path
from mirrorfield.world.embedding.loop import World, spread_over
from mirrorfield.world.embedding.memory import memory_needed
from mirrorfield.world.embedding.run import run_world

SMALL = EmbeddingScenario(users=700, steps=30, dimension=6, items={"count": 60}, record={"steps": 5, "users": 100})


def bits(run: EmbeddingRun) -> list[bytes]:
    crowd = run.world.crowd
    arrays = (run.world.tower, crowd.interest, crowd.history, crowd.arousal, crowd.words, run.record.feed)
    arrays += (crowd.baseline, crowd.baseline_lost)
    return [array.tobytes() for array in arrays]


def changed(**values) -> EmbeddingScenario:
    return EmbeddingScenario(**{**SMALL.model_dump(exclude_none=True), **values})


@pytest.fixture(scope="module")
def whole() -> EmbeddingRun:
    return simulate(SMALL, threads=1)


def test_threads_do_not_change_a_bit(whole: EmbeddingRun) -> None:
    assert bits(simulate(SMALL, threads=3)) == bits(whole)


@pytest.mark.parametrize("at", [1, 17])
def test_a_stopped_run_goes_on_to_the_same_bits(whole: EmbeddingRun, tmp_path, at: int) -> None:
    looks = iter(range(100))
    with pytest.raises(StoppedError, match=f"after {at} of 30 steps"):
        execute_together(SMALL, 2, out=tmp_path / "out", stopped=lambda: next(looks) == at)
    with pytest.raises(InputError, match="--resume"):
        simulate(SMALL, out=tmp_path / "out")
    run = simulate(SMALL, threads=1, out=tmp_path / "out", resume=True)
    assert bits(run) == bits(whole)
    assert run.summary == whole.summary
    assert not checkpoint_path(tmp_path / "out").exists()
    again = load(tmp_path / "out")
    assert again.summary == run.summary and again.dataset.identical(run.dataset) and again.scenario == SMALL
    assert simulate(SMALL, out=tmp_path / "out", resume=True).summary == run.summary
    with pytest.raises(InputError, match=r"holds another run"):
        simulate(changed(seed=2), out=tmp_path / "out", resume=True)


def test_a_run_is_a_table_of_people_and_steps_too(whole: EmbeddingRun) -> None:
    people, steps = whole.to_frame("people"), whole.to_frame("steps")
    assert len(people) == 100 and people["locked_in"].mean() == pytest.approx(whole.summary["locked_in"])
    assert (people["state"] == "hooked").mean() == pytest.approx(whole.summary["states"]["hooked"])
    assert steps["mean_reaction"].iloc[-1] == pytest.approx(whole.summary["mean_reaction"])


@pytest.mark.parametrize(
    ("ask", "line"),
    [
        (lambda: mf.person(SMALL), r"^person: expected people one by one"),
        (lambda: mf.neighbours(SMALL), r"^neighbours: expected people one by one"),
        (lambda: mf.rlhf(SMALL), r"^rlhf: expected people one by one"),
        (lambda: mf.compare(mf.Scenario(), {"x": SMALL}), r"^compare: x: expected a scenario of the base's world"),
        (lambda: mf.compare(changed(users=1), {}, against=["random"]), r"^compare: expected 2 users or more to pair"),
        (lambda: mf.compare(SMALL, {}, observe="state"), r"^compare: expected settings as arms"),
        (lambda: mf.compare(SMALL, {"x": changed(seed=2)}), r"^compare: x: expected the base's seed, or users could"),
        (lambda: mf.tip(SMALL, observe="state"), r"^tip: expected no recommender, people or observe"),
    ],
)
def test_what_this_world_cannot_answer_is_one_line(ask, line: str) -> None:
    with pytest.raises(InputError, match=line):
        ask()


def test_a_corrupt_checkpoint_is_named_and_not_read(tmp_path) -> None:
    looks = iter(range(100))
    with pytest.raises(StoppedError):
        execute_together(SMALL, 1, out=tmp_path / "out", stopped=lambda: next(looks) == 3)
    path = checkpoint_path(tmp_path / "out")
    data = bytearray(path.read_bytes())
    with pytest.raises(InputError, match="of another scenario"):
        simulate(changed(seed=2), threads=1, out=tmp_path / "out", resume=True)
    for place in (3, len(data) // 2, len(data) - 1):
        broken = bytes(data[:place]) + bytes([data[place] ^ 1]) + bytes(data[place + 1 :])
        path.write_bytes(broken)
        with pytest.raises(CorruptError, match=r"out\.checkpoint: corrupt"):
            simulate(SMALL, threads=1, out=tmp_path / "out", resume=True)
    path.write_bytes(bytes(data[: len(data) // 3]))
    with pytest.raises(CorruptError):
        simulate(SMALL, threads=1, out=tmp_path / "out", resume=True)


def forged(data: bytes, changes: dict[str, object]) -> bytes:
    """Return a checkpoint with other arrays and the checksum that belongs to them."""
    with np.load(io.BytesIO(data[len(MAGIC) + 65 :])) as file:
        kept = dict(file) | changes
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in kept.items() if array is not None})
    body = buffer.getvalue()
    return MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def test_a_checkpoint_that_this_run_cannot_have_written_is_refused_whatever_its_checksum(tmp_path) -> None:
    looks = iter(range(100))
    with pytest.raises(StoppedError):
        execute_together(SMALL, 1, out=tmp_path / "out", stopped=lambda: next(looks) == 3)
    path = checkpoint_path(tmp_path / "out")
    data = path.read_bytes()
    for name, array in (
        ("tower", None),
        ("tower", np.zeros((1, 1))),  # would be broadcast
        ("tower", np.full((9, 6), np.nan)),
        ("crowd.arousal", np.full(700, 1.5, np.float32)),
        ("crowd.arousal", np.full(700, 0.5)),
        ("crowd.seen", np.full(700, -1, np.int32)),
        ("crowd.words", np.array(["x"] * 700)),
        ("shown", np.full((700, 1), 60, np.int32)),
        ("record.people", np.arange(100)),
        ("step", np.int64(31)),
        ("step", np.array([3])),
        ("scenario", np.zeros(2**23)),  # 64 MiB more than the run has
    ):
        path.write_bytes(forged(data, {name: array}))
        with pytest.raises(InputError, match=r"out\.checkpoint(: corrupt checkpoint \(| cannot be read)"):
            simulate(SMALL, threads=1, out=tmp_path / "out", resume=True)
    path.write_bytes(forged(data, {}))
    assert simulate(SMALL, threads=1, out=tmp_path / "out", resume=True).world.step == SMALL.steps


def test_a_small_checkpoint_that_unpacks_to_much_is_refused_before_it_does(tmp_path) -> None:
    path = checkpoint_path(tmp_path / "out")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, tower=np.zeros(2**26))
    body = buffer.getvalue()
    path.write_bytes(MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    tracemalloc.start()
    with pytest.raises(CorruptError, match=r"expected at most [\d,]+ bytes, unpacked, got 536,871,"):
        simulate(SMALL, threads=1, out=tmp_path / "out", resume=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**28


@pytest.mark.parametrize("wide", [{"users": 8000, "dimension": 64}, {"record": {"users": 700, "steps": 30}}])
def test_the_memory_that_a_run_is_said_to_need_is_what_it_takes(wide, tmp_path) -> None:
    scenario = changed(**({"steps": 20} | wide))
    World.start(scenario)  # compiles
    tracemalloc.start()
    run_world(scenario, 1, place=tmp_path / "checkpoint")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.5 * memory_needed(scenario) < peak < 1.1 * memory_needed(scenario) + 2**20


def test_a_run_that_does_not_fit_in_memory_is_refused_at_the_door(monkeypatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2**34))
    line = (
        r"^10,000,000 users in 256 dimensions need about 107\.\d GiB of memory and 16\.0 GiB is free; ask for .* 1,48"
    )
    with pytest.raises(InputError, match=line):
        simulate(changed(users=10_000_000, dimension=256))


def test_people_do_not_depend_on_how_many_they_are_before_the_first_page() -> None:
    few, many = (simulate(changed(users=n, steps=1), threads=1) for n in (300, 700))
    assert (few.world.crowd.words == many.world.crowd.words[:300]).all()
    assert (few.world.crowd.arousal == many.world.crowd.arousal[:300]).all()
    assert not np.array_equal(few.world.tower, many.world.tower)


def test_no_drift_leaves_every_interest_as_it_was_and_drift_moves_it(whole: EmbeddingRun) -> None:
    start = simulate(changed(steps=1), threads=1).world.crowd.interest
    assert whole.world.crowd.interest.tobytes() == start.tobytes()
    assert whole.summary["interest_moved"] == 0
    moved = simulate(changed(interest={"drift": 0.1}), threads=1)
    assert moved.summary["interest_moved"] > 0.1
    assert bits(moved) != bits(whole)


def test_a_feed_is_the_exact_softmax(whole: EmbeddingRun) -> None:
    world, record = whole.world, whole.record
    u = record.people
    h = world.crowd.arousal[u].astype(float)[:, None]
    features = np.hstack([np.maximum(0, 1 - abs(2 * h - np.arange(3))), world.crowd.history[u]])
    logits = features @ world.tower @ world.catalogue.vectors.T.astype(float)
    pi = np.exp(logits - logits.max(1, keepdims=True))
    pi /= pi.sum(1, keepdims=True)
    feed = np.stack([pi[:, c::4].sum(1) for c in range(4)], axis=1)
    assert record.feed[-1] == pytest.approx(feed, abs=1e-5)
    assert record.effective_items[-1] == pytest.approx(np.exp(-(pi * np.log(pi)).sum(1)), rel=1e-4)


def test_the_figures_are_those_of_the_feeds(whole: EmbeddingRun) -> None:
    summary, dataset = whole.summary, whole.dataset
    feed = dataset["feed"].values[-1].astype(float)
    assert summary["locked_in"] == pytest.approx((feed.max(1) > 0.9).mean())
    assert summary["overlap"] == pytest.approx((feed @ feed.T)[~np.eye(100, dtype=bool)].mean(), abs=1e-6)
    assert sum(summary["shares"].values()) == pytest.approx(1)
    assert dataset["band_users"].values.sum() == summary["measured"] == 100
    assert dataset["band_category"].values[-1].sum(0) / 100 == pytest.approx(list(summary["shares"].values()))
    assert dataset["state_share"].values[-1].sum() == pytest.approx(1)
    assert all(variable.attrs["long_name"] for variable in dataset.data_vars.values())


def test_a_scenario_survives_toml() -> None:
    odd = changed(policy={"slate": 3, "candidates": 0}, first_user=5, interest={"drift": 0.25})
    assert EmbeddingScenario.from_toml(odd.to_toml()) == odd


@pytest.mark.parametrize(
    "values, line",
    [
        ({"policy": {"candidate": 3}}, 'unknown key "policy.candidate". Did you mean "candidates"?'),
        ({"policy": {"candidates": 1}}, "policy: candidates: expected 0 (score every item) or 2 and more, got 1"),
        ({"dimension": 3}, "dimension: expected at least one per category (4), got 3"),
        ({"items": {"count": 3}}, "items.count: expected at least one per category (4), got 3"),
        ({"interest": {"drift": 2}}, "interest.drift: expected less than or equal to 1, got 2"),
        ({"intentional": {"mean": [[1.0] * 4] * 3, "std": 1.0, "up": 0.1, "down": 0.1}}, "got one row per state"),
        ({"population": {"file": "x"}}, "population.file: listed users are not read here"),
    ],
)
def test_a_mistake_is_one_line(values: dict, line: str) -> None:
    with pytest.raises(InputError) as error:
        EmbeddingScenario(**values)
    assert line in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("wrong", [np.nan, 1e9])
def test_a_policy_that_runs_away_is_refused(wrong: float) -> None:
    world = World.start(changed(steps=2))
    world.tower[0, 0] = wrong
    with spread_over(1) as spread, pytest.raises(InputError, match="finite feeds, got others at step 1; use a smaller"):
        world.advance(spread, world.rooms(1))
