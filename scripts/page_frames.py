"""The crowds that the page replays: where people stand at some posts, as bytes, and the figures of everyone."""

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mirrorfield as mf
from mirrorfield.arrays import STATES, FloatArray
from mirrorfield.kernel.fold import LOCKED_IN
from mirrorfield.metrics.outcomes import category_of
from mirrorfield.population.live import LiveCrowd
from mirrorfield.server.crowd import picture, places_of

MAGIC, LAST = 0x4D465231, 1500
CROWD, CROWD_FRAMES = 20_000, 17
OPENING, OPENING_FRAMES, OPENING_BITS = 1500, 26, 7
SHOWN, RAISED, MORE = 200, 0.3, 1500
AFTER = (0, 30, 100, 300, 600, 1000, MORE)
Planes = NDArray[np.uint8]  # (3, n): x, y, kind


def steps_of(frames: int) -> list[int]:
    """Return the posts at which frames are taken, from 0 to 1,500, denser at the start: their root is even.

    >>> steps_of(4)
    [0, 167, 667, 1500]
    """
    return [round(LAST * (i / (frames - 1)) ** 2) for i in range(frames)]


def bytes_of(places: FloatArray, bits: int = 8) -> Planes:
    """Return places in [-1, 1] as bytes, 0 to 255, of which only 2^bits different ones occur.

    >>> bytes_of(np.array([-1.0, 0.5, 1.0])).tolist(), bytes_of(np.array([-1.0, 0.5, 1.0]), 7).tolist()
    ([0, 191, 255], [0, 191, 255])
    """
    most = 2**bits - 1
    return np.asarray(np.rint(np.rint((places + 1) / 2 * most) * 255 / most), np.uint8)


def planes_of(crowd: LiveCrowd, bits: int) -> Planes:
    """Return where everyone stands and the kind that most of their feed is of, (3, n)."""
    users = crowd.scenario.users
    diet = crowd.look().diet[0, :, :users]
    kind = category_of(diet.T.astype(float), np.arange(users))
    return np.vstack([bytes_of(places_of(diet), bits), kind[None].astype(np.uint8)])


def packed(steps: Sequence[int], frames: Sequence[Planes]) -> bytes:
    """Return frames as a file: magic, people, frames and steps in uint32, then each plane less the one before it.

    >>> len(packed([0, 9], [np.zeros((3, 5), np.uint8)] * 2))
    50
    """
    before = np.concatenate([np.zeros_like(frames[0])[None], np.stack(frames[:-1])])
    header = struct.pack(f"<{3 + len(steps)}I", MAGIC, frames[0].shape[1], len(steps), *steps)
    return header + bytes(np.stack(frames) - before)


def advanced(crowd: LiveCrowd, steps: Sequence[int]) -> Iterator[int]:
    """Yield these posts, with the crowd run up to each."""
    for step in steps:
        crowd.advance(step - crowd.t)
        yield step


def opening(seed: int) -> bytes:
    """Return the small crowd of the opening."""
    crowd, steps = LiveCrowd(mf.Scenario(users=OPENING, seed=seed)), steps_of(OPENING_FRAMES)
    return packed(steps, [planes_of(crowd, OPENING_BITS) for _ in advanced(crowd, steps)])


def figures_of(crowd: LiveCrowd) -> dict[str, Any]:
    """Return the figures of everyone, those of the run's summary."""
    found = picture(crowd).figures
    names = ("shares", "locked_in", "filter_bubble", "overlap", "mean_reaction", "effective_categories")
    return {"step": crowd.t} | {name: found[name] for name in names} | {"hooked": found["states"][2]}


def crowd_frames() -> tuple[bytes, list[dict[str, Any]]]:
    """Return the crowd as bytes, and the figures of everyone at its frames."""
    crowd, steps = LiveCrowd(mf.Scenario(users=CROWD)), steps_of(CROWD_FRAMES)
    seen = [(planes_of(crowd, 8), figures_of(crowd)) for _ in advanced(crowd, steps)]
    return packed(steps, [planes for planes, _ in seen]), [figures for _, figures in seen]


def first_locked() -> dict[int, tuple[int, int]]:
    """Return for each kind the post at which somebody is first locked in to it, and who: lowest post, then id."""
    crowd, found = LiveCrowd(mf.Scenario(users=CROWD)), dict[int, tuple[int, int]]()
    for step in advanced(crowd, range(1, LAST + 1)):
        diet = crowd.look().diet[0, :, :CROWD]
        user = np.flatnonzero(diet.max(axis=0) > LOCKED_IN)
        for one, kind in zip(user.tolist(), diet[:, user].argmax(axis=0).tolist(), strict=True):
            found.setdefault(kind, (step, one))
        if len(found) == crowd.scenario.k:
            break
    return found


def told_of(scenario: mf.Scenario, user: int) -> dict[str, Any]:
    """Return who a person is, and the kinds of their first 200 posts as a string of digits."""
    one = mf.person(scenario, user)
    return {
        "user": user,
        "intentionality": one.intentionality,
        "susceptibility": one.susceptibility.astype(float).tolist(),
        "shown": "".join(map(str, one.posts.shown[:SHOWN].tolist())),
        "state": STATES[int(one.posts.state[min(SHOWN, scenario.steps - 1)])],
    }


def cards() -> list[dict[str, Any]]:
    """Return for each kind the first person who is locked in to it."""
    found = []
    for kind, (step, user) in sorted(first_locked().items()):
        name = mf.Scenario().categories[kind].name
        who = told_of(mf.Scenario(users=CROWD), user)
        found.append({"kind": name, "post": step} | who | {"command": f"mirrorfield person {user} --users {CROWD}"})
    return found


def moved(shift: float) -> list[dict[str, Any]]:
    """Return the figures of everyone after 1,500 posts and 1,500 more, with everyone's lambda raised in between."""
    crowd = LiveCrowd(mf.Scenario(users=CROWD))
    crowd.advance(LAST)
    crowd.turn(crowd.learning_rate, shift)
    return [figures_of(crowd) for _ in advanced(crowd, [LAST + after for after in AFTER])]


def crowd_story(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what stands beside the crowd: its figures, its first locked in, and the crowd with lambda raised."""
    scenario, run = mf.Scenario(), f"mirrorfield run --users {CROWD} --steps {LAST}"
    longer = f"mirrorfield run --users {CROWD} --steps {LAST + MORE}"
    return {
        "scenario": {"name": scenario.name, "users": CROWD, "seed": scenario.seed, "steps": LAST},
        "kinds": [category.name for category in scenario.categories],
        "command": run,
        "frames": figures,
        "first_locked_in": cards(),
        "raised": {
            "at": LAST,
            "shift": RAISED,
            "command": f"{longer} --set intervention.at={LAST} --set intervention.nudge={RAISED}",
            "frames": moved(RAISED),
        },
        "left": {"command": longer, "frames": moved(0.0)},
    }
