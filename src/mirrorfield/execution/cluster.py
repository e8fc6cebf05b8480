"""A pool of Dask workers: the same blocks, run by other processes or other machines.

A block is an idempotent task of its own. The client hands out a few per worker and takes each part as it finishes, so
neither the scheduler nor the client ever holds more than those. What a lost worker was doing runs again elsewhere.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from mirrorfield.errors import ClusterError, InputError
from mirrorfield.execution.pools import Pool
from mirrorfield.version import VERSION, source_digest

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local:"
REMOTE = ("tcp://", "tls://", "ucx://", "ws://", "wss://")
BLOCKS_PER_THREAD = 3
LOOK_EVERY = 1.0
WAIT_FOR_SCHEDULER = 10
WAIT_FOR_WORKERS = 300
Sources = tuple[str, str]


def parse_address(address: str) -> int | str:
    """Return the number of processes in local:N, or the address of a scheduler; raise InputError for neither.

    >>> parse_address("local:2")
    2
    """
    count = address.removeprefix(LOCAL)
    if address.startswith(LOCAL) and count.isdecimal() and int(count) > 0:
        return int(count)
    if address.startswith(REMOTE):
        return address
    raise InputError(f'dask: expected "local:2" (processes on this machine) or "tcp://scheduler:8786", got "{address}"')


def sources() -> Sources:
    """Return the version of this package and the digest of the sources that decide results."""
    return VERSION, source_digest()


def same_plan(plan: Any) -> Any:
    """Return the plan: as a task, it can be made again when the workers that held it are lost."""
    return plan


def run_checked(expected: Sources, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a worker; raise InputError if the worker's sources are not the client's."""
    check_sources("this worker", sources(), expected)
    return function(*arguments)


def check_sources(worker: str, found: Sources, expected: Sources) -> None:
    """Raise InputError, naming the worker, if its sources are others."""
    if found != expected:
        raise InputError(
            f"dask: {worker} runs mirrorfield {found[0]} with sources {found[1]}, this process {expected[0]} with "
            f"{expected[1]}; install the same version everywhere"
        )


def ignore_interrupts() -> None:
    """Let Ctrl-C reach the client only, which then waits for the blocks that are running."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class ClusterExecutor(Executor):
    """The executor of a client; a task cannot be taken back once submitted, so a run that stops loses none."""

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.expected = sources()
        self.tasks: dict[Future[Any], Any] = {}
        self.threads, self.looked = 0, 0.0

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Hand out one call."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        task = self.client.submit(run_checked, self.expected, function, *arguments, pure=False, **options)
        self.tasks[future] = task
        task.add_done_callback(lambda done: self._settle(future, done))
        return future

    def _settle(self, future: Future[Any], task: Any) -> None:
        try:
            future.set_result(task.result())
        except (Exception, asyncio.CancelledError) as error:
            future.set_exception(error)
        self.tasks.pop(future, None)

    def in_flight(self) -> int:
        """Return the number of blocks to hand out at a time; it follows workers that come and go."""
        if time.monotonic() - self.looked > LOOK_EVERY:
            self.threads, self.looked = sum(self.client.nthreads().values()), time.monotonic()
        return BLOCKS_PER_THREAD * max(self.threads, 1)


@contextmanager
def cluster_pool(plan: Any, address: str) -> Iterator[Pool]:
    """Yield a pool of the workers of a Dask cluster.

    Parameters: plan, or a scenario of the embedding world; address, local:N for N processes on this machine, or that of
    a scheduler. Raises InputError for another address, without the extra, and for workers with other sources;
    ClusterError if the scheduler cannot be reached or is lost, or if one block loses its worker again and again.
    """
    place = parse_address(address)
    try:
        from distributed import KilledWorker
        from distributed.comm import CommClosedError
    except ImportError:
        raise InputError("dask: expected the extra to be installed; run: pip install 'mirrorfield[dask]'") from None
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        client = stack.enter_context(_local(place)) if isinstance(place, int) else stack.enter_context(_remote(place))
        executor = ClusterExecutor(client)
        for worker, found in client.run(sources).items():
            check_sources(f"worker {worker}", found, executor.expected)
        try:
            yield Pool(executor, client.submit(same_plan, plan, pure=False), executor.in_flight)
        except KilledWorker as error:
            raise ClusterError(f"dask: one block has lost its worker several times: {error}") from None
        except (CancelledError, asyncio.CancelledError, CommClosedError, TimeoutError) as error:
            raise ClusterError(f"dask: the connection to {address} is lost ({type(error).__name__})") from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to one line what goes wrong: the library would log it with its own tracebacks."""
    library = logging.getLogger("distributed")
    before = library.level
    library.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        library.setLevel(before)


@contextmanager
def _local(processes: int) -> Iterator["Client"]:
    from distributed import Client, LocalCluster

    options = {
        "threads_per_worker": 1,
        "dashboard_address": None,
        "silence_logs": logging.CRITICAL,
        # Any free port for the scheduler's health page: 8787 may be another cluster's.
        "scheduler_kwargs": {"dashboard_address": "127.0.0.1:0"},
    }
    cluster = LocalCluster(n_workers=processes, processes=True, **options)
    with cluster, Client(cluster) as client:
        client.register_plugin(_plugin())
        yield client


def _plugin() -> Any:
    from distributed import WorkerPlugin

    class IgnoreInterrupts(WorkerPlugin):  # type: ignore[misc]
        def setup(self, worker: Any) -> None:
            ignore_interrupts()

    return IgnoreInterrupts()


@contextmanager
def _remote(address: str) -> Iterator["Client"]:
    from distributed import Client

    try:
        client = Client(address, timeout=WAIT_FOR_SCHEDULER)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(f"dask: no scheduler answers at {address} ({error}); is it running?") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT_FOR_WORKERS)
        except TimeoutError:
            raise ClusterError(f"dask: {address} had no worker for {WAIT_FOR_WORKERS} s; start some") from None
        yield client
