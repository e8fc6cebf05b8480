"""Hand blocks of users to a pool of workers and take what they leave behind. It knows blocks, not maths."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Any, TypeVar

Block = tuple[int, int]
LOOK_EVERY = 0.1
Found = TypeVar("Found")


def blocks_of(users: int, block: int) -> Iterator[Block]:
    """Yield (first user, number of users) of every block, in order."""
    for first in range(0, users, block):
        yield first, min(block, users - first)


def run_blocks(
    pool: Executor,
    plan: Any,
    todo: Iterable[Block],
    in_flight: Callable[[], int],
    stopped: Callable[[], bool] = lambda: False,
    arguments: tuple[Any, ...] = (),
    *,
    run: Callable[..., Found],
) -> Iterator[Found]:
    """Yield what every block leaves behind as it finishes, in whatever order.

    Parameters: pool; plan, or the pool's handle of one; todo; in_flight, how many blocks to give out at most at a
    time; stopped, looked at several times a second: once true, no block is begun any more and those begun are still
    yielded; arguments, passed to `run` after the block; run, called with the plan and a block. Raises what a block
    raises, after dropping those not begun.
    """
    waiting = iter(todo)
    running: set[Future[Found]] = set()
    try:
        while True:
            while len(running) < in_flight() and not stopped() and (block := next(waiting, None)):
                running.add(pool.submit(run, plan, *block, *arguments))
            if not running:
                return
            if stopped():
                running = {future for future in running if not future.cancel()}
            finished, running = wait(running, LOOK_EVERY, FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    finally:
        for future in running:
            future.cancel()
