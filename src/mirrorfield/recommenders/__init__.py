"""Recommenders to run and to copy, each of them a few lines of NumPy that keep the contract."""

from mirrorfield.recommenders.bpr import BPR
from mirrorfield.recommenders.epsilon_greedy import EpsilonGreedy
from mirrorfield.recommenders.popularity import Popularity
from mirrorfield.recommenders.random import Random
from mirrorfield.recommenders.reinforce import Reinforce
from mirrorfield.recommenders.rules import boltzmann_q, exp3, tracked_means
from mirrorfield.recommenders.thompson import Thompson
from mirrorfield.recommenders.ucb import UCB
from mirrorfield.recommenders.update import UpdateRule, update_rule

__all__ = [
    "BPR",
    "UCB",
    "EpsilonGreedy",
    "Popularity",
    "Random",
    "Reinforce",
    "Thompson",
    "UpdateRule",
    "boltzmann_q",
    "exp3",
    "tracked_means",
    "update_rule",
]
