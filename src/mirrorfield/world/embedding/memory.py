"""What a run needs in memory, refused before anything is allocated."""

from mirrorfield.arrays import S
from mirrorfield.errors import InputError
from mirrorfield.population.embedding import EmbeddingScenario
from mirrorfield.population.run import recorded_steps
from mirrorfield.world.embedding.kernel import BLOCK


def memory_needed(scenario: EmbeddingScenario) -> int:
    """Return the most memory that a run takes beside the program, in bytes.

    People and their last pages are there once, and three times more while a checkpoint is written; beside them are
    everyone's first interest, the sums of the blocks, the items (once more in float64), and what is recorded, twice.

    >>> memory_needed(EmbeddingScenario()) // 2**20
    11
    """
    n, d, k = scenario.users, scenario.dimension, scenario.k
    people = 4 * n * (2 * d + k + 13 + scenario.policy.slate)
    sums = 8 * -(-n // BLOCK) * (S + d) * d
    items = 4 * scenario.items.count * (4 * d + k)
    measured, steps = min(n, scenario.record.users), len(recorded_steps(scenario.steps, scenario.record.steps))
    return 4 * people + 4 * n * d + sums + items + 8 * steps * measured * (k + 3)


def check_memory(scenario: EmbeddingScenario) -> None:
    """Raise InputError for a run that does not fit in free memory."""
    import psutil

    needed, free = memory_needed(scenario), psutil.virtual_memory().available
    if needed > free:
        most = max(1, scenario.users * free // needed)
        raise InputError(
            f"{scenario.users:,} users in {scenario.dimension} dimensions need about {needed / 2**30:.1f} GiB of "
            f"memory and {free / 2**30:.1f} GiB is free; ask for at most {most:,} users, fewer dimensions, or a "
            "smaller record.users"
        )
