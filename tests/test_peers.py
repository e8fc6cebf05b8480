"""The loop, the diet and the folded figures, written again twice in NumPy by way of `bench/`, agree with the kernel.

A third and fourth text beside the theory and the arrays engine: other arrays, other random numbers, no line in common.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
import peers_mirrorfield
import peers_numpy
import peers_numpy_rows
from peers import distances
from peers_model import Model

MODELS = [Model(30_000, 100, 4), Model(10_000, 30, 6)]


@pytest.mark.slow
@pytest.mark.parametrize("peer", [peers_numpy, peers_numpy_rows], ids=["users last", "users first"])
@pytest.mark.parametrize("model", MODELS, ids=["4 categories", "6 categories"])
def test_a_peer_in_numpy_finds_what_the_kernel_finds(peer, model: Model) -> None:
    ours = peers_mirrorfield.figures(peers_mirrorfield.prepare(model)(5), model)
    theirs = peer.figures(peer.prepare(model)(5), model)
    far = distances(theirs, ours, model.users)
    assert max(far.values()) < 4, far  # of some 200 numbers, one beyond 4 standard errors has a chance of 1 in 80
