"""Who provides the reward: the click, a deliberate rating, a learned reward, or what lies between."""

from typing import Any

from mirrorfield.maths import ONE, ZERO


def blended_label(click: Any, label: Any, involuntary: Any, deliberate: Any) -> Any:
    """Return the reward of a post from the labels that there are.

    Formula: R = (c G + d Y) / (c + d), with c = 1 - weight and d = weight if the post was rated, else 0.

    Parameters: click G and label Y, reactions; involuntary c and deliberate d >= 0; float32 of one shape. Returns that
    shape; G exactly for d = 0, Y exactly for c = 0, and 0 where there is no label (`has_label` says so). Source:
    docs/labels.md, eq. 10.

    >>> float(blended_label(2.0, 1.0, 0.25, 0.75)), float(blended_label(2.0, 1.0, 1.0, 0.0))
    (1.25, 2.0)
    """
    total = involuntary + deliberate
    return (involuntary * click + deliberate * label) / (total if total > ZERO else ONE)


def has_label(involuntary: Any, deliberate: Any) -> Any:
    """Return 1 where a post has a label and 0 where it has none: missing is not zero, so nothing is learned there.

    Parameters: as for `blended_label`. Returns 1.0 or 0.0. Source: docs/labels.md, section 1.

    >>> float(has_label(0.0, 0.0)), float(has_label(0.0, 1.0))
    (0.0, 1.0)
    """
    return ONE if involuntary + deliberate > ZERO else ZERO
