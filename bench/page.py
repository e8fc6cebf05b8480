"""What the page costs: visitors at once, crowds of three sizes, a browser in front of it, and others who are greedy.

Usage: uv run python bench/page.py [--visitors N] [--seconds S] [--crowds] [--browser] [--attack]

Starts `mirrorfield serve` and opens N websockets in another process of this machine. Every visitor lets the autopilot
react 30 times a second, as a page at 30 frames a second does, and counts posts: each answer must have one more. Prints
the gaps between answers, and the memory of the server. With --crowds, the time on one core of a post and of a frame,
and the memory, of crowds of each size. With --browser, weight of the first load, time until the page can be used, the
longest task of its thread, and what a frame of 20,000 dots costs it, in a chromium with software rendering. With
--attack, only how long a visitor waits for an answer and for the page, alone and then beside 200 half-open connections
and 20 sockets that send all they can.
"""

import argparse
import asyncio
import http.client
import itertools
import json
import multiprocessing
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect as connect_now

RATE = 30


async def visit(address: str, seconds: float) -> list[float]:
    """Return the gaps between one visitor's answers, in seconds; fail if a post is lost."""
    gaps: list[float] = []
    async with connect(address) as talk:
        await talk.recv()
        end, last, posts = time.monotonic() + seconds, time.monotonic(), 0
        while last < end:
            began = time.monotonic()
            await talk.send('{"type": "auto"}')
            posts += 1
            assert json.loads(await talk.recv())["t"] == posts, "a post was lost"
            await asyncio.sleep(max(0.0, 1 / RATE - (time.monotonic() - began)))
            gaps.append(time.monotonic() - last)
            last = time.monotonic()
    return gaps


async def everyone(address: str, visitors: int, seconds: float) -> list[float]:
    """Return the gaps of all visitors."""
    return [gap for gaps in await asyncio.gather(*(visit(address, seconds) for _ in range(visitors))) for gap in gaps]


@contextmanager
def served(*options: str) -> Iterator[tuple[int, psutil.Process]]:
    """Yield port and process of a server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "mirrorfield", "serve", "--port", str(port), *options]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert server.stdout is not None and server.stdout.readline(), "the server did not start"
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


def visitors(port: int, process: psutil.Process, count: int, seconds: float) -> None:
    """Print how long visitors waited from one answer to the next."""
    address = f"ws://127.0.0.1:{port}/live"
    asyncio.run(everyone(address, 1, 1.0))
    gaps = asyncio.run(everyone(address, count, seconds))
    cuts = statistics.quantiles(gaps, n=100)
    print(f"{count} visitors, {len(gaps):,} answers, none lost; server {process.memory_info().rss / 2**20:.0f} MiB")
    print(f"gap: median {1000 * cuts[49]:.1f} ms, p95 {1000 * cuts[94]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms")


AUTO, MILLION = '{"type": "auto", "posts": 200}', '{"type": "begin", "users": 1000000}'
STEPS = '{"type": "go", "posts": 200}'


async def half_open(port: int, source: str) -> None:
    """Begin a request and never end it; whenever the server ends it, begin another."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
            writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
            while await reader.read(65536):
                pass
            writer.close()
        except OSError:
            pass
        await asyncio.sleep(1.0)


async def greedy(port: int, path: str, said: list[str], pause: float, source: str) -> None:
    """Say something again and again, with or without waiting for what is answered; once refused, begin anew."""
    while True:
        try:
            address = f"ws://127.0.0.1:{port}/{path}"
            async with connect(address, local_addr=(source, 0), max_size=None, compression=None) as talk:
                hearing = asyncio.create_task(_hear(talk))
                for word in itertools.chain(said, itertools.repeat(said[-1])):
                    await talk.send(word)
                    await asyncio.sleep(pause)
                await hearing
        except (OSError, WebSocketException, TimeoutError, EOFError):
            await asyncio.sleep(0.5)


async def _hear(talk: ClientConnection) -> None:
    with suppress(WebSocketException):
        async for _ in talk:
            pass


async def _all_greedy(port: int) -> None:
    half = [half_open(port, f"127.0.0.{10 + i % 10}") for i in range(200)]
    talks = [greedy(port, "live", [AUTO], (0.0, 1 / 59)[i % 2], "127.0.0.2") for i in range(10)]
    crowds = [greedy(port, "crowd", [MILLION, STEPS], (0.0, 1 / 59)[i % 2], "127.0.0.2") for i in range(10)]
    await asyncio.gather(*half, *talks, *crowds)


def _attackers(port: int) -> None:
    asyncio.run(_all_greedy(port))


def page_load(port: int) -> float:
    """Return the seconds until page, script, style and first answers are there, as a browser asks for them."""
    began = time.monotonic()
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for path in ("/", "/page.js", "/page.css", "/api/about"):
        asked.request("GET", path)
        told = asked.getresponse()
        assert told.read() and told.status == 200, told.status
    asked.close()
    with connect_now(f"ws://127.0.0.1:{port}/live") as talk:
        talk.recv()
    return time.monotonic() - began


def answers(port: int, seconds: float) -> list[float]:
    """Return how long each answer took of a visitor on autopilot at 30 posts a second."""
    found, end = [], time.monotonic() + seconds
    with connect_now(f"ws://127.0.0.1:{port}/live") as talk:
        talk.recv()
        while time.monotonic() < end:
            began = time.monotonic()
            talk.send('{"type": "auto"}')
            talk.recv()
            found.append(time.monotonic() - began)
            time.sleep(max(0.0, 1 / RATE - found[-1]))
    return found


def _wait(name: str, port: int, seconds: float) -> None:
    loads = [page_load(port) for _ in range(10)]
    cuts = statistics.quantiles(answers(port, seconds), n=100)
    print(f"{name}: page {statistics.median(loads):.3f} s in the median of 10, {max(loads):.3f} s at most; ", end="")
    print(f"answer {1000 * cuts[49]:.1f} ms in the median, {1000 * cuts[94]:.1f} ms at the 95th percentile")


def attack(port: int, process: psutil.Process, seconds: float) -> None:
    """Print how long a visitor waits, alone and beside 200 half-open connections and 20 greedy sockets."""
    page_load(port)
    with connect_now(f"ws://127.0.0.1:{port}/crowd", max_size=None) as talk:
        talk.recv()
    _wait("alone", port, seconds)
    attackers = multiprocessing.get_context("spawn").Process(target=_attackers, args=(port,), daemon=True)
    attackers.start()
    try:
        time.sleep(5)
        for _ in range(3):
            _wait("attacked", port, seconds)
            print(f"  {len(process.net_connections())} sockets, {process.memory_info().rss / 2**20:.0f} MiB")
    finally:
        attackers.terminate()
        attackers.join()


def crowds() -> None:
    """Print what a post and a frame of a crowd cost in time of one core, and its memory."""
    from mirrorfield.server.crowd import SIZES, new_crowd, picture

    picture(new_crowd(1, 0.1))
    for users in SIZES:
        before = psutil.Process().memory_info().rss
        crowd = new_crowd(1, 0.1, users)
        crowd.advance(5)
        shown = picture(crowd)
        steps, frames = [], []
        for _ in range(20):
            began = time.process_time()
            crowd.advance(5)
            middle = time.process_time()
            shown = picture(crowd)
            steps.append((middle - began) / 5)
            frames.append(time.process_time() - middle)
        held = (psutil.Process().memory_info().rss - before) / 2**20
        step, frame = 1000 * statistics.median(steps), 1000 * statistics.median(frames)
        print(f"{users:,}: post {step:.2f} ms, frame {frame:.1f} ms, {len(shown.frame) / 1000:.0f} kB, {held:.0f} MiB")
        del crowd, shown


TRACED = ["toplevel", "v8", "gpu", "devtools.timeline"]
WATCH = """window.shift = 0;
new PerformanceObserver(list => list.getEntries().forEach(one => one.hadRecentInput || (shift += one.value)))
  .observe({ type: 'layout-shift', buffered: true });"""
SCROLL = """async () => { for (let i = 0; i < 120; i++) { window.scrollBy({ top: 12, behavior: 'instant' });
  await new Promise(done => requestAnimationFrame(done)); } }"""
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


def longest(events: list[dict[str, Any]]) -> tuple[float, float, float]:
    """Return the longest task of a page's main thread by the clock and by its CPU time, and the longest wait for GL.

    All in ms. Without a graphics processor another process draws what WebGL asks for, and the main thread waits until
    it can read the picture back.
    """
    own = next((one["pid"], one["tid"]) for one in events if one["name"] == "v8.evaluateModule")
    spans = [one for one in events if one.get("ph") == "X" and (one["pid"], one["tid"]) == own]
    tasks = [one for one in spans if one["name"] == "ThreadControllerImpl::RunTask"]
    waits = [one["dur"] for one in spans if one["name"] == "GLES2::ReadPixels"]
    by_clock, by_work = (max(one.get(name, 0) for one in tasks) / 1000 for name in ("dur", "tdur"))
    return by_clock, by_work, max(waits, default=0) / 1000


def traced(opened: Any, load: Callable[[], None]) -> list[dict[str, Any]]:
    """Return what Chromium traces while a page loads and for a second after."""
    session, events, ended = opened.new_browser_cdp_session(), list[dict[str, Any]](), list[Any]()
    session.on("Tracing.dataCollected", lambda told: events.extend(told["value"]))
    session.on("Tracing.tracingComplete", lambda told: ended.append(told))
    session.send("Tracing.start", {"traceConfig": {"includedCategories": TRACED}, "transferMode": "ReportEvents"})
    load()
    session.send("Tracing.end")
    while not ended:
        opened.contexts[-1].pages[-1].wait_for_timeout(50)
    return events


def browser(port: int) -> None:
    """Print what a first load weighs, when the page can be used, what jumps, and what a frame of the crowd costs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        weights, loads, tasks = dict[str, int](), list[float](), list[tuple[float, float, float]]()
        for number in range(6):
            page = opened.new_page(viewport={"width": 1280, "height": 900})
            page.on("response", lambda told: weights.update({told.url: int(told.all_headers()["content-length"])}))
            page.add_init_script(WATCH)

            def load(page: Any = page) -> None:
                page.goto(f"http://127.0.0.1:{port}/")
                page.locator(".phone article:not([aria-busy])").wait_for()
                loads.append(page.evaluate("performance.now()"))
                page.wait_for_timeout(1000)

            tasks.append(longest(traced(opened, load)))
            if number < 5:
                page.close()
        page.locator(".later").first.scroll_into_view_if_needed()
        page.locator("#crowd").scroll_into_view_if_needed()
        page.wait_for_timeout(3000)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")

        def spent() -> float:
            told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
            return float(sum(told[name] for name in WORK))

        before = spent()
        page.evaluate(SCROLL)
        frame = (spent() - before) / 120
        shift = page.evaluate("shift")
        opened.close()
    first = sum(size for address, size in weights.items() if "/recorded/" not in address)
    ready = statistics.median(loads[1:])
    beside = sum(weights.values()) - first
    print(f"first load {first / 1000:.1f} kB as served, the opening's recordings {beside / 1000:.1f} kB beside")
    print(f"usable after {ready:.0f} ms, median of 5, traced; shift {shift:.3f}")
    names = "longest task by the clock", "longest task by its CPU time", "longest wait for software GL"
    for name, each in zip(names, zip(*tasks[1:], strict=True), strict=True):
        print(f"{name}: {min(each):.0f} to {max(each):.0f} ms, median {statistics.median(each):.0f}")
    print(f"a frame of 20,000 recorded dots while scrolling: {1000 * frame:.2f} ms of script, style and layout")


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--crowds", action="store_true")
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--attack", action="store_true")
    asked = parser.parse_args()
    if asked.attack:
        with served() as (port, process):
            attack(port, process, asked.seconds)
        return
    if asked.crowds:
        crowds()
    with served("--per-address", "1000") as (port, process):
        if asked.browser:
            browser(port)
        visitors(port, process, asked.visitors, asked.seconds)


if __name__ == "__main__":
    main()
