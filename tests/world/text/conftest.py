"""What tests of texts share."""

from collections.abc import Iterator

import pytest

from mirrorfield.world.text.weights import load_encoder


@pytest.fixture(scope="package", autouse=True)
def forgotten_weights() -> Iterator[None]:
    """Let nobody keep the encoder's weights, of 90 MB, when these tests are over."""
    yield
    load_encoder.cache_clear()
