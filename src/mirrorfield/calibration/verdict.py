"""Whether a log says anything about its people that a simulation of them could use."""

import math
from typing import Any, NamedTuple

from mirrorfield.calibration.heldout import GLOBAL_MEAN, PROFILES, USER_MEAN

LEVEL = 0.05
BASELINES = {GLOBAL_MEAN: "the global mean", USER_MEAN: "each person's own mean"}


class Verdict(NamedTuple):
    """Whether the profiles hold, the line that says so, and p, the chance of such differences if people had none."""

    holds: bool
    line: str
    p: float


def p_of_no_differences(likelihood_ratio: float) -> float:
    """Return an upper bound on the chance of a likelihood ratio this large if people did not differ.

    Formula: exp(-LR / 2), the upper tail of chi-squared with 2 degrees of freedom, LR = 2 (l(tau_user, tau_cell) -
    l(0, 0)). Both variances lie on the edge of their range, where the law is a mixture of chi-squared with 0, 1 and 2
    degrees of freedom (Self & Liang 1987, J. Am. Stat. Assoc. 82, 605), so the bound is not exceeded.

    >>> round(p_of_no_differences(5.99), 3)
    0.05
    """
    return math.exp(-max(likelihood_ratio, 0.0) / 2)


def verdict_of(likelihood_ratio: float, heldout: dict[str, Any]) -> Verdict:
    """Return whether people differ, and whether profiles predict what they were not fitted to.

    People differ if p is 0.05 or less. Profiles predict if the 95% intervals of their RMSE minus that of the global
    mean, and minus that of each person's mean, both lie below 0.

    Parameters: likelihood_ratio, as for `p_of_no_differences`; heldout, what `heldout_check` returned.
    """
    p = p_of_no_differences(likelihood_ratio)
    if p > LEVEL:
        return Verdict(False, f"The log shows no differences between people (p = {p:.2g}).", p)
    if "difference" not in heldout:
        return Verdict(False, f"Nothing shows that these profiles predict anything. {heldout['note']}", p)
    beaten = {name: heldout["difference"][name]["log_unit"] for name in BASELINES}
    differences = " and ".join(
        f"that of {BASELINES[name]} {x['value']:+.4f} [{x['low']:+.4f}, {x['high']:+.4f}]" for name, x in beaten.items()
    )
    told = f"RMSE minus {differences}"
    missed = [BASELINES[name] for name, x in beaten.items() if x["high"] >= 0]
    if missed:
        line = f"The {PROFILES} do not predict held-out reactions better than {' or '.join(missed)}: {told}."
        return Verdict(False, line, p)
    return Verdict(True, f"The {PROFILES} predict held-out reactions better than means do: {told}.", p)
