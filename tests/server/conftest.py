"""A server and a browser for the tests of the page; they are skipped where there is no chromium."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
PATIENCE = 600_000  # milliseconds for a condition that has to come, on however slow a machine


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def serve(port: int) -> "subprocess.Popen[bytes]":
    """Start a server, and return once it listens."""
    server = subprocess.Popen(
        [sys.executable, "-m", "mirrorfield", "serve", "--port", str(port), "--per-address", "1000"],
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None and server.stdout.readline()
    return server


def end(server: "subprocess.Popen[bytes]") -> None:
    """End a server and wait for it."""
    server.terminate()
    server.communicate()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """The address of a server that runs for all tests of a worker."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine; install it to run the page's tests")
    port = free_port()
    server = serve(port)
    yield f"http://127.0.0.1:{port}/"
    end(server)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine; install it to run the page's tests")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open pages; whatever one of them says on its console, and every error, fails the test."""
    pages: list[Any] = []
    said: list[str] = []

    def open_page(address: str, *, quiet: bool = True, **settings: Any) -> Any:
        page = browser.new_page(**({"viewport": {"width": 1280, "height": 900}} | settings))
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        if quiet:
            page.on("console", lambda message: said.append(message.text) if "GL Driver" not in message.text else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address)
        page.locator(".phone article:not([aria-busy])").wait_for()
        return page

    yield open_page
    for page in pages:
        page.close()
    assert said == []
