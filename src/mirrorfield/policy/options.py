"""The alternatives a Rule chooses from, as whole numbers; the first of each is the off value, if there is one."""

from enum import IntEnum


class Returns(IntEnum):
    """What a post is credited with: its own reward, the session's rewards from it on, or a generalised advantage."""

    IMMEDIATE, SESSION, GAE = range(3)


class Baseline(IntEnum):
    """What a return is compared with."""

    WELFORD, NONE, WELFORD_INCLUSIVE, EXPONENTIAL, VALUE, GROUP_MEAN, LEAVE_ONE_OUT = range(7)


class Normalise(IntEnum):
    """Over what the spread of advantages is taken: not at all, a group, the session's posts, or a minibatch."""

    NONE, GROUP, BATCH, MINIBATCH = range(4)


class Leash(IntEnum):
    """Where the estimate of KL(pi || pi_ref) enters."""

    K2_IN_LOSS, K3_IN_LOSS, K3_TIMES_RHO, K1_IN_REWARD = range(4)


class Aggregate(IntEnum):
    """Whether the posts of a minibatch add up or are averaged."""

    SUM, MEAN = range(2)


def word_of(choice: IntEnum) -> str:
    """Return the word that stands for a choice in scenarios and messages.

    >>> word_of(Baseline.GROUP_MEAN)
    'group-mean'
    """
    return choice.name.lower().replace("_", "-")
