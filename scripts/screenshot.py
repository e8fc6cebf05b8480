"""Take the pictures of the page for README and docs: a chromium in front of a server of its own.

Usage: uv run python scripts/screenshot.py
Writes docs/assets/page-film.png (the crowd at four posts, and its four cards), page-opening.png, page-twenty.png (a
visitor's twenty posts, replayed from a link), page-giver.png, page-crowd.png and page-twins.png (dark, on a phone).
"""

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
PLACE = HERE.parent / "docs" / "assets"
VISIT = "#mirror=11.AnABnBAnAAnnAnnAnnnn"
FILM = (0, 6, 9, 16)  # frames of the recorded crowd: posts 0, 211, 475 and 1,500
WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def at(page: Any, name: str, down: int = 0) -> None:
    """Bring a chapter to the top of the window, wait until it has what it shows, and scroll on in it."""
    page.locator(".later").first.scroll_into_view_if_needed()
    page.locator("#simplified").wait_for(state="attached")
    page.evaluate(f"document.getElementById('{name}').closest('section').scrollIntoView({{ behavior: 'instant' }})")
    page.wait_for_timeout(1000)
    page.evaluate(f"window.scrollBy({{ top: {down}, behavior: 'instant' }})")
    page.wait_for_timeout(2500)


def take_film(browser: Any, address: str) -> None:
    """Take the README's picture: what the page draws, with its type and its colours, in four columns."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, device_scale_factor=2, bypass_csp=True)
    page.goto(address + "?only=crowd")
    page.get_by_text("After 1,500 posts").wait_for(state="attached")
    page.evaluate((HERE / "film.js").read_text(encoding="utf-8"), list(FILM))
    page.add_style_tag(path=HERE / "film.css")
    page.locator(".film").screenshot(path=PLACE / "page-film.png")
    page.close()


def take_giver(browser: Any, address: str) -> None:
    """Take the chapter of who provides G after 150 rated posts: with less motion, each press is fifty."""
    page = browser.new_page(viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    page.goto(address + "?only=giver")
    page.get_by_role("button", name="the rater").click()
    for _ in range(2):
        page.get_by_role("button", name="Play").click()
    page.get_by_text("post 350;").wait_for()
    page.get_by_text("And 20,000 people").wait_for()
    page.mouse.move(0, 0)
    page.screenshot(path=PLACE / "page-giver.png")
    page.close()


def take(driver: Any, address: str) -> None:
    """Take all pictures."""
    browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    take_film(browser, address)
    take_giver(browser, address)
    page = browser.new_page(viewport=WIDE, color_scheme="light")
    page.goto(address)
    page.wait_for_timeout(11_500)  # the recorded crowd has reached its corners
    page.screenshot(path=PLACE / "page-opening.png")
    page.goto(address + VISIT)
    page.locator(".verdict").wait_for()
    page.evaluate("document.querySelector('.twenty').scrollIntoView({ behavior: 'instant' })")
    page.wait_for_timeout(1000)
    page.screenshot(path=PLACE / "page-twenty.png")
    at(page, "crowd", 1500)
    page.screenshot(path=PLACE / "page-crowd.png")
    page.close()
    phone = browser.new_page(viewport=PHONE, color_scheme="dark", device_scale_factor=2)
    phone.goto(address)
    at(phone, "twins")
    phone.get_by_label("lambda: how far").fill("5")
    phone.get_by_label("lambda: how far").blur()
    phone.evaluate("document.querySelector('.hands').scrollIntoView({ behavior: 'instant' })")
    phone.evaluate("window.scrollBy({ top: -300, behavior: 'instant' })")
    phone.wait_for_timeout(500)
    phone.screenshot(path=PLACE / "page-twins.png")
    browser.close()


def main() -> None:
    """Serve the page, and take its pictures."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mirrorfield", "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server, sync_playwright() as driver:
        assert server.stdout is not None and server.stdout.readline()
        try:
            take(driver, f"http://127.0.0.1:{port}/")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
