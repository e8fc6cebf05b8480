"""What holds for every test: a busy machine makes it slow, never wrong, and so does a shell that starts it behind."""

import ctypes
import os
import signal
import time
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

# On the small matrices of tests the threads of a BLAS mostly wait for each other, which took six times the processor
# time: here, where a plugin has loaded NumPy already, and in libraries and processes that are loaded from here on.
threadpool_limits(1, user_api="blas")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MALLOC_ARENA_MAX", "2")  # glibc keeps what threads have freed, apart for each

settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A shell lets what it starts in the background ignore Ctrl-C, which tests of Ctrl-C send to themselves.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


WAIT = 300  # seconds for another worker to compile the kernel; who has waited longer compiles too
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
compiling: list[pytest.Item] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: a long test that begins last would leave the other workers idle.

    First of all comes what compiles into a cache of its own and, where the second worker begins, what compiles for all
    others: in a process of its own, so that no worker keeps the compiler's memory.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def late(item: pytest.Item) -> tuple[bool, float, bool]:
        marker = item.get_closest_marker("slow")
        seconds = marker.args[0] if marker and marker.args else 0
        return item.get_closest_marker("cold") is None, -seconds, item.path not in slow

    items.sort(key=late)
    warm = [item for item in items if item.get_closest_marker("warm")]
    others = [item for item in items if item not in warm]
    first = len(items) // WORKERS if WORKERS > 1 else 0
    items[:] = [*others[:first], *warm, *others[first:]]
    compiling[:] = [*warm, *(item for item in others if item.get_closest_marker("cold"))]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let a worker wait for the kernel where another one compiles it."""
    if WORKERS > 1 and len(compiling) > 1 and item not in compiling:
        wait_for_kernel()


@cache
def wait_for_kernel() -> None:
    """Wait until both loops are in the cache of compiled code, or have been awaited for long."""
    from mirrorfield.kernel.jit import INTERPRETED, cache_folder

    folder, began = cache_folder(), time.monotonic()
    while folder and not INTERPRETED and time.monotonic() - began < WAIT:
        if len(list(folder.rglob("*.run_users-*.nbi"))) > 1:
            return
        time.sleep(0.1)


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Give back to the system what a file of tests has freed, where its C library can; big arrays would pile up."""
    if nextitem is None or nextitem.path != item.path:
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
