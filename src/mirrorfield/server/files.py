"""The page's files, read once and held in memory, each also compressed."""

import gzip
import hashlib
import mimetypes
from importlib.resources.abc import Traversable
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

SMALL = 1000  # bytes from which compressing pays
INDEX = "index.html"
TYPES = {".woff2": "font/woff2", ".bin": "application/octet-stream", ".md": "text/markdown; charset=utf-8"}


class File(NamedTuple):
    """A file's bytes, as they are and compressed, with its type and a tag that changes when they do."""

    whole: bytes
    packed: bytes | None
    kind: str
    tag: str


class Files:
    """Answers a request for a file of a folder; whoever accepts gzip gets it compressed, which was done once.

    A name is looked up among those that were there at the start, so that no path can lead out of the folder.
    """

    def __init__(self, folder: Traversable) -> None:
        self.files = dict(_read(folder, ""))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the file, 304 where the browser has it, 404 for an unknown name and 405 for another method."""
        await self.answer(scope)(scope, receive, send)

    def answer(self, scope: Scope) -> Response:
        """Return the answer to a request."""
        name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/") or INDEX
        file = self.files.get(name)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse("405: expected GET\n", 405, {"allow": "GET, HEAD"})
        if file is None:
            return PlainTextResponse("404: there is no such file\n", 404)
        asked = Headers(scope=scope)
        told = {"etag": file.tag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if file.tag in asked.get("if-none-match", ""):
            return Response(None, 304, told)
        packed = file.packed if "gzip" in asked.get("accept-encoding", "") else None
        told["content-encoding"] = "identity" if packed is None else "gzip"
        return Response(file.whole if packed is None else packed, 200, told, file.kind)


def _read(folder: Traversable, before: str) -> list[tuple[str, File]]:
    found = []
    for entry in folder.iterdir():
        name = before + entry.name
        if entry.is_dir():
            found += _read(entry, f"{name}/")
        else:
            found.append((name, _file(entry)))
    return found


def _file(entry: Traversable) -> File:
    whole = entry.read_bytes()
    suffix = "." + entry.name.rpartition(".")[2]
    kind = TYPES.get(suffix) or mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
    packed = gzip.compress(whole, 9, mtime=0) if len(whole) >= SMALL and suffix != ".woff2" else None
    tag = f'"{hashlib.sha256(whole).hexdigest()[:16]}"'
    return File(whole, packed, kind, tag)
