"""What holds for every test: a busy machine makes it slow, never wrong, and so does a shell that starts it behind."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

# On the small matrices of tests the threads of a BLAS mostly wait for each other, which took six times the processor
# time: here, where a plugin has loaded NumPy already, and in libraries and processes that are loaded from here on.
threadpool_limits(1, user_api="blas")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A shell lets what it starts in the background ignore Ctrl-C, which tests of Ctrl-C send to themselves.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with files that have slow tests: a long test that begins last would leave the other worker idle.

    First of all comes what compiles into a cache of its own, while the other worker compiles what all others use.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.get_closest_marker("cold") is None, item.path not in slow))
