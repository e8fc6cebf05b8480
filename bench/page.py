"""What the page costs: visitors at once, crowds of three sizes, and a browser in front of it.

Usage: uv run python bench/page.py [--visitors N] [--seconds S] [--crowds] [--browser]

Starts `mirrorfield serve` and opens N websockets in another process of this machine. Every visitor lets the autopilot
react 30 times a second, as a page at 30 frames a second does, and counts posts: each answer must have one more. Prints
the gaps between answers, and the memory of the server. With --crowds, the time on one core of a post and of a frame,
and the memory, of crowds of each size. With --browser, weight of the first load, time until the page can be used, and
frames a second of 20,000 dots, in a chromium with software rendering.
"""

import argparse
import asyncio
import gzip
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

import psutil
from websockets.asyncio.client import connect

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
def served() -> Iterator[tuple[int, psutil.Process]]:
    """Yield port and process of a server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "mirrorfield", "serve", "--port", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.1)
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


def browser(port: int) -> None:
    """Print what a first load weighs, when the page can be used, and how many frames a second it draws."""
    from playwright.sync_api import sync_playwright

    static = resources.files("mirrorfield.server") / "static"
    weight = sum(len(gzip.compress(file.read_bytes())) for file in static.iterdir() if file.is_file())
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page, loads = opened.new_page(viewport={"width": 1280, "height": 1000}), []
        for _ in range(6):
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_selector("article")
            loads.append(page.evaluate("performance.now()"))
        page.locator("#scale").scroll_into_view_if_needed()
        page.locator("#crowd-t").wait_for(timeout=90_000)
        page.get_by_label("posts a frame").select_option("1")
        page.get_by_role("button", name="Play").click()
        page.wait_for_timeout(1000)
        first = int(page.locator("#crowd-t").inner_text().replace(",", ""))
        page.wait_for_timeout(5000)
        frames = int(page.locator("#crowd-t").inner_text().replace(",", "")) - first
        opened.close()
    ready = statistics.median(loads[1:])
    print(f"first load {weight / 1000:.1f} kB compressed; usable after {ready:.0f} ms, median of 5")
    print(f"20,000 dots: {frames / 5:.1f} frames a second, one post a frame, software rendering")


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--crowds", action="store_true")
    parser.add_argument("--browser", action="store_true")
    asked = parser.parse_args()
    if asked.crowds:
        crowds()
    with served() as (port, process):
        if asked.browser:
            browser(port)
        visitors(port, process, asked.visitors, asked.seconds)


if __name__ == "__main__":
    main()
