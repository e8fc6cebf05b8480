"""A server and a browser for the tests of the page; they are skipped where there is no chromium."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mirrorfield.server.mirror import Mirror

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
PATIENCE = 600_000  # milliseconds for a condition that has to come, on however slow a machine


class Server:
    """A server at a port of its own, which can be ended and started again."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        """Start, and return once it listens."""
        words = ["serve", "--port", str(self.port), "--per-address", "1000"]
        self._process = subprocess.Popen([sys.executable, "-m", "mirrorfield", *words], stdout=subprocess.PIPE)
        assert self._process.stdout is not None and self._process.stdout.readline()

    def end(self) -> None:
        """End, and wait for it."""
        self._process.terminate()
        self._process.communicate()


@pytest.fixture
def coming() -> Callable[[Mirror], int]:
    """The category of a mirror's next post: the post is run, and taken back."""

    def look(mirror: Mirror) -> int:
        held = mirror._held.rows, mirror._held.words
        copies = [array.copy() for array in held]
        category = mirror._advance()
        for array, copy in zip(held, copies, strict=True):
            array[:] = copy
        return category

    return look


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a server that runs for the tests of a file."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine; install it to run the page's tests")
    server = Server()
    yield server.address
    server.end()


@pytest.fixture
def own_server(browser: Any) -> Iterator[Server]:
    """A server of this test alone."""
    server = Server()
    yield server
    server.end()


@pytest.fixture(scope="module")
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
    """Open pages; whatever one of them says on its console, and every error, fails the test.

    With `clock`, the test may pause the page's time and let it go on, so that what is timed does not depend on the
    machine.
    """
    pages: list[Any] = []
    said: list[str] = []

    def open_page(address: str, *, quiet: bool = True, clock: bool = False, **settings: Any) -> Any:
        page = browser.new_page(**({"viewport": {"width": 1280, "height": 900}} | settings))
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        if quiet:
            page.on("console", lambda message: said.append(message.text) if "GL Driver" not in message.text else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        if clock:
            page.clock.install(time=0)
        page.goto(address)
        page.locator(".phone :is(article, .verdict):not([aria-busy])").wait_for()
        return page

    yield open_page
    for page in pages:
        page.close()
    assert said == []


@pytest.fixture
def until() -> Callable[[Any, str], None]:
    """Wait until an expression holds on a page; asked from outside, as the page's policy forbids eval."""

    def wait(page: Any, expression: str) -> None:
        for _ in range(PATIENCE // 50):
            if page.evaluate(expression):
                return
            page.wait_for_timeout(50)
        pytest.fail(f"never true: {expression}")

    return wait
