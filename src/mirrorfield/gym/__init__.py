"""Gymnasium environments: an agent is the recommender of one person, or of n people at once (extra `gym`)."""

from mirrorfield.errors import InputError

try:
    import gymnasium
except ImportError:
    raise InputError("gym: expected the extra to be installed; run: pip install 'mirrorfield[gym]'") from None

from mirrorfield.gym.feed import Feed, FeedVector
from mirrorfield.gym.policy import Trained

FEED = "mirrorfield/Feed-v0"

if FEED not in gymnasium.registry:
    place = "mirrorfield.gym.feed"
    gymnasium.register(FEED, entry_point=f"{place}:Feed", vector_entry_point=f"{place}:FeedVector")

__all__ = ["FEED", "Feed", "FeedVector", "Trained"]
