"""The long run of a person's states under a policy that stands still."""

from typing import Any

from mirrorfield.maths import F32, ONE, ZERO

LIVED_IN = F32(0.05)
LEAST = F32(1e-30)


def time_in_states(
    up: Any, leap: Any, fall: Any, rise: Any, plunge: Any, down: Any, calm: Any, hooked: Any
) -> tuple[Any, Any, Any]:
    """Return the share of their time that a person spends calm, engaged and hooked under a policy that stands still.

    Formula: d P = d with P[s, s'] = sum_a pi(a | s) P[s, a, s'], by the trees that lead to each state: d_0 is
    proportional to P10 P20 + P10 P21 + P12 P20, and so on. Where two sets of states are each closed, every tree has
    weight 0; then d is the law reached from the present state, by the trees that hold one return to it.

    Parameters: the six probabilities of leaving, P01 up, P02 leap, P10 fall, P12 rise, P20 plunge, P21 down, in
    [0, 1]; calm and hooked, whether the present state is that; float32 of one shape. Returns three numbers in [0, 1]
    that sum to 1 up to rounding. Products below 1e-30 count as 0. Source: Markov chain tree theorem, Leighton and
    Rivest (1986), IEEE Transactions on Information Theory 32(6); docs/model.md, eq. 17.

    >>> half = F32(0.5)
    >>> [round(float(d), 4) for d in time_in_states(half, ZERO, half, half, ZERO, half, True, False)]
    [0.3333, 0.3333, 0.3333]
    >>> [float(d) for d in time_in_states(ZERO, ZERO, half, half, ZERO, ZERO, False, False)]
    [0.5, 0.0, 0.5]
    """
    at_calm = fall * plunge + fall * down + rise * plunge
    at_engaged = up * down + up * plunge + leap * down
    at_hooked = leap * rise + leap * fall + up * rise
    total = at_calm + at_engaged + at_hooked
    engaged_too, hooked_too = fall + plunge + down + rise, leap + rise + fall + up
    calm_too = up + down + plunge + leap
    back_calm = engaged_too if calm else (plunge if hooked else fall)
    back_engaged = up if calm else (down if hooked else calm_too)
    back_hooked = leap if calm else (hooked_too if hooked else rise)
    returns = back_calm + back_engaged + back_hooked
    tied, still = total <= LEAST, returns <= LEAST
    here = ONE if calm else ZERO
    there = ONE if hooked else ZERO
    at_calm = (here if still else back_calm) if tied else at_calm
    at_engaged = ((ONE - here - there) if still else back_engaged) if tied else at_engaged
    at_hooked = (there if still else back_hooked) if tied else at_hooked
    total = at_calm + at_engaged + at_hooked
    return at_calm / total, at_engaged / total, at_hooked / total


def mixed(calm: Any, engaged: Any, hooked: Any, if_calm: Any, if_engaged: Any, if_hooked: Any) -> Any:
    """Return the mean over a person's time of what depends on their state.

    Formula: sum_s d(s) x(s); with x = pi(a | .) it is the diet, pbar(a).

    Parameters: the three shares of time; the value in each state; shapes broadcast. Returns the unit of the values.
    Source: docs/model.md, eq. 18.

    >>> mixed(0.5, 0.25, 0.25, 1.0, 0.0, 2.0)
    1.0
    """
    return calm * if_calm + engaged * if_engaged + hooked * if_hooked
