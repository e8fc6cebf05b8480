"""Work in slices: fair, in order, and away from the loop."""

import asyncio
import threading

import pytest

from mirrorfield.server.messages import Auto
from mirrorfield.server.mirror import Mirror, Settings
from mirrorfield.server.shop import Share, Shop, whole
from mirrorfield.server.talk import SLICE, answer


def test_whoever_had_the_least_comes_next() -> None:
    order: list[str] = []
    began, go = threading.Event(), threading.Event()

    def work(name: str, slices: int):
        for _ in range(slices):
            began.set()
            go.wait()
            order.append(name)
            yield
        return name

    async def main() -> list[str]:
        shop = Shop(1)
        greedy = [asyncio.create_task(shop.do(Share(1e6), work("greedy", 30))) for _ in range(20)]
        await asyncio.to_thread(began.wait)
        modest = asyncio.create_task(shop.do(Share(), work("modest", 3)))
        await asyncio.sleep(0)
        go.set()
        return [await modest, *await asyncio.gather(*greedy)]

    assert asyncio.run(main()) == ["modest"] + 20 * ["greedy"]
    assert order[1:4] == 3 * ["modest"] and len(order) == 603


def test_the_loop_goes_on_while_work_is_done() -> None:
    go = threading.Event()

    async def main() -> bool:
        working = asyncio.create_task(Shop(1).do(Share(), whole(go.wait)))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not working.done()
        go.set()
        return await working

    assert asyncio.run(main())


def test_errors_come_back_and_who_has_left_holds_no_thread() -> None:
    began, go, done = threading.Event(), threading.Event(), []

    def slow():
        began.set()
        go.wait()
        yield
        done.append("nobody waits for this")

    async def main() -> int:
        shop = Shop(1)
        with pytest.raises(ZeroDivisionError):
            await shop.do(Share(), whole(divmod, 1, 0))
        left = asyncio.create_task(shop.do(Share(), slow()))
        await asyncio.to_thread(began.wait)
        left.cancel()
        go.set()
        return await shop.do(Share(), whole(int, "7"))

    assert asyncio.run(main()) == 7 and done == []


def test_a_long_answer_is_cut_into_slices() -> None:
    work = answer(Mirror(Settings()), Auto(type="auto", posts=2 * SLICE + 1))
    assert next(work) is None and next(work) is None
    mirror, said = asyncio.run(Shop(1).do(Share(), work))
    assert mirror.t == 2 * SLICE + 1 and said.startswith('{"type": "view"')
