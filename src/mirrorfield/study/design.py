"""Where to look: the points of a sweep."""

import math
from itertools import product
from typing import Annotated, Any

import numpy as np
from pydantic import Field, model_validator

from mirrorfield.arrays import FloatArray
from mirrorfield.errors import InputError
from mirrorfield.population.base import Frozen


class Axis(Frozen):
    """The values of one setting, or its range: on a logarithmic scale if `log`, rounded if `integer`."""

    values: Annotated[tuple[float, ...], Field(min_length=1)] | None = None
    low: float | None = None
    high: float | None = None
    log: bool = False
    integer: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> "Axis":
        if (self.values is None) == (self.low is None) or (self.low is None) != (self.high is None):
            raise ValueError("expected either values, or low and high")
        if self.low is not None and self.high is not None and not (self.low < self.high):
            raise ValueError(f"expected low below high, got {self.low:g} and {self.high:g}")
        if not all(map(math.isfinite, (*(self.values or ()), self.low or 0.0, self.high or 0.0))):
            raise ValueError("expected finite numbers")
        if self.log and (self.low is None or self.low <= 0):
            raise ValueError("log: expected a range above 0")
        return self

    def at(self, u: FloatArray) -> FloatArray:
        """Return the values at shares u of the range, in [0, 1]."""
        low, high = float(self.low or 0.0), float(self.high or 0.0)
        placed = np.exp(np.log(low) + u * np.log(high / low)) if self.log else low + u * (high - low)
        return np.asarray(np.rint(placed) if self.integer else placed)


def salib() -> Any:
    """Return the SALib package, or raise InputError saying how to get it."""
    try:
        import SALib.analyze.sobol
        import SALib.sample.sobol
    except ImportError:
        raise InputError(
            'sweep: method "sobol" needs SALib; install it with: pip install "mirrorfield[sweep]"'
        ) from None
    return SALib


def problem(axes: dict[str, Axis]) -> dict[str, Any]:
    """Return the axes as SALib describes them, every range as [0, 1]."""
    return {"num_vars": len(axes), "names": list(axes), "bounds": [[0.0, 1.0]] * len(axes)}


def design_of(method: str, axes: dict[str, Axis], samples: int, seed: int) -> FloatArray:
    """Return the points of a design.

    Parameters: method, "grid", "latin-hypercube" or "sobol"; axes, D of them; samples and seed of the last two.
    Returns shape (P, D): all combinations with the last axis fastest, or `samples` points, or samples (D + 2). Raises
    InputError without SALib. Source: McKay et al. (1979), https://doi.org/10.2307/1268522; Saltelli et al. (2010).

    >>> design_of("grid", {"a": Axis(values=(1, 2)), "b": Axis(values=(5, 6))}, 1, 1).tolist()
    [[1.0, 5.0], [1.0, 6.0], [2.0, 5.0], [2.0, 6.0]]
    """
    if method == "grid":
        return np.array(list(product(*(axis.values or () for axis in axes.values()))), float)
    if method == "sobol":
        u = salib().sample.sobol.sample(problem(axes), samples, calc_second_order=False, seed=seed)
    else:
        from scipy.stats import qmc

        u = qmc.LatinHypercube(len(axes), rng=np.random.default_rng(seed)).random(samples)
    return np.column_stack([axis.at(u[:, d]) for d, axis in enumerate(axes.values())])
