"""`mirrorfield fit`."""


def fit() -> None:
    """Turn an interaction log into reaction profiles."""
