"""The page as one file, which works without a server: opened from a disk, or put on any host."""

import base64
import gzip
import json
from importlib import resources

from mirrorfield.server.about import about_this

# Whatever is asked for that is not inside the file is refused by the browser.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; font-src data:; img-src data: blob:"
)
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="description" content="React to twenty posts and watch what a recommender makes of you.">
<title>mirrorfield: same gradient, a billion different lock-ins</title>
<style>{style}</style>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript. The same loop runs without it: mirrorfield run one-user</noscript>
<script>
globalThis.mirrorfieldAbout = {about};
globalThis.mirrorfieldRecorded = {recorded};
</script>
<script>{script}</script>
</body>
</html>
"""


def page_file() -> str:
    """Return the page as one HTML file: script, style, fonts, tables and recordings inside, the sandbox left out.

    >>> page_file().count("<script>")
    2
    """
    here = resources.files("mirrorfield.server")
    built = here / "standalone"
    recorded = {
        entry.name: base64.b64encode(gzip.compress(entry.read_bytes(), 9, mtime=0)).decode()
        for entry in sorted((here / "static" / "recorded").iterdir(), key=lambda entry: entry.name)
    }
    return PAGE.format(
        policy=POLICY,
        style=(built / "page.css").read_text(encoding="utf-8"),
        script=_inside((built / "page.js").read_text(encoding="utf-8")),
        about=_inside(about_this().model_dump_json()),
        recorded=json.dumps(recorded),
    )


def _inside(script: str) -> str:
    """Return a script in which nothing ends the element that it stands in."""
    return script.replace("</", "<\\/")
