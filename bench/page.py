"""Visitors at once in front of one server: does anything get lost, and how long do they wait?

Usage: uv run python bench/page.py [--visitors N] [--seconds S] Starts `mirrorfield serve` and opens N websockets in
another process of this machine. Every visitor lets the autopilot react 30 times a second, as a page at 30 frames a
second does, and counts posts: each answer must have one more. Prints the gaps between answers.
"""

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import sys
import time

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


def main() -> None:
    """Print how long visitors waited from one answer to the next."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "mirrorfield", "serve", "--port", str(port)], stdout=subprocess.DEVNULL
    )
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        address = f"ws://127.0.0.1:{port}/live"
        asyncio.run(everyone(address, 1, 1.0))
        gaps = asyncio.run(everyone(address, asked.visitors, asked.seconds))
    finally:
        server.terminate()
    cuts = statistics.quantiles(gaps, n=100)
    print(f"{asked.visitors} visitors, {len(gaps):,} answers, none lost")
    print(f"gap: median {1000 * cuts[49]:.1f} ms, p95 {1000 * cuts[94]:.1f} ms, p99 {1000 * cuts[98]:.1f} ms")


if __name__ == "__main__":
    main()
