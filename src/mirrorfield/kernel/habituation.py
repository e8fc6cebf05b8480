"""What a post does to a person: a reaction, scaled by its intensity against their floor, and the floor moved by it."""

from typing import Any

from mirrorfield.kernel.jit import lanewise
from mirrorfield.maths import F32
from mirrorfield.model.habituation import moved_floor, strength
from mirrorfield.model.profile import reaction
from mirrorfield.policy.baseline import welford
from mirrorfield.policy.reinforce import advantage
from mirrorfield.streams import U32


@lanewise
def feel(mean: Any, std: Any, state: Any, arm: Any, noise: Any, cell: Any, reacted: Any) -> None:
    """Find the cell of a post, and the reaction to it."""
    arms = F32(len(mean) // 3)
    for j in range(len(arm)):
        place = state[j] * arms + arm[j]
        i = U32(place)
        cell[j] = place
        reacted[j] = reaction(mean[i, j], std[i, j], noise[j])


@lanewise
def habituate(levels: Any, arm: Any, floor: Any, slope: Any, inverse_width: Any, level: Any, reacted: Any) -> None:
    """Look up the intensity of what is shown, and scale the reaction by it; levels, (K,)."""
    for j in range(len(arm)):
        x = levels[U32(arm[j])]
        level[j] = x
        reacted[j] = reacted[j] * strength(floor[j], x, slope, inverse_width)


@lanewise
def move_floor(level: Any, eta: Any, decay: Any, floor: Any) -> None:
    """Move everyone's floor towards what they were shown."""
    for j in range(len(floor)):
        floor[j] = moved_floor(floor[j], level[j], eta, decay)


@lanewise
def take_in(reaction: Any, inverse_count: Any, mean: Any, lost: Any) -> None:
    """Take a reaction into a running mean."""
    for j in range(len(mean)):
        x = advantage(reaction[j], mean[j])
        mean[j], lost[j] = welford(mean[j], lost[j], x, inverse_count)
