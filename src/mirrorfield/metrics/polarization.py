"""How polarized a crowd is: positions or groups, each with the number of users that hold it.

Every function takes groups and their counts, so that counts may be added up over blocks of users: the value over a
merge is the value over all. A list of users is the case in which every count is 1. All are plug-in values of the
crowd they are given; over a sample, `delta_interval` says how far the population's may be.
"""

from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mirrorfield.arrays import FloatArray, IntArray


def bipolarity(position: FloatArray, count: FloatArray | IntArray) -> float:
    """Return the variance of positions, scaled to 1 for two halves at the ends.

    Formula: 4 sum_i w_i (x_i - xbar)**2, w = count / sum.

    Parameters: position x in [0, 1] and count >= 0, shape (G,). Returns a number in [0, 1]; 0 if all agree. Source:
    Bramson et al. (2016), "dispersion", https://doi.org/10.1080/0022250X.2016.1147443.

    >>> bipolarity(np.array([0.0, 1.0]), np.array([5, 5]))
    1.0
    """
    weight = count / np.sum(count)
    return float(4 * weight @ (position - weight @ position) ** 2)


def esteban_ray(position: FloatArray, count: FloatArray | IntArray, alpha: float = 1.3) -> float:
    """Return the polarization of Esteban and Ray: identification within groups, alienation between them.

    Formula: sum_i sum_j w_i**(1 + alpha) w_j |x_i - x_j|, w = count / sum.

    Parameters: position x, shape (G,), or a matrix of distances, (G, G); count >= 0, (G,); alpha, sensitivity, above
    0 to 1.6. Returns a number from 0 (one group). Raises ValueError for another alpha. Two equal groups at distance 1
    have 2**(-1 - alpha), the most there is; splitting a group lowers it, so groups must mean something. Source:
    Esteban and Ray (1994), https://doi.org/10.2307/2951734.

    >>> esteban_ray(np.array([0.0, 1.0]), np.array([5, 5]), 1.0)
    0.25
    """
    if not 0 < alpha <= 1.6:
        raise ValueError(f"alpha: expected a number above 0 to 1.6, got {alpha}")
    weight = count / np.sum(count)
    distance = position if position.ndim == 2 else abs(position[:, None] - position)
    return float(weight ** (1 + alpha) @ distance @ weight)


def reynal_querol(count: FloatArray | IntArray) -> float:
    """Return the polarization of Reynal-Querol: how near a crowd is to two groups of equal size.

    Formula: 4 sum_i w_i**2 (1 - w_i): Esteban and Ray's with alpha = 1 and equal distances, times 4.

    Parameters: count >= 0, shape (G,). Returns a number in [0, 1]; 0 for one group, 1 for two equal ones. Source:
    Montalvo and Reynal-Querol (2005), https://doi.org/10.1257/0002828054201468.

    >>> reynal_querol(np.array([3, 3]))
    1.0
    """
    weight = count / np.sum(count)
    return float(4 * (weight**2 * (1 - weight)).sum())


def bimodality_coefficient(position: FloatArray, count: FloatArray | IntArray) -> float:
    """Return the bimodality coefficient: skewed or flat beyond what one peak has.

    Formula: (g**2 + 1) / (k + 3 (n - 1)**2 / ((n - 2)(n - 3))), g the sample skewness and k the sample excess kurtosis,
    both corrected for bias.

    Parameters: position, shape (G,); count of users, whole numbers, (G,). Returns a number, about 1/3 for a normal
    law, 5/9 for a uniform one and 1 for two points; NaN for fewer than 4 users or no spread. One skewed peak is above
    5/9 too: look at the dip as well. Source: Pfister et al. (2013), https://doi.org/10.3389/fpsyg.2013.00700.

    >>> round(bimodality_coefficient(np.array([0.0, 1.0]), np.array([500, 500])), 2)
    1.0
    """
    n = float(np.sum(count))
    away = position - count @ position / n
    m2, m3, m4 = (float(count @ away**power) / n for power in (2, 3, 4))
    if n < 4 or m2 <= 1e-24:
        return float("nan")
    skewness = m3 / m2**1.5 * np.sqrt(n * (n - 1)) / (n - 2)
    kurtosis = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (m4 / m2**2 - 3) + 6)
    return float((skewness**2 + 1) / (kurtosis + 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))))


def dip(count: FloatArray | IntArray) -> float:
    """Return the dip of a histogram: how far its distribution function is from that of any single peak.

    Formula: min over unimodal F of max_x |F_n(x) - F(x)|, at the edges of the bins; a linear programme for each place
    of the peak.

    Parameters: count, users in B >= 2 neighbouring bins of equal width. Returns a number from 0 (one peak) to 1/4 (two
    equal points). Source: Hartigan and Hartigan (1985), https://doi.org/10.1214/aos/1176346577; over bins it is at most
    the dip of the users themselves.

    >>> round(dip(np.array([5, 0, 0, 0, 5])), 3), round(dip(np.array([1, 3, 2])), 3)
    (0.188, 0.0)
    """
    return min(_distance_from_peak(np.asarray(count, float), peak) for peak in range(len(count)))


def _distance_from_peak(count: FloatArray, peak: int) -> float:
    from scipy.optimize import linprog

    bins = len(count)
    observed = np.concatenate([[0.0], np.cumsum(count) / count.sum()])
    edge = np.eye(bins + 1)
    height = edge[1:] - edge[:-1]
    bend = height[:-1] - height[1:]
    bend[peak:] *= -1
    near = np.hstack([np.vstack([edge, -edge]), -np.ones((2 * bins + 2, 1))])
    shape = np.hstack([np.vstack([bend, -height]), np.zeros((2 * bins - 1, 1))])
    limit = np.concatenate([observed, -observed, np.zeros(2 * bins - 1)])
    goal = np.append(np.zeros(bins + 1), 1.0)
    solved = linprog(goal, np.vstack([near, shape]), limit, bounds=[(0, 1)] * (bins + 2), method="highs")
    assert solved.x is not None
    return float(solved.x[-1])


def agreement(count: FloatArray | IntArray) -> float:
    """Return van der Eijk's agreement of an ordered scale; (1 - A)/2 is a polarization from 0 to 1.

    Formula: the histogram is cut into layers, each over some bins; A = sum of layer weight times U (1 - (S - 1)/(B -
    1)), S bins in the layer, U = ((B - 2) T - (B - 1) D) / ((B - 2)(T + D)), T its triples of bins like 110 or 011
    and D those like 101.

    Parameters: count, users in B >= 3 ordered bins. Returns a number from -1 (halves at the ends) over 0 (uniform) to
    1 (one bin). Source: van der Eijk (2001), https://doi.org/10.1023/A:1010374114305.

    >>> agreement(np.array([5, 0, 0, 0, 5])), agreement(np.array([2, 2, 2])), agreement(np.array([0, 4, 0]))
    (-1.0, 0.0, 1.0)
    """
    left, total, value = np.asarray(count, float).copy(), float(np.sum(count)), 0.0
    while left.max() > 1e-12 * total:
        inside = left > 1e-12 * total
        least = float(left[inside].min())
        value += least * inside.sum() / total * _layer_agreement(inside)
        left[inside] -= least
    return float(value)


def _layer_agreement(inside: NDArray[np.bool_]) -> float:
    bins, filled = len(inside), int(inside.sum())
    if filled in (1, bins):
        return 1.0 if filled == 1 else 0.0
    triples = [(bool(inside[i]), bool(inside[j]), bool(inside[k])) for i, j, k in combinations(range(bins), 3)]
    apart = triples.count((True, False, True))
    together = triples.count((True, True, False)) + triples.count((False, True, True))
    unity = ((bins - 2) * together - (bins - 1) * apart) / ((bins - 2) * (together + apart))
    return float(unity * (1 - (filled - 1) / (bins - 1)))


def two_sides(position: FloatArray, count: FloatArray | IntArray, middle: float = 0.5, width: float = 1.0) -> float:
    """Return the polarization index of Morales et al.: two sides of one size, far apart.

    Formula: (1 - |A+ - A-|) |g+ - g-| / width, A the shares of users above and below the middle and g their mean
    positions.

    Parameters: position, shape (G,); count >= 0, (G,); middle; width of the scale. Returns a number in [0, 1]; 0 if
    one side is empty, 1 for halves at the ends. Users at the middle belong to neither side. Source: Morales et al.
    (2015), https://doi.org/10.1063/1.4913758.

    >>> two_sides(np.array([0.0, 1.0]), np.array([5, 5]))
    1.0
    """
    sides = [count * (position > middle), count * (position < middle)]
    sizes = [float(side.sum()) for side in sides]
    if min(sizes) == 0:
        return 0.0
    above, below = (float(side @ position) / size for side, size in zip(sides, sizes, strict=True))
    return (1 - abs(sizes[0] - sizes[1]) / float(np.sum(count))) * (above - below) / width


def delta_interval(
    statistic: Callable[[FloatArray], float], count: FloatArray | IntArray, confidence: float = 0.95
) -> tuple[float, float]:
    """Return an interval for a smooth statistic of shares, when users were drawn at random.

    Formula: f(w) -+ z sqrt((sum_i w_i g_i**2 - (sum_i w_i g_i)**2) / n), g the gradient of f at w = count / n by
    central differences.

    Parameters: statistic of an array of shares, or of counts whose scale does not matter, (G,); count of users, (G,);
    confidence in (0, 1). Returns (low, high). Not for the dip, which has no gradient. Source: the delta method for a
    multinomial sample, Bishop, Fienberg and Holland (1975).

    >>> low, high = delta_interval(reynal_querol, np.array([600, 400]))
    >>> round(low, 3), round(high, 3)
    (0.936, 0.984)
    """
    from scipy.special import ndtri

    n = float(np.sum(count))
    share, size = count / n, 1e-6
    steps = np.eye(len(share)) * size
    gradient = np.array([(statistic(share + step) - statistic(np.abs(share - step))) / (2 * size) for step in steps])
    held = share > 0
    variance = float(share[held] @ gradient[held] ** 2 - (share[held] @ gradient[held]) ** 2) / n
    half = float(ndtri(0.5 + confidence / 2)) * float(np.sqrt(max(0.0, variance)))
    value = statistic(share)
    return value - half, value + half


def bootstrap_interval(
    statistic: Callable[[FloatArray], float],
    count: FloatArray | IntArray,
    draws: int = 200,
    seed: int = 1,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Return an interval for any statistic of counts, when users were drawn at random: also where it has no gradient.

    Formula: the quantiles of f over `draws` multinomial counts of n users with shares count / n.

    Parameters: statistic of counts, (G,); count of users, (G,); draws; seed of the resampling; confidence in (0, 1).
    Returns (low, high). Source: Efron and Tibshirani (1993).

    >>> low, high = bootstrap_interval(agreement, np.array([30, 40, 30]))
    >>> low < agreement(np.array([30, 40, 30])) < high
    True
    """
    n = int(np.sum(count))
    share = np.asarray(count, float) / n
    resampled = np.random.default_rng(seed).multinomial(n, share, draws)
    low, high = np.quantile([statistic(one) for one in resampled], [0.5 - confidence / 2, 0.5 + confidence / 2])
    return float(low), float(high)


def dip_test(count: FloatArray | IntArray, draws: int = 99, seed: int = 1) -> float:
    """Return how often users spread evenly over the bins have a dip as large as these: the p-value of a single peak.

    Formula: (1 + |{i: dip_i >= dip}|) / (draws + 1), dip_i of multinomial counts with equal shares, the single-peaked
    law that is hardest to tell from two.

    Parameters: count, users in B >= 2 neighbouring bins; draws; seed. Returns a number in (0, 1]; small: more than
    one peak. Source: Hartigan and Hartigan (1985), https://doi.org/10.1214/aos/1176346577.

    >>> dip_test(np.array([50, 0, 50]), 19)
    0.05
    """
    n, bins, found = int(np.sum(count)), len(count), dip(count)
    null = np.random.default_rng(seed).multinomial(n, np.full(bins, 1 / bins), draws)
    return (1 + sum(dip(one) >= found - 1e-12 for one in null)) / (draws + 1)
