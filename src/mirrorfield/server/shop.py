"""Work away from the event loop: in a few threads, in slices, and fairly."""

import asyncio
import math
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")
Sliced = Generator[None, None, T]
FORGOTTEN = 2.0


@dataclass(eq=False)
class Share:
    """The seconds of work that one visitor has had of late; what is older counts e times less every two seconds."""

    seconds: float = 0.0
    at: float = field(default_factory=time.monotonic)

    def now(self) -> float:
        """Return the seconds that count now."""
        moment = time.monotonic()
        self.seconds *= math.exp((self.at - moment) / FORGOTTEN)
        self.at = moment
        return self.seconds


class Job(NamedTuple):
    """Work for a visitor, and where its result goes."""

    share: Share
    work: Sliced[Any]
    result: asyncio.Future[Any]


def whole(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Sliced[T]:
    """Return a call as work of one slice."""
    return call(*args, **kwargs)
    yield


class Shop:
    """A few threads that do work slice by slice; of those who wait, whoever has had the least of late comes next.

    A visitor waits for its result before it asks again, so there are never more jobs than visitors. The threads do not
    keep the process alive: it may end in the middle of a slice.
    """

    def __init__(self, threads: int) -> None:
        self._free = self._threads = threads
        self._waiting: list[Job] = []
        self._slices: SimpleQueue[Job] = SimpleQueue()

    async def do(self, share: Share, work: Sliced[T]) -> T:
        """Return the result of some work, or raise what it raises."""
        job = Job(share, work, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._hand_out()
        return await job.result  # type: ignore[no-any-return]

    def _hand_out(self) -> None:
        self._waiting = [job for job in self._waiting if not job.result.done()]
        while self._free and self._waiting:
            job = min(self._waiting, key=lambda one: one.share.now())
            self._waiting.remove(job)
            self._free -= 1
            if self._threads:
                self._threads -= 1
                Thread(target=self._work, daemon=True).start()
            self._slices.put(job)

    def _work(self) -> None:
        while True:
            job = self._slices.get()
            began = time.monotonic()
            ended, value, error = True, None, None
            try:
                next(job.work)
                ended = False
            except StopIteration as end:
                value = end.value
            except Exception as found:
                error = found
            with suppress(RuntimeError):  # the loop may have ended meanwhile
                back = job.result.get_loop().call_soon_threadsafe
                back(self._back, job, time.monotonic() - began, ended, value, error)

    def _back(self, job: Job, seconds: float, ended: bool, value: Any, error: Exception | None) -> None:
        job.share.seconds = job.share.now() + seconds
        self._free += 1
        if not ended:
            self._waiting.append(job)
        elif not job.result.done():
            job.result.set_exception(error) if error else job.result.set_result(value)
        self._hand_out()


class Shops(NamedTuple):
    """Where answers come from: those of mirrors, those of crowds, and rules that may have to be compiled first."""

    quick: Shop
    crowds: Shop
    rules: Shop
