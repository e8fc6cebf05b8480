"""People and items as vectors, and one policy for all of them; docs/embedding.md."""

from mirrorfield.world.embedding.run import run_world

__all__ = ["run_world"]
