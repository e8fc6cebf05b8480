"""The page's own loop: in a real browser the compiled kernel's bits, and what a visitor sees in twenty posts."""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from fastapi.testclient import TestClient

from mirrorfield.model.profile import reaction
from mirrorfield.policy.softmax import softmax
from mirrorfield.population.live import Held
from mirrorfield.population.run import plan_run, ready_for
from mirrorfield.population.scenario import Scenario
from mirrorfield.server.about import about_this
from mirrorfield.server.app import create_app
from mirrorfield.server.givers import GIVERS, lens_of_giver
from mirrorfield.server.guard import Names
from mirrorfield.server.mirror import LANES, Mirror, Settings
from mirrorfield.server.replay import ACTIONS, ALPHABET, Visitor, unpack

LOOP = Path(__file__).parents[2] / "page/src/loop.js"
LARGE = 2**53 - 1
USERS = 3
VISITORS = 200
Call = Callable[..., Any]

RUN = """(module, tables, { options, posts, rewards, turns }) => {
  let loop = new module.Loop({ tables, ...options });
  const steps = [], drawn = [];
  for (let t = 0; t < posts; t++) {
    if (turns[t]) loop.turn(turns[t]);
    if (t % 50 === 49) {
      const old = loop;
      loop = loop.copy();
      old.react(2);
    }
    const offered = loop.offer(), s = loop.react(rewards[t]);
    steps.push(s.t, offered, s.category, s.state, s.nextState);
    steps.push(s.reward, s.baseline, s.newBaseline, s.advantage, s.propensity);
    drawn.push(...s.before, ...s.after);
  }
  const bytes = ({ buffer }) => Array.from(new Uint8Array(buffer), (b) => b.toString(16).padStart(2, "0")).join("");
  return {
    steps: bytes(Float64Array.from(steps)), drawn: bytes(Float64Array.from(drawn)), logits: bytes(loop.logits),
    policy: loop.policy, shown: [...loop.shown], last: [loop.t, loop.baseline, loop.state],
  };
}"""


class Course(NamedTuple):
    """Posts one after the other: ten numbers each, and the logits after the last, float32 (S, K)."""

    steps: np.ndarray
    logits: np.ndarray

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Course) and all(a.tobytes() == b.tobytes() for a, b in zip(self, other, strict=True))


@pytest.fixture(scope="module")
def port(browser: Any) -> Iterator[Call]:
    """Call a function of the module, the kernel's tables and an argument, in a blank page."""
    source = "data:text/javascript;base64," + base64.b64encode(LOOP.read_bytes()).decode()
    tables = about_this().profiles.model_dump(mode="json")
    page = browser.new_page()
    page.set_default_timeout(600_000)
    page.evaluate("async (source) => { window.loop = await import(source); }", source)

    def call(function: str, argument: Any = None) -> Any:
        return page.evaluate(f"([tables, argument]) => ({function})(loop, tables, argument)", [tables, argument])

    yield call
    page.close()


def of_page(
    port: Call, posts: int, rewards: Sequence[float] = (), turns: dict[int, Any] | None = None, **options: Any
) -> Course:
    """Return the page's course; what it draws and what it counts are checked against it."""
    told_turns = {str(t): turn for t, turn in (turns or {}).items()}
    last_lens = [options, *(turns or {}).values()][-1].get("lens", {})
    told = port(RUN, {"options": options, "posts": posts, "rewards": [*rewards], "turns": told_turns})
    steps = np.frombuffer(bytes.fromhex(told["steps"])).reshape(posts, -1)
    drawn = np.frombuffer(bytes.fromhex(told["drawn"])).reshape(posts, 2, -1)
    logits = np.frombuffer(bytes.fromhex(told["logits"]), np.float32).reshape(3, -1)
    offered, category, propensity = steps[:, 1], steps[:, 2].astype(int), steps[:, 9]
    assert (offered == category).all() and told["shown"] == np.bincount(category, minlength=4).tolist()
    assert told["last"] == [posts, steps[-1, 7], steps[-1, 4]]
    assert np.array(told["policy"]) == pytest.approx(served(logits, told["policy"], last_lens), abs=1e-12)
    assert drawn[np.arange(posts), 0, category] == pytest.approx(propensity, abs=1e-6)
    assert drawn[-1, 1].tolist() == told["policy"][int(steps[-1, 3])]
    return Course(steps, logits)


def served(logits: np.ndarray, policy: Sequence[Sequence[float]], lens: dict[str, Any]) -> np.ndarray:
    """Return the policy of these logits with the lens's wish, among the categories that it has open."""
    wanted: np.ndarray = softmax((logits + np.array(lens.get("prompt", 0), np.float32)).astype(float))
    if lens.get("retrieved"):
        wanted = wanted * (np.array(policy) > 0)
    return np.asarray(wanted / wanted.sum(axis=1, keepdims=True))


def of_kernel(settings: Settings, posts: int) -> list[Course]:
    """Return the courses of the first users with these settings, from their rows between two posts."""
    scenario = settings.scenario(posts)
    plan, ready = plan_run(scenario), ready_for(scenario, LANES, "plain")
    held, steps = Held(plan, ready), np.empty((posts, 10, LANES))
    at, lane = held.at, np.arange(LANES)
    for t in range(posts):
        steps[t, [3, 6]] = held.rows[[at.state, at.baseline]]
        held.advance(ready.task, t, t + 1)
        arm, cell = held.rows[[at.arm, at.cell]].astype(int)
        felt = reaction(held.rows[at.mean][cell, lane], held.rows[at.std][cell, lane], held.rows[at.noise])
        pi = held.rows[at.weight][arm, lane] * held.rows[at.total]
        steps[t, [0, 1, 2, 5, 9]] = np.full(LANES, t + 1), arm, arm, felt, pi
        steps[t, [4, 7, 8]] = held.rows[[at.state, at.baseline, at.gain]]
    return [Course(steps[:, :, j].copy(), held.rows[at.logits, j].reshape(3, -1).copy()) for j in range(USERS)]


def of_mirror(
    mirror: Mirror, posts: int, rewards: Sequence[float] = (), turns: dict[int, Settings] | None = None
) -> Course:
    """Return the course of a mirror with these reactions, or with those of its profile."""
    steps = np.empty((posts, 10))
    for t in range(posts):
        if turns and t in turns:
            mirror.turn(turns[t])
        s = mirror.react(rewards[t] if rewards else None)
        pi = (mirror._rows("weight") * mirror._rows("total"))[s.category]
        steps[t] = (
            s.t,
            s.category,
            s.category,
            s.state,
            s.next_state,
            s.reward,
            s.baseline,
            s.new_baseline,
            s.advantage,
            pi,
        )
    return Course(steps, mirror.logits)


def some_reactions(seed: int, posts: int) -> str:
    """Return random reactions, packed."""
    return "".join(np.random.default_rng(seed).choice([*ALPHABET], posts))


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("lean", [0.0, 0.2, 0.5, 1.0])
def test_simulated_people_are_the_kernels_bit_for_bit(port: Call, lean: float, rate: float) -> None:
    for seed in (1, 2**32 + 5):
        courses = of_kernel(Settings(seed=seed, intentionality=lean, learning_rate=rate), 2000)
        for user, course in enumerate(courses):
            assert of_page(port, 2000, seed=seed, user=user, rate=rate, **{"lambda": lean}) == course


def test_turning_lambda_and_alpha_goes_on_bit_for_bit(port: Call) -> None:
    mirror = Mirror(Settings(seed=6, intentionality=0.1, learning_rate=0.3))
    settings = Settings(intentionality=0.9, learning_rate=0.7)
    course = of_mirror(mirror, 300, turns={120: settings, 200: Settings(intentionality=0.9, learning_rate=0.2)})
    turns = {120: {"rate": 0.7, "lambda": 0.9}, 200: {"rate": 0.2}}
    assert of_page(port, 300, turns=turns, seed=6, rate=0.3, **{"lambda": 0.1}) == course


def of_givers(courses: Sequence[tuple[int, dict[str, Any]]], posts: int, user: int, **settings: Any) -> Course:
    """Return the course of a person by the kernel with everything: from which post on they are in which scenario.

    Each scenario has a block of its own, and what is pulled from the shelf stays there; what was learned comes along.
    """
    blocks: dict[int, tuple[Any, Any]] = {}
    steps, held, task = np.empty((posts, 10)), None, None
    changes = {first: (id(changed), changed) for first, changed in courses}
    for t in range(posts):
        if t in changes:
            name, changed = changes[t]
            if name not in blocks:
                scenario = Settings(**settings).scenario(posts)
                scenario = Scenario(**(scenario.model_dump(exclude_unset=True) | changed))
                ready = ready_for(scenario, LANES)
                blocks[name] = Held(plan_run(scenario), ready, user // LANES * LANES), ready.task
            before, (held, task) = held, blocks[name]
            if before is not None:
                for part in ("logits", "shown", "baseline", "baseline_lost", "state"):
                    held.rows[getattr(held.at, part)] = before.rows[getattr(before.at, part)]
                held.rows[held.also.seen] = before.rows[before.also.seen]
                for luck in (held.at.luck, held.also.labelling, held.also.acting):
                    held.words[luck] = before.words[luck]
        assert held is not None and task is not None
        at, also, j = held.at, held.also, user % LANES
        steps[t, [3, 6]] = held.rows[[at.state, at.baseline], j]
        held.advance(task, t, t + 1)
        arm = int(held.rows[at.arm, j])
        steps[t, [0, 1, 2]] = t + 1, arm, arm
        steps[t, [4, 5, 7, 8]] = held.rows[[at.state, also.reacted, at.baseline, at.gain], j]
        steps[t, 9] = held.rows[at.weight][arm, j] * held.rows[at.total, j]
    assert held is not None
    return Course(steps, held.rows[held.at.logits, user % LANES].reshape(3, -1).copy())


MODEL = [[[0.1, 0.4, 0.2, 1.0], [0.3, 0.1, 0.9, 0.5], [1.2, 0.2, 0.2, 0.1]]]
CLICKS = {"context": {"priming": 1e-30}}  # by the code of every mechanism, the plain loop bit for bit: 1 + 1e-30 x is 1
LENSES: dict[str, dict[str, Any]] = {
    **{name: CLICKS if name == "clicker" else settings for name, settings in GIVERS.items()},
    "seldom rated": {"reward": {"source": "ratings", "rate": 0.3, "intentionality": 0.5, "noise": 1.5}},
    "clicks and ratings": {"reward": {"source": "mixture", "weight": 0.3, "rate": 0.6, "intentionality": 0.9}},
    "learned": {"reward": {"source": "reward_model", "model": MODEL[0]}},
    "what people do, weighed": {"objective": {"weights": {"like": 2.0, "dwell": 0.1, "scroll": -1.0}, "scale": 1.5}},
    "what people do, and ratings": {"objective": {"preset": "twitter-2023"}, "reward": {"source": "mixture"}},
    "mild wish": {"context": {"source": "query", "kappa": 0.7}},
    "eleven of the shelf": {"retrieval": {"corpus": "posts", "retriever": "query", "count": 11, "refresh": 7}},
    "wish and ratings": {"context": {"source": "query", "kappa": 0.5}, "reward": {"source": "ratings"}},
}


def as_told(settings: dict[str, Any]) -> dict[str, Any]:
    """Return a lens as the page is told of it."""
    return lens_of_giver(settings).model_dump(mode="json")


@pytest.mark.parametrize("name", LENSES)
def test_whoever_provides_the_reward_is_the_kernels_bit_for_bit(port: Call, name: str) -> None:
    for seed, user, lean in ((1, 0, 0.2), (2**32 + 5, 11, 0.6)):
        course = of_givers([(0, LENSES[name])], 400, user, seed=seed, intentionality=lean)
        options = {"seed": seed, "user": user, "rate": 0.5, "lambda": lean, "lens": as_told(LENSES[name])}
        assert of_page(port, 400, **options) == course
    if name == "clicker":
        assert course == of_page(port, 400, seed=seed, user=user, rate=0.5, **{"lambda": lean})


def test_givers_are_switched_while_the_same_person_goes_on_bit_for_bit(port: Call) -> None:
    order = [
        "clicker",
        "rater",
        "clicker",
        "librarian",
        "prompter",
        "seldom rated",
        "rater",
        "platform",
        "checker",
        "librarian",
    ]
    courses = [(37 * i, LENSES[name]) for i, name in enumerate(order)]
    course = of_givers(courses, 400, 0, seed=8, learning_rate=0.7)
    turns = {first: {"lens": as_told(settings)} for first, settings in courses}
    assert of_page(port, 400, turns=turns, seed=8, rate=0.7) == course
    assert course.steps[:, 2].tolist() != of_page(port, 400, seed=8, rate=0.7).steps[:, 2].tolist()


def test_the_page_is_told_of_every_giver_as_the_kernel_has_them() -> None:
    assert {name: lens.model_dump() for name, lens in about_this().givers.items()} == {
        name: as_told(settings) for name, settings in GIVERS.items()
    }
    rater, checker = about_this().givers["rater"], about_this().givers["checker"]
    assert (rater.involuntary, rater.deliberate, rater.rate, rater.intentionality) == (0, 1, 1, 1)
    assert checker.model == [[[0, 0, 0, 1]] * 3] and not checker.labelled


def test_reactions_from_outside_enter_as_they_do_the_kernel_even_where_weights_vanish(port: Call) -> None:
    rewards = np.random.default_rng(3).uniform(-60, 60, 300).tolist()
    course = of_mirror(Mirror(Settings(seed=3, learning_rate=5.0)), 300, rewards)
    assert np.ptp(course.logits, axis=1).max() > 100  # beyond the least exponent of the kernel's exp
    assert of_page(port, 300, rewards, seed=3, rate=5.0) == course


@pytest.mark.parametrize(("seed", "rate"), [(0, 1.0), (1, 1.0), (2, 0.5), (3, 0.1), (2**32 + 1, 1.0), (LARGE, 1.0)])
def test_visitors_are_the_kernels_bit_for_bit(port: Call, seed: int, rate: float) -> None:
    text = some_reactions(seed, 100)
    course = of_mirror(Visitor(seed, rate), 100, [one.reward for one in unpack(text)])
    rewards = port("(module, _, text) => module.unpack(text).map(module.rewardOf)", text)
    assert of_page(port, 100, rewards, seed=seed, rate=rate, visitor=True) == course


def test_a_visitors_luck_is_drawn_again_a_thousand_times_and_no_more(port: Call) -> None:
    """The first reaction leaves the other kinds one chance in a thousand; later ones even the odds out again."""
    rewards = [8.5, *(-10.0 * t for t in range(1, 100))]
    course = of_mirror(Visitor(33), 100, rewards)
    shown = course.steps[:, 2]
    assert shown[0] == shown[1] and set(shown) == {0, 1, 2, 3}
    assert of_page(port, 100, rewards, seed=33, rate=1.0, visitor=True) == course


@pytest.mark.parametrize("choice", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_luck_on_a_boundary_between_two_kinds_chooses_the_kernels(port: Call, choice: float) -> None:
    """The first word of a stream that begins with (0, 1, 2, d) is d turned left by 7, so it can be any."""
    chosen = []
    for place in (int(choice * 2**24) + more for more in (-1, 0, 1, 2)):
        word = min(max(place, 0), 2**24 - 1) << 8
        words = [0, 1, 2, (word >> 7) | (word << 25) & 0xFFFFFFFF]
        mirror = Mirror(Settings(learning_rate=0.1))
        mirror._held.words[mirror._held.at.luck, 0] = words
        function = """(module, tables, words) => {
          const loop = new module.Loop({ tables });
          loop.words.set(words);
          return loop.react().category;
        }"""
        chosen.append(mirror.react().category)
        assert port(function, words) == chosen[-1]
    assert chosen == sorted(chosen) and len(set(chosen)) == (2 if 0 < choice < 1 else 1)


def test_luck_on_a_threshold_moves_a_person_as_it_does_in_the_kernel(port: Call) -> None:
    """With P0 = u and P2 = 1 - u, both exact, the luck u of the move is on both thresholds: they are hooked next."""
    mirror = Mirror(Settings(intentionality=0.0))
    category = mirror.react().category
    luck = mirror._rows("transition")[0]
    mirror = Mirror(Settings(intentionality=0.0))
    for name in ("calm_to", "hooked_at"):
        mirror._rows(name)[:] = luck
    step = mirror.react()
    function = """(module, tables, { category, luck }) => {
      tables.reactive.transition[0][category] = [luck, 0, 1 - luck];
      return new module.Loop({ tables, lambda: 0 }).react().nextState;
    }"""
    assert step.category == category
    assert port(function, {"category": category, "luck": float(luck)}) == step.next_state == 2


def test_a_loop_without_settings_is_user_0_of_seed_1(port: Call) -> None:
    assert of_page(port, 200) == of_kernel(Settings(seed=1, intentionality=0.2, learning_rate=0.1), 200)[0]


def test_the_page_packs_reactions_as_the_server_reads_them(port: Call) -> None:
    every = [{"action": action, "half": half} for action in ACTIONS for half in range(16)]
    text = port("(module, _, every) => module.pack(every)", every)
    assert text == ALPHABET and port("(module, _, text) => module.unpack(text)", text) == every
    assert [(one.action, one.dwell) for one in unpack(text)] == [(one["action"], one["half"] / 2) for one in every]
    rewards = port("(module, _, every) => every.map(module.rewardOf)", every)
    assert rewards == [one.reward for one in unpack(text)] and (min(rewards), max(rewards)) == (0, 1.9375)
    assert port("(module) => module.ACTIONS") == [*ACTIONS]


def test_the_page_refuses_text_that_is_no_reactions_and_reactions_that_have_no_character(port: Call) -> None:
    for wrong in ("w", "A w", "A\n", "Aé", "9", "_", "=", None, 7, ["A"]):
        assert port("(module, _, wrong) => module.unpack(wrong)", wrong) is None, wrong
    assert port("(module) => module.unpack('')") == []
    refused = "(module, _, wrong) => { try { module.pack([wrong]) } catch (error) { return error.message } }"
    for action, half in (("read", 1), ("skip", 16), ("skip", -1), ("skip", 0.5), ("skip", None)):
        assert port(refused, {"action": action, "half": half}).startswith("expected one of ")


def test_the_tables_are_the_kernels() -> None:
    told, tables = about_this().profiles, plan_run(Settings().scenario()).profiles
    for name in ("reactive", "intentional"):
        for part in ("mean", "std", "transition"):
            table = np.array(getattr(getattr(told, name), part))
            assert table.tobytes() == getattr(getattr(tables, name), part).astype(float).tobytes()


def test_a_visitor_stays_calm_and_begins_as_if_there_had_been_one_reaction() -> None:
    mirror, rewards = Visitor(4), [one.reward for one in unpack(some_reactions(4, 40))]
    assert mirror.baseline == 0.5 and not mirror.straight
    for t, reward in enumerate(rewards, 1):
        step = mirror.react(reward)
        assert (step.state, step.next_state, step.t) == (0, 0, t)
        assert step.new_baseline == pytest.approx((0.5 + sum(rewards[:t])) / (t + 1), abs=1e-6)
    assert not mirror.logits[1:].any()


def test_a_visitor_with_one_lure_sees_it_learned_in_twenty_posts(coming: Callable[[Mirror], int]) -> None:
    """Of posts 11 to 20 the median of 200 visitors sees at least 8 of what they share; the first four are one each."""
    seen = []
    for seed in range(VISITORS):
        mirror, lure, shown = Visitor(seed), seed % 4, []
        for _ in range(20):
            shown.append(coming(mirror))
            mirror.react(3 / 8 + 1 if shown[-1] == lure else 0.5 / 8)
        assert sorted(shown[:4]) == [0, 1, 2, 3]
        seen.append(shown[10:].count(lure))
    assert np.median(seen) >= 8, np.bincount(seen, minlength=11)


def test_no_first_reaction_moves_a_visitors_feed_the_wrong_way() -> None:
    """A share or a like raises what was shown, scrolling on within 3.5 s lowers it; G = 0.5 alone moves nothing."""
    reactions = unpack(ALPHABET)
    for seed in range(VISITORS):
        first = reactions[seed % len(reactions)]
        step = Visitor(seed).react(first.reward)
        moved = np.sign(step.after[step.category] - step.before[step.category])
        assert moved == np.sign(first.reward - 0.5)
        if first.action == "skip" and first.dwell <= 3.5:
            assert moved < 0
        if first.action == "share" or (first.action == "like" and first.dwell > 0):
            assert moved > 0


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(names=Names(frozenset({"testserver"})))) as found:
        yield found


@pytest.mark.parametrize(("seed", "rate", "posts"), [(1, 1.0, 20), (LARGE, 0.25, 400), (2, 1.0, 0)])
def test_a_replay_is_the_mirror(client: TestClient, seed: int, rate: float, posts: int) -> None:
    text = some_reactions(seed, posts)
    told = client.get("/api/replay", params={"seed": seed, "learning_rate": rate, "reactions": text}).json()
    mirror = Visitor(seed, rate)
    for got, each in zip(told["steps"], unpack(text), strict=True):
        step = mirror.react(each.reward)
        pi = (mirror._rows("weight") * mirror._rows("total"))[step.category]
        expected = vars(step) | {"before": step.before.tolist(), "after": step.after.tolist(), "propensity": float(pi)}
        del expected["session"]
        assert got == expected
    assert told["logits"] == mirror.logits.tolist()


def test_alpha_is_one_unless_another_is_asked_for(client: TestClient) -> None:
    text = some_reactions(5, 20)
    told = [client.get(f"/api/replay?reactions={text}{more}").json() for more in ("", "&seed=1", "&learning_rate=1")]
    assert told[0] == told[1] == told[2] and told[0]["steps"][0]["after"] != [0.25] * 4


@pytest.mark.parametrize(
    "query",
    ["", "reactions=w", "reactions=A%0A", "reactions=%C3%A9", f"reactions={'A' * 401}", "reactions=A&seed=-1",
     f"reactions=A&seed={2**53}", "reactions=A&learning_rate=1.5", "reactions=A&learning_rate=nan", "reactions=A&x=1"],
)  # fmt: skip
def test_a_replay_of_nothing_that_can_be_is_refused_in_one_line(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/replay?{query}")
    said = answer.json()["detail"]
    assert answer.status_code == 422 and said.startswith("query.") and "\n" not in said


GIVER = LOOP.parent / "story/Giver.svelte"
TURN = """(module, tables, { lens, clicks, people }) => {
  const mostly = (loop, posts) => {
    const steps = Array.from({ length: posts }, () => loop.react());
    return steps.slice(-50).filter((step) => step.category === 3).length > 25;
  };
  let [turned, stayed] = [0, 0];
  for (let seed = 1; seed <= people; seed++) {
    const loop = new module.Loop({ seed, rate: 0.5, lambda: 0.2, tables });
    for (let t = 0; t < 200; t++) loop.react();
    loop.turn({ lens });
    turned += mostly(loop, 200);
    loop.turn({ lens: clicks });
    stayed += mostly(loop, 50);
  }
  return [turned / people, stayed / people];
}"""


def test_ratings_turn_what_a_feed_has_learned_and_a_wish_only_what_it_shows(port: Call) -> None:
    """The shares that the page names: of 1,000 people, whose feed is mostly depth then, and 50 clicks later."""
    said = re.search(r"TURNED = \{ rater: \[(.*?), (.*?)\], prompter: \[(.*?), (.*?)\] \}", GIVER.read_text("utf-8"))
    assert said is not None
    rater, prompter = (
        port(TURN, {"lens": as_told(GIVERS[name]), "clicks": as_told(CLICKS), "people": 1000})
        for name in ("rater", "prompter")
    )
    assert [*rater, *prompter] == [float(share) for share in said.groups()]
