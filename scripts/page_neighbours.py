"""Two neighbours, for the page: how often they part, and two pairs out of the crowd with what each was shown."""

from typing import Any

import numpy as np
from page_frames import CROWD, SHOWN, told_of
from scipy.spatial import cKDTree

import mirrorfield as mf
from mirrorfield.arrays import FloatArray, IntArray
from mirrorfield.metrics.mirrors import Share, common
from mirrorfield.population.live import LiveCrowd
from mirrorfield.server.crowd import profiles
from mirrorfield.study.neighbours import APART

DISTANCES, PAIRS = (0.03, 0.1, 0.3, 1.0), 1_000_000
NEAREST, FURTHEST = 0.29, 0.31
ALIKE = 0.9


def share_of(share: Share) -> dict[str, float]:
    """Return a share of pairs and its 95% interval."""
    return {"share": share.value, "low": round(share.low, 9), "high": share.high}


def curve() -> dict[str, Any]:
    """Return how many pairs part at every distance, and what profile and luck decide alone, with standard errors."""
    found = mf.neighbours(distances=DISTANCES, pairs=PAIRS)
    away = " ".join(f"--eps {distance:g}" for distance in DISTANCES)
    return {
        "command": f"mirrorfield neighbours {away} --pairs {PAIRS}",
        "pairs": PAIRS,
        "curve": [
            {"distance": at.distance, "same_luck": share_of(at.same_luck), "other_luck": share_of(at.other_luck)}
            for at in found.distances
        ],
        "strangers": share_of(found.strangers),
        "you": {"share": found.profile[0], "standard_error": found.profile[1]},
        "luck": {"share": found.luck[0], "standard_error": found.luck[1]},
    }


def close_pairs() -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Return pairs of the crowd 0.29 to 0.31 apart, (m, 2), their distance, and their diets and first posts in common.

    In common: sum_a min(p_a, q_a), of the diets after 1,500 posts and of the kinds shown over the first 200.
    """
    crowd = LiveCrowd(mf.Scenario(users=CROWD))
    points = profiles(crowd)
    pairs = cKDTree(points).query_pairs(FURTHEST, output_type="ndarray")
    distance = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    pairs, distance = pairs[distance >= NEAREST], distance[distance >= NEAREST]
    order = np.lexsort(pairs.T[::-1])
    pairs, distance = pairs[order], distance[order]
    crowd.advance(SHOWN)
    shown = crowd.look().exposures[:, :CROWD].T / SHOWN
    crowd.advance(crowd.scenario.steps - SHOWN)
    diet = crowd.look().diet[0, :, :CROWD].T.astype(float)
    return pairs, distance, common(*diet[pairs.T]), common(*shown[pairs.T])


def two_pairs() -> dict[str, Any]:
    """Return a pair that parts and one that does not, and how many of the crowd's pairs at that distance part.

    They are the pairs that parted with the least in common among their first 200 posts, and that stayed with the most.
    """
    pairs, distance, diets, posts = close_pairs()
    parted, stayed = np.flatnonzero(diets < APART), np.flatnonzero(diets > ALIKE)
    chosen = {"parts": parted[posts[parted].argmin()], "stays": stayed[posts[stayed].argmax()]}
    scenario = mf.Scenario(users=CROWD)
    found: dict[str, Any] = {
        "from": NEAREST,
        "to": FURTHEST,
        "pairs": len(pairs),
        "parted": len(parted),
    }
    for name, i in chosen.items():
        people = [
            told_of(scenario, int(user)) | {"command": f"mirrorfield person {user} --users {CROWD}"}
            for user in pairs[i]
        ]
        found[name] = {"distance": float(distance[i]), "in_common": float(diets[i]), "people": people}
    return found


def neighbours() -> dict[str, Any]:
    """Return the curve and the two pairs."""
    return curve() | {"examples": two_pairs()}
