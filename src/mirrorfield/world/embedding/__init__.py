"""People and items as vectors, and one policy for all of them; docs/embedding.md."""

from mirrorfield.world.embedding.run import EmbeddingRun, simulate
from mirrorfield.world.embedding.scenario import EmbeddingScenario

__all__ = ["EmbeddingRun", "EmbeddingScenario", "simulate"]
