"""`mirrorfield serve`: the page, on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from mirrorfield.cli.table import stdout
from mirrorfield.errors import InputError


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port.")] = 8642,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another one opens the page to the network.")
    ] = "127.0.0.1",
    host_name: Annotated[
        list[str] | None, typer.Option(help="Another name that the page is reached by, as often as needed.")
    ] = None,
    embed_from: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="Let pages of this origin show the page in a frame, as often as needed."),
    ] = None,
    visitors: Annotated[int, typer.Option(min=1, max=10_000, help="Visitors at once.")] = 50,
    crowds: Annotated[int, typer.Option(min=0, max=10_000, help="Crowds at once.")] = 16,
    large_crowds: Annotated[int, typer.Option(min=0, max=100, help="Crowds above 20,000 people at once.")] = 1,
    rate: Annotated[float, typer.Option(min=1, help="Messages a second of one visitor.")] = 60.0,
    posts: Annotated[int, typer.Option(min=1, max=10_000_000, help="Posts of one visit.")] = 1_000_000,
    per_address: Annotated[int, typer.Option(min=4, max=100_000, help="Connections of one address at once.")] = 32,
    idle: Annotated[float, typer.Option(min=1, help="Seconds without a message after which a visit ends.")] = 600.0,
) -> None:
    """Open the page: react to posts and watch the recommender learn you, with the compiled kernel behind it."""
    try:
        from mirrorfield.server.app import create_app
        from mirrorfield.server.door import open_door
        from mirrorfield.server.guard import LOOPBACK, names_of
        from mirrorfield.server.limits import Limits
        from mirrorfield.server.process import serve_at
    except ImportError as error:
        raise InputError(f'serve: needs {error.name}; install it with: pip install "mirrorfield[web]"') from None
    limits = Limits(
        visitors=visitors,
        crowds=crowds,
        large_crowds=large_crowds,
        messages_per_second=rate,
        posts=posts,
        idle_seconds=idle,
        connections=max(512, per_address),
        per_address=per_address,
    )
    app = create_app(limits, names_of(host, host_name or ()), embed_from or ())
    with open_door(host, port, limits) as door:
        place = f"[{host}]" if ":" in host else host
        stdout().print(f"mirrorfield: http://{place}:{port}/ (Ctrl-C to stop)")
        if host not in LOOPBACK:
            stdout().print("mirrorfield: anyone who can reach this machine can open it; there is no password")
        serve_at(door, app, limits)


def page(
    static: Annotated[Path, typer.Option("--static", metavar="FILE", help="File to write, say mirror.html.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Write the page as one file that works without a server: the story, without the sandbox."""
    try:
        from mirrorfield.server.standalone import page_file
    except ImportError as error:
        raise InputError(f'page: needs {error.name}; install it with: pip install "mirrorfield[web]"') from None
    from mirrorfield.store.durable import write_durable

    if static.suffix not in (".html", ".htm"):
        raise InputError(f'--static: expected a file that ends in .html, got "{static}"')
    if static.is_dir() or (static.exists() and not overwrite):
        raise InputError(f"{static} exists; choose another place, or pass --overwrite to replace a file")
    try:
        write_durable(static, page_file().encode())
    except OSError as error:
        raise InputError(f"{static}: cannot write it ({error.strerror})") from None
    stdout().print(f"Page: {static}", highlight=False, soft_wrap=True)
