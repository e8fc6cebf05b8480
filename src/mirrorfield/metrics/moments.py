"""The mergeable form of every metric that is a mean over users: drift, miscalibration, slope, induced shift."""

from dataclasses import dataclass

import numpy as np

from mirrorfield.arrays import FloatArray


@dataclass(frozen=True)
class Moments:
    """How many users, the mean of a number of each, and the sum of squares around it."""

    users: int
    mean: float
    squares: float

    @classmethod
    def of(cls, values: FloatArray) -> "Moments":
        """Return the moments of one number for each user, floats of shape (n,), n >= 1."""
        mean = float(np.mean(values))
        return cls(len(values), mean, float(((values - mean) ** 2).sum()))

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of both groups of users.

        Formula: n = n_1 + n_2, mean = mean_1 + d n_2/n, M = M_1 + M_2 + d^2 n_1 n_2/n, d = mean_2 - mean_1.

        Source: Chan, Golub and LeVeque (1983), https://doi.org/10.1080/00031305.1983.10483115.

        >>> Moments.of(np.array([1.0, 2.0])).merge(Moments.of(np.array([6.0]))).mean
        3.0
        """
        users, apart = self.users + other.users, other.mean - self.mean
        squares = self.squares + other.squares + apart**2 * self.users * other.users / users
        return Moments(users, self.mean + apart * other.users / users, squares)

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return Student's interval for the population's mean, when two users or more were drawn at random."""
        from scipy.special import stdtrit

        error = np.sqrt(self.squares / (self.users - 1) / self.users)
        half = float(stdtrit(self.users - 1, 0.5 + confidence / 2) * error)
        return self.mean - half, self.mean + half
