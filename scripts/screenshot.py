"""Take the picture of the page for README and docs: a chromium in front of `mirrorfield serve`.

Usage: uv run python scripts/screenshot.py (with `mirrorfield serve` running on its default port)
Writes docs/assets/page.png: 400 posts on autopilot with the page's own settings, seed 1.
"""

import shutil
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

PLACE = Path(__file__).parent.parent / "docs" / "assets" / "page.png"
POSTS = 400


def main() -> None:
    """Let the autopilot react, one message after the other, and take the picture."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 960}, color_scheme="light")
        page.goto("http://127.0.0.1:8642/")
        for number in range(1, POSTS):
            expect(page.locator(".phone .kind")).to_contain_text(f"post {number}")
            page.get_by_role("button", name="One step").click()
        expect(page.locator(".phone .kind")).to_contain_text(f"post {POSTS}")
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=PLACE)
        browser.close()


if __name__ == "__main__":
    main()
