"""The arrays engine: any recommender and any people that keep the contract, in NumPy."""

from mirrorfield.engine.arrays import run_block
from mirrorfield.engine.checks import check_people, check_recommender

__all__ = ["check_people", "check_recommender", "run_block"]
