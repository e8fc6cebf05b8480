"""All claims that `mirrorfield verify` checks, in order."""

from collections.abc import Callable, Iterator

from mirrorfield.validation.claim import Claim
from mirrorfield.validation.lock_in import baselines, escape, metastability, small_alpha, table, tied_arms
from mirrorfield.validation.machinery import groups, leashes
from mirrorfield.validation.small_steps import flow_limit, mean_update

Check = Callable[[int], Iterator[Claim]]
FULL: tuple[tuple[Check, int], ...] = (
    (mean_update, 100_000),
    (flow_limit, 1_000_000),
    (table, 200_000),
    (metastability, 100_000),
    (small_alpha, 100_000),
    (tied_arms, 200_000),
    (baselines, 50_000),
    (escape, 50_000),
    (leashes, 20_000),
    (groups, 1_000_000),
)
QUICK: tuple[tuple[Check, int], ...] = (
    (mean_update, 20_000),
    (flow_limit, 200_000),
    (table, 20_000),
    (metastability, 20_000),
    (small_alpha, 20_000),
    (tied_arms, 20_000),
    (baselines, 5000),
    (escape, 10_000),
    (leashes, 4000),
    (groups, 100_000),
)


def verify(quick: bool = False) -> Iterator[Claim]:
    """Yield every claim of the suite as it is measured.

    Parameters: quick, fewer users. Raises nothing; a claim that fails is yielded with `holds` false. Source:
    docs/theory.md.
    """
    for check, users in QUICK if quick else FULL:
        yield from check(users)
