"""People for the arrays engine: those of the scenario, and models to copy for people of your own."""

from mirrorfield.people.markov import Crowd, Markov
from mirrorfield.people.satiation import Satiated

__all__ = ["Crowd", "Markov", "Satiated"]
