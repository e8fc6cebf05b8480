"""Open every page of the built docs at 1,280 and at 360 pixels, and name what is wider than the window.

Usage: uv run python scripts/book/overflow.py SITE

What scrolls by itself (code, tables, formulas, outputs) does not count. Exit code 1 if something is too wide. Without a
chromium nothing is checked, and one line says so.
"""

import functools
import http.server
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

WIDTHS = (1280, 360)
TOO_WIDE = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return []
  const scrolls = (it) =>
    it && it !== document.body && (getComputedStyle(it).overflowX !== 'visible' || scrolls(it.parentElement))
  return [...document.querySelectorAll('body *')]
    .filter((it) => it.getBoundingClientRect().right > innerWidth + 1 && !scrolls(it.parentElement))
    .slice(0, 3).map((it) => `${it.tagName.toLowerCase()}.${it.className}: ${it.textContent.trim().slice(0, 60)}`)
    .concat([`the page is ${document.documentElement.scrollWidth} wide`])
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def main() -> None:
    """Check the site in the folder that is given."""
    site, chromium = Path(sys.argv[1]), shutil.which("chromium")
    if not chromium:
        print("overflow: no chromium is here, so no page was opened")
        return
    pages = [page.relative_to(site).as_posix() for page in sorted(site.glob("**/*.html"))]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wrong = 0
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width in WIDTHS:
            tab = browser.new_page(viewport={"width": width, "height": 800})
            for page in pages:
                tab.goto(f"http://127.0.0.1:{server.server_port}/{page}", wait_until="load")
                found = tab.evaluate(TOO_WIDE)
                wrong += bool(found)
                for line in found:
                    print(f"{page} at {width}: {line}")
            tab.close()
        browser.close()
    server.shutdown()
    print(f"{len(pages)} pages at {' and '.join(map(str, WIDTHS))} pixels: {wrong} too wide")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
