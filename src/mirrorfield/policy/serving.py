"""What stands between a policy and what is served: exploration, a quota on the largest category, and its correction."""

from typing import Any

from mirrorfield.maths import ONE, ZERO


def explored(weight: Any, share: Any, keep: Any, opened: Any) -> Any:
    """Return the odds of a category when a share of posts is drawn evenly from all that may be shown.

    Formula: b(a) = (1 - epsilon) pi(a) + epsilon / m over the m categories that may be shown; written for weights that
    need not sum to 1.

    Parameters: weight, pi(a) times the total; share, epsilon total / m; keep, 1 - epsilon; opened, 1.0 where a may be
    shown, otherwise 0.0. Returns b(a) times the total. Source: docs/whatif.md.

    >>> explored(0.9, 0.1 / 2, 0.9, 1.0)
    0.8600000000000001
    """
    return keep * weight + share * opened


def importance(weight: Any, odds: Any) -> Any:
    """Return what a post counts for that was drawn from what is served and not from the policy.

    Formula: pi(a) / b(a). With it, the expected update is that of the policy, whatever is served.

    Parameters: weight and odds >= 0, pi(a) and b(a) on one scale. Returns a pure number, 1 where both are equal and
    where odds are 0. Source: Chen et al. (2019), https://doi.org/10.1145/3289600.3290999.

    >>> importance(0.5, 0.25), importance(0.5, 0.5)
    (2.0, 1.0)
    """
    return weight / odds if odds > ZERO else ONE


def quota_factor(held: Any, fullest: Any, rest: Any, total: Any, quota: Any) -> Any:
    """Return the factor on the weights of a category under a quota on the largest one.

    Formula: with f the largest share, if f > q: q / f for that category and (1 - q) / (1 - f) for the others; else 1.

    Parameters: held, weight of the category; fullest, the largest of all categories' weights; rest, the sum of those of
    the others, > 0; total, the sum of all; quota, q in [0.5, 1], so that one category at most exceeds it. Returns a
    pure number. Source: docs/whatif.md; the others keep their proportions.

    >>> [round(float(quota_factor(held, 3.0, 1.0, 4.0, 0.5)), 3) for held in (3.0, 1.0)]
    [0.667, 2.0]
    """
    if fullest <= quota * total:
        return ONE
    return quota * total / fullest if held == fullest else (ONE - quota) * total / rest
