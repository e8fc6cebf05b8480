"""All claims that `mirrorfield verify` checks, in order."""

from collections.abc import Callable, Iterator
from functools import partial

from mirrorfield.errors import InputError, nearest
from mirrorfield.validation import cases, laws, metrics, outcomes, people, shared
from mirrorfield.validation.claim import Claim
from mirrorfield.validation.lock_in import baselines, escape, metastability, small_alpha, table, tied_arms
from mirrorfield.validation.machinery import groups, leashes
from mirrorfield.validation.replay import trajectories
from mirrorfield.validation.small_steps import flow_limit, mean_update

Check = Callable[[int], Iterator[Claim]]


def _replays(make: Callable[[], cases.Cases], group: str, users: int) -> Iterator[Claim]:
    return trajectories(make(), group, users)


def _replay(make: Callable[[], cases.Cases], group: str) -> tuple[Check, int, int]:
    return partial(_replays, make, group), 8, 4


# Every group of claims: what checks it, with how many users, and with how many where it has to be quick.
CHECKS: dict[str, tuple[tuple[Check, int, int], ...]] = {
    "loop": (_replay(cases.loop, "loop"),),
    "rules": (_replay(cases.presets, "rules"),),
    "parts": (_replay(cases.parts, "parts"),),
    "intensity": (_replay(cases.intensity, "intensity"),),
    "interventions": (_replay(cases.interventions, "interventions"),),
    "lens": (_replay(cases.lens, "lens"),),
    "arrays": tuple(_replay(make, "arrays") for make in (
        cases.loop, cases.presets, cases.parts, cases.intensity, cases.interventions, cases.lens)),
    "embedding": ((shared.follows, 12, 12),),
    "people": ((people.draws, 400_000, 40_000), (people.streams_of, 400_000, 40_000)),
    "metrics": ((metrics.population, 330, 330), (metrics.intensities, 330, 330)),
    "outcomes": ((outcomes.claims, 150, 150),),
    "laws": ((laws.every_state, 200_000, 40_000), (laws.long_run_shares, 100_000, 20_000),
             (laws.paths, 1_000_000, 100_000)),
    "update": ((mean_update, 100_000, 20_000),),
    "flow": ((flow_limit, 1_000_000, 200_000),),
    "lock-in": ((table, 200_000, 20_000), (metastability, 100_000, 4000), (small_alpha, 100_000, 4000),
                (tied_arms, 200_000, 20_000), (baselines, 50_000, 5000), (escape, 50_000, 4000)),
    "machinery": ((leashes, 20_000, 512), (groups, 1_000_000, 100_000)),
}  # fmt: skip


def verify(quick: bool = False, only: tuple[str, ...] = ()) -> Iterator[Claim]:
    """Yield every claim of the suite as it is measured.

    Parameters: quick, fewer users; only, names of groups of claims, all if none is given. Raises InputError for a name
    that is none of CHECKS; a claim that fails is yielded with `holds` false. Source: docs/theory.md.
    """
    for name in only:
        if name not in CHECKS:
            raise InputError(f'--only: "{name}" is not a group of claims.{nearest(name, CHECKS)} Groups: '
                             f"{', '.join(CHECKS)}.")  # fmt: skip
    for name in only or CHECKS:
        for check, full, few in CHECKS[name]:
            yield from check(few if quick else full)
